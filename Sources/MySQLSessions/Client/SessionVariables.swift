import SessionKill

/// What killd sets in each of its sessions, so that they inherit nothing on which its statements depend.
///
/// An administrator sets the globals for applications, and a server that is sick has been tuned in haste.
enum SessionVariables {
    /// Without which nothing can be trusted; both servers have them all.
    ///
    /// Another character set garbles users (`--skip-character-set-client-handshake`), another sql_mode is another
    /// language, sql_select_limit cuts every list, wait_timeout closes what killd keeps open, trx_started is in the
    /// system's time zone on some servers and in the session's on others, and a limit on statements could end one that
    /// kills half-way. What is in the comments only MariaDB reads, or only MySQL (MariaDB leaves out those from 5.7
    /// on).
    static let needed = """
        SET SESSION autocommit=1, sql_select_limit=18446744073709551615, wait_timeout=31536000, \
        time_zone='SYSTEM', sql_mode=''/*M!100101 , max_statement_time=0*//*!50708 , max_execution_time=0*/;\
        SET NAMES utf8mb4
        """

    /// The variable that holds what the server drew for the session: another in every session, also where a proxy
    /// repeats the statement that sets it.
    static let draw = "@killd_draw"

    /// What some servers lack, or do not let everybody set; each by itself.
    static func helpful(isMariaDB: Bool) -> [String] {
        (ofBoth + (isMariaDB ? ofMariaDB : ofMySQL)).map { "SET SESSION \($0)" }
            // An init_connect may have begun what no statement of killd's belongs to.
            + ["ROLLBACK", "UNLOCK TABLES", "SET \(draw)=UUID()"]
    }

    private static let ofBoth = [
        // Lists are temporary tables, which must find room, if they can in memory.
        "sql_big_selects=1", "sql_buffer_result=0", "big_tables=0", "tmp_table_size=33554432",
        "max_heap_table_size=33554432", "group_concat_max_len=1048576",
        // Without room for a condition MariaDB's handlers see no error.
        "max_error_count=64",
        // Reports repeat what the server says.
        "lc_messages='en_US'", "net_write_timeout=60", "net_read_timeout=30", "completion_type=0", "profiling=0",
    ]

    private static let ofMariaDB = [
        // A node of a cluster that has lost the others answers nothing else.
        "wsrep_dirty_reads=1", "wsrep_sync_wait=0", "max_session_mem_used=9223372036854775807",
        "tmp_memory_table_size=33554432", "tmp_disk_table_size=18446744073709551615",
    ]

    private static let ofMySQL = ["terminology_use_previous=NONE", "group_replication_consistency='EVENTUAL'"]
}

extension MySQLHandle {
    /// Runs statements of which those that the server refuses do not matter.
    func set(_ statements: [String]) throws(ServerError) {
        var left = statements[...]
        while !left.isEmpty {
            let response = run(left.joined(separator: ";"))
            guard let failure = response.failure else { return }
            if failure.isConnectionLost { throw ServerError(failure, during: "setting up a connection") }
            // It drops the rest of a packet at the first error.
            left = left.dropFirst(response.results.count + 1)
        }
    }
}
