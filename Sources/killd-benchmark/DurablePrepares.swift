import CSQLite
import Foundation
import Migrations
import PrivateDatabase

/// Prepares, each on disk before it is answered, against a bare loop that
/// inserts the same rows in a transaction of its own each, on the same disk.
func durablePrepares(_ killd: Killd, in folder: String) throws -> Measurement {
    let database = try PrivateDatabase.start(.mariadb)
    defer { database.stop() }
    _ = try run(
        find("mariadb", package: "mariadb-client-core"),
        [
            "--no-defaults", "--socket=\(database.socket)", "--user=\(PrivateDatabase.rootUser)", "--execute",
            "CREATE USER killd@'127.0.0.1' IDENTIFIED BY 'bench'; GRANT PROCESS, CONNECTION ADMIN ON *.* TO killd@'127.0.0.1'",
        ])
    let configuration = try Killd.configuration(in: folder, databasePort: database.port)
    let text = try String(contentsOfFile: configuration, encoding: .utf8)
    try Data(text.replacingOccurrences(of: #""root""#, with: #""killd""#).utf8).write(
        to: URL(fileURLWithPath: configuration))
    let server = try Killd.Server(killd, configuration: configuration)
    defer { server.stop() }

    let port = server.port
    // Signed once: what signing costs the clients is none of killd's figures. Valid for five minutes.
    let request = try SignedRequest.prepare(threads: [1, 2], port: port)
    _ = try load(on: port, connections: 32, requests: 500) { request }
    var pairs: [(killd: Double, loop: Double)] = []
    for turn in 0..<3 {
        let prepares = try load(on: port, connections: 32, requests: 20_000) { request }
        pairs.append((prepares, try insertLoop(inserts: 10_000, path: "\(folder)/loop\(turn).sqlite")))
    }
    return Measurement(
        name: "durable Prepares a second, 32 clients, median of 3 turns", killd: whole(median(pairs.map(\.killd))),
        peer: "SQLite insert loop, `synchronous=FULL`: \(whole(median(pairs.map(\.loop))))",
        ratio: decimal(median(pairs.map { $0.killd / $0.loop })), goal: "≥ 2")
}

/// Inserts a second of a loop that commits each plan by itself: the rows that
/// killd writes for such a Prepare, with its schema, through prepared statements.
private func insertLoop(inserts: Int, path: String) throws -> Double {
    var handle: OpaquePointer?
    guard sqlite3_open(path, &handle) == SQLITE_OK else { throw BenchmarkError("sqlite3_open") }
    defer { sqlite3_close(handle) }
    func execute(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw BenchmarkError("\(String(cString: sqlite3_errmsg(handle))): \(sql)")
        }
    }
    func prepare(_ sql: String) throws -> OpaquePointer {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw BenchmarkError(String(cString: sqlite3_errmsg(handle)))
        }
        return statement
    }
    func run(_ statement: OpaquePointer, _ number: Int) throws {
        sqlite3_bind_int64(statement, 1, Int64(number))
        guard sqlite3_step(statement) == SQLITE_DONE else { throw BenchmarkError(String(cString: sqlite3_errmsg(handle))) }
        sqlite3_reset(statement)
    }

    try execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON")
    for migration in Migration.all { try execute(migration.sql) }
    let fingerprint = #"{"connectionCount":500,"hostname":"db1","port":3306,"serverID":1,"startedAt":1700000000,"version":"10.11.19-MariaDB-0+deb12u1"}"#
    let digest = String(repeating: "0", count: 64)
    let begin = try prepare("BEGIN IMMEDIATE")
    let plan = try prepare(
        """
        INSERT INTO plans (id, name, sql_exec_id, digest, account, instance, prepared_at, expires_at, record_history,
          fingerprint) VALUES (?1, 'plan-abcdefgh' || ?1, 'AEnnKexG' || ?1, '\(digest)', 'bench', 'cdb-bench',
          1700000000000, 1700000600000, 1, '\(fingerprint)')
        """)
    let threads = try [0, 1].map {
        try prepare("INSERT INTO threads (plan, position, thread_id) VALUES (?1, \($0), \($0 + 1))")
    }
    let commit = try prepare("COMMIT")
    defer { for statement in [begin, plan, commit] + threads { sqlite3_finalize(statement) } }

    let start = ContinuousClock.now
    for number in 1...inserts {
        sqlite3_step(begin)
        sqlite3_reset(begin)
        try run(plan, number)
        for thread in threads { try run(thread, number) }
        guard sqlite3_step(commit) == SQLITE_DONE else { throw BenchmarkError(String(cString: sqlite3_errmsg(handle))) }
        sqlite3_reset(commit)
    }
    return Double(inserts) / ((ContinuousClock.now - start) / .seconds(1))
}
