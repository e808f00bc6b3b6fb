import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Servers with globals that were set for others than killd, or in haste: each session inherits them.
final class HostileSettingsTests: XCTestCase {
    /// Set while the server runs; each of these alone kept killd from its work, or could have.
    private static let globals: [RealServer.Kind: [String]] = [
        .mariadb: [
            "sql_mode='ORACLE,ANSI_QUOTES,NO_BACKSLASH_ESCAPES,IGNORE_SPACE'", "autocommit=0", "sql_select_limit=1",
            "max_statement_time=0.001", "max_session_mem_used=150000", "max_error_count=0", "big_tables=1",
            "tmp_table_size=1024", "max_heap_table_size=16384", "tmp_memory_table_size=0", "tmp_disk_table_size=1024",
            "sql_buffer_result=1", "group_concat_max_len=4", "max_join_size=1", "time_zone='+09:00'",
            "lc_messages='de_DE'", "lc_time_names='ja_JP'", "wait_timeout=1", "interactive_timeout=1",
            "tx_read_only=1", "completion_type=2", "in_predicate_conversion_threshold=2",
            "init_connect='START TRANSACTION'", "character_set_server='latin1'", "collation_connection='utf8mb4_bin'",
            "optimizer_switch='derived_merge=off,materialization=off'", "profiling=1", "max_recursive_iterations=0",
            "div_precision_increment=0", "sql_safe_updates=1", "idle_transaction_timeout=1", "wsrep_sync_wait=0",
        ],
        .mysql: [
            "sql_mode='ANSI,NO_BACKSLASH_ESCAPES'", "autocommit=0", "sql_select_limit=1", "max_execution_time=1",
            "max_error_count=0", "big_tables=1", "tmp_table_size=1024", "max_heap_table_size=16384",
            "sql_buffer_result=1", "group_concat_max_len=4", "max_join_size=1", "time_zone='+09:00'",
            "lc_messages='de_DE'", "lc_time_names='ja_JP'", "wait_timeout=1", "interactive_timeout=1",
            "transaction_read_only=1", "completion_type=2", "init_connect='START TRANSACTION'",
            "character_set_server='latin1'", "terminology_use_previous='BEFORE_8_0_26'",
            "session_track_system_variables='*'", "session_track_state_change=1",
            "session_track_transaction_info='STATE'",
            "div_precision_increment=0", "sql_safe_updates=1", "connection_memory_limit=2097152",
            "global_connection_memory_tracking=1",
        ],
    ]

    private func options(of kind: RealServer.Kind) -> [String] {
        // MySQL 9 has no such option any more. The version is what a DBA sets whose clients insist on a MySQL.
        let ofMariaDB = ["--skip-character-set-client-handshake", "--version=8.0.36"]
        return ["--character-set-server=latin1"] + (kind == .mariadb ? ofMariaDB : [])
    }

    func testEverythingWorksUnderGlobalsThatWereSetForOthers() async throws {
        try await onEveryServer(from: { try RealServer.start($0, options: self.options(of: $0)) }) { server in
            // What the bytes of "m\u{FC}ller" are to a server that takes them for Latin 1.
            let sent = "m\u{FC}ller"
            let user = server.kind == .mariadb ? "m\u{C3}\u{BC}ller" : sent
            let root = try await server.administrator()
            try await root.query(RealServer.creation(of: "`\(user)`"))
            try await withDAS(on: server) { configuration in
                configuration.accounts[0].may = ["*"]
            } _: { scene, das in
                try await scene.killd.stop()
                // From before, so that they do not inherit what could end them.
                let victims = try await ClientSessions.open(2, on: server, as: sent)
                let ofRule = try await ClientSessions.open(2, on: server, as: "app2")
                let ofTask = try await ClientSessions.open(2, on: server)
                for global in Self.globals[server.kind] ?? [] {
                    do {
                        try await root.query("SET GLOBAL \(global)")
                    } catch {
                        XCTFail("\(server.kind): \(global): \(error)")
                    }
                }
                try await scene.killd.start()
                let check = try await KilldProcess.run(["check", "--config", scene.killd.configurationFile])
                XCTAssertEqual(check.status, 0, check.output)

                let planned = await victims.threadIDs
                let ticket = try scene.client.prepare(planned).ticket()
                let shown = try scene.client.describe(ticket: ticket)
                XCTAssertEqual(shown.Threads.map(\.User), [user, user], "\(shown)")
                XCTAssertEqual(shown.Threads.map(\.Guard), [nil, nil], "\(shown)")
                XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
                let after = try scene.client.describe(ticket: ticket)
                let guards = scene.server.kind == .mariadb ? ["query-id", "list"] : ["list"]
                XCTAssertTrue(after.Threads.allSatisfy { $0.Guard.map(guards.contains) == true }, "\(after)")
                await victims.assertNoneAnswers()

                try scene.create(#""User":"app2""#)
                try await scene.assertGone(await ofRule.threadIDs)
                try scene.cancel()

                let ids = list(await ofTask.threadIDs)
                let created = try das.create([("KillAllSessions", "False"), ("SessionIds", ids)])
                let result = try await das.ended(created.text)
                XCTAssertEqual(result.state, "SUCCESS", "\(result)")
                XCTAssertEqual(result.counts[0], 2, "\(result)")
                await ofTask.assertNoneAnswers()
            }
            await root.close()
            server.database.stop()
        }
    }
}
