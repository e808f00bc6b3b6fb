import CSQLite
import Foundation
import PrivateDatabase

/// Prepares, each on disk before it is answered, against a bare loop that
/// inserts as many bytes in a transaction of its own each, on the same disk.
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
    _ = try load(on: port, connections: 32, requests: 500) { try SignedRequest.prepare(threads: [1, 2], port: port) }
    var pairs: [(killd: Double, loop: Double)] = []
    for turn in 0..<3 {
        let prepares = try load(on: port, connections: 32, requests: 6_000) {
            try SignedRequest.prepare(threads: [1, 2], port: port)
        }
        pairs.append((prepares, try insertLoop(inserts: 2_000, path: "\(folder)/loop\(turn).sqlite")))
    }
    return Measurement(
        name: "durable Prepares a second, 32 clients, median of 3 turns", killd: whole(median(pairs.map(\.killd))),
        peer: "SQLite insert loop, `synchronous=FULL`: \(whole(median(pairs.map(\.loop))))",
        ratio: decimal(median(pairs.map { $0.killd / $0.loop })), goal: "≥ 2")
}

/// Inserts a second of a loop that commits each insert.
private func insertLoop(inserts: Int, path: String) throws -> Double {
    var handle: OpaquePointer?
    guard sqlite3_open(path, &handle) == SQLITE_OK else { throw BenchmarkError("sqlite3_open") }
    defer { sqlite3_close(handle) }
    func execute(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw BenchmarkError(sql) }
    }
    try execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE plans (id INTEGER PRIMARY KEY, plan TEXT)")
    let plan = String(repeating: "x", count: 900)
    let start = ContinuousClock.now
    for _ in 0..<inserts { try execute("INSERT INTO plans (plan) VALUES ('\(plan)')") }
    return Double(inserts) / ((ContinuousClock.now - start) / .seconds(1))
}
