import APIClient
import CSQLite
import Foundation
import Migrations
import PrivateDatabase

/// Prepares, each on disk before it is answered, against a bare loop that
/// inserts the same rows in a transaction of its own each, on the same disk.
func durablePrepares(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let database = try PrivateDatabase.start(.mariadb)
    defer { database.stop() }
    _ = try run(
        find("mariadb", package: "mariadb-client-core"),
        [
            "--no-defaults", "--socket=\(database.socket)", "--user=\(PrivateDatabase.rootUser)", "--execute",
            "CREATE USER killd@'127.0.0.1' IDENTIFIED BY 'bench'; GRANT PROCESS, CONNECTION ADMIN ON *.* TO killd@'127.0.0.1'",
        ])
    waitUntilPlansAreMade()
    let configuration = try Killd.configuration(in: folder, databasePort: database.port)
    let store = try Killd.store(in: configuration)
    let server = try Killd.Server(killd, configuration: configuration)
    defer { server.stop() }

    let request = try SignedCall.prepare(port: server.port)
    _ = try load(request, on: server.port, seconds: 1, in: folder)
    var pairs: [(killd: Double, loop: Double)] = []
    for turn in 0..<5 {
        // Counted in the store: a response that is an error would count for wrk.
        let before = try planCount(in: store)
        let start = ContinuousClock.now
        _ = try load(request, on: server.port, seconds: 3, in: folder)
        let prepares = Double(try planCount(in: store) - before) / ((ContinuousClock.now - start) / .seconds(1))
        pairs.append((prepares, try insertLoop(inserts: 3_000, path: "\(folder)/loop\(turn).sqlite")))
    }
    return [
        Measurement(
            name: "durable Prepares a second, 32 clients, median of 5 turns", killd: whole(median(pairs.map(\.killd))),
            peer: "SQLite insert loop, `synchronous=FULL`: \(whole(median(pairs.map(\.loop))))",
            ratio: decimal(median(pairs.map { $0.killd / $0.loop })), goal: "≥ 2")
    ]
}

private func planCount(in store: String) throws -> Int {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    var statement: OpaquePointer?
    guard sqlite3_open_v2(store, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK,
        sqlite3_prepare_v2(handle, "SELECT count(*) FROM plans", -1, &statement, nil) == SQLITE_OK
    else { throw BenchmarkError("\(store): \(String(cString: sqlite3_errmsg(handle)))") }
    defer { sqlite3_finalize(statement) }
    guard sqlite3_step(statement) == SQLITE_ROW else { throw BenchmarkError("no count of plans") }
    return Int(sqlite3_column_int64(statement, 0))
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
        guard sqlite3_step(statement) == SQLITE_DONE else {
            throw BenchmarkError(String(cString: sqlite3_errmsg(handle)))
        }
        sqlite3_reset(statement)
    }

    try execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON")
    for migration in Migration.all { try execute(migration.sql) }
    let fingerprint =
        #"{"connectionCount":500,"hostname":"db1","port":3306,"serverID":1,"startMark":"88cf-02fc00000001","startedAt":1700000000,"version":"10.11.19-MariaDB-0+deb12u1"}"#
    let digest = String(repeating: "0", count: 64)
    let begin = try prepare("BEGIN IMMEDIATE")
    let plan = try prepare(
        """
        INSERT INTO plans (id, name, sql_exec_id, digest, account, person, instance, prepared_at, expires_at,
          record_history, fingerprint, impact, review, risk_grade, approvable_until, commit_within)
        VALUES (?1, 'plan-abcdefgh' || ?1, 'AEnnKexG' || ?1, '\(digest)', 'bench', 'bench', 'cdb-bench',
          1700000000000, 1700000600000, 1, '\(fingerprint)', '{"freedSessions":0,"unexplainedWaiters":0}',
          '{"omittedWaits":0,"risk":{"reasons":[]},"waits":[]}', 'low', 1700000600000, 300)
        """)
    let threads = try [0, 1].map {
        try prepare("INSERT INTO threads (plan, position, thread_id) VALUES (?1, \($0), \($0 + 1))")
    }
    // Its hashes are computed by nobody: what they cost is killd's own.
    let entry = try prepare(
        """
        INSERT INTO audit_entries (seq, at, kind, plan, payload, payload_sha256, hash)
        VALUES (?1, 1700000000000, 'prepared', 'plan-abcdefgh' || ?1, '{"account":"bench","approvableUntil":\
        1700000600000,"at":1700000000000,"commitWithin":300,"digest":"\(digest)","expiresAt":1700000600000,\
        "grade":"low","instance":"cdb-bench","kind":"prepared","person":"bench","plan":"plan-abcdefgh","required":0,\
        "seq":1,"threads":[{"id":1},{"id":2}]}', '\(digest)', '\(digest)')
        """)
    let commit = try prepare("COMMIT")
    defer { for statement in [begin, plan, entry, commit] + threads { sqlite3_finalize(statement) } }

    let start = ContinuousClock.now
    for number in 1...inserts {
        sqlite3_step(begin)
        sqlite3_reset(begin)
        try run(plan, number)
        for statement in threads + [entry] { try run(statement, number) }
        guard sqlite3_step(commit) == SQLITE_DONE else { throw BenchmarkError(String(cString: sqlite3_errmsg(handle))) }
        sqlite3_reset(commit)
    }
    return Double(inserts) / ((ContinuousClock.now - start) / .seconds(1))
}
