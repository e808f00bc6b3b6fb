import CSQLite
import Foundation

/// A killd that has worked for years against one that begins.
func killsWithFullStore(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let server = try TargetServer(.mariadb)
    defer { server.stop() }
    let empty = try Killd.configuration(in: folder, databasePort: server.port)
    let full = try Killd.configuration(in: folder, databasePort: server.port)
    // killd makes the store itself, with all that it keeps in there besides plans.
    try Killd.Server(killd, configuration: full).stop()
    let plans = 1_000_000
    try insertFinishedPlans(plans, into: try Killd.store(in: full))

    let services = [try Killd.Server(killd, configuration: full), try Killd.Server(killd, configuration: empty)]
    defer { for service in services { service.stop() } }
    let clients = try services.map { try KillClient($0) }
    return [
        try KillTurns(
            11, of: 100, on: server, killd: { try clients[0].kill($0) }, peer: { try clients[1].kill($0) }
        ).measurement(
            "Prepare and Commit of 100 idle sessions, store with \(plans) finished plans, \(server.name)",
            peer: "killd, empty store", goal: "≤ 1.2")
    ]
}

/// Plans that were committed a moment ago, each with one thread, which was killed.
///
/// Names and tickets are as random as real ones: sorted, they would make better
/// indexes than killd ever has.
func insertFinishedPlans(_ count: Int, into store: String) throws {
    let now = Int64(Date().timeIntervalSince1970 * 1_000)
    let fingerprint = """
        {"connectionCount":500,"hostname":"db1","port":3306,"serverID":1,"startedAt":1700000000,\
        "version":"10.11.19-MariaDB-0+deb12u1"}
        """
    let details = #"{"command":"Sleep","database":"shop","seconds":120,"state":""}"#
    // An odd factor, so that no two numbers give the same text.
    let text = "printf('%012x', (n * 5436285097561) & 281474976710655)"
    let numbers = "WITH RECURSIVE numbers (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)"

    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    func check(_ result: Int32) throws {
        guard result == SQLITE_OK || result == SQLITE_DONE else {
            throw BenchmarkError("\(store): \(String(cString: sqlite3_errmsg(handle)))")
        }
    }
    func execute(_ sql: String) throws { try check(sqlite3_exec(handle, sql, nil, nil, nil)) }
    try check(sqlite3_open_v2(store, &handle, SQLITE_OPEN_READWRITE, nil))
    try execute("PRAGMA synchronous=OFF; PRAGMA cache_size=-1000000")

    var statements: [OpaquePointer?] = []
    defer { for statement in statements { sqlite3_finalize(statement) } }
    for sql in [
        """
        \(numbers)
        INSERT INTO plans (id, name, sql_exec_id, digest, account, person, instance, prepared_at, expires_at,
            record_history, fingerprint, state, committing_since, ended_at)
        SELECT n, 'plan-' || \(text), \(text), printf('%064x', n), 'bench', 'bench', 'cdb-bench', \(now),
            \(now + 600_000), 1, '\(fingerprint)', 'committed', \(now), \(now)
        FROM numbers
        """,
        """
        \(numbers)
        INSERT INTO threads (plan, position, thread_id, user, host, details, intended_at, outcome)
        SELECT n, 0, n, 'app', '127.0.0.1:40000', '\(details)', \(now), 'killed' FROM numbers
        """,
    ] {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v2(handle, sql, -1, &statement, nil))
        statements.append(statement)
    }
    let plansInTransaction = 100_000
    for first in stride(from: 1, through: count, by: plansInTransaction) {
        try execute("BEGIN")
        for statement in statements {
            sqlite3_bind_int64(statement, 1, Int64(first))
            sqlite3_bind_int64(statement, 2, Int64(min(first + plansInTransaction - 1, count)))
            try check(sqlite3_step(statement))
            sqlite3_reset(statement)
        }
        try execute("COMMIT")
    }
    try execute("PRAGMA wal_checkpoint(TRUNCATE)")
}
