import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// A killd that serves one database server.
struct Scene {
    let server: RealServer
    let killd: KilldProcess
    /// A connection as root.
    let administrator: MySQLConnection

    var client: SigningClient { get throws { try SigningClient(killd) } }

    /// The ids of all sessions, and their users.
    func sessions() async throws -> [ThreadID: String] {
        let rows = try await administrator.query("SHOW PROCESSLIST").first?.rows ?? []
        return rows.reduce(into: [:]) { sessions, row in
            guard let id = row[0].flatMap({ UInt64($0) }).flatMap({ ThreadID($0) }) else { return }
            sessions[id] = row[1] ?? ""
        }
    }

    /// How many KILL statements the server has run since it started.
    func killsRun() async throws -> Int {
        let rows = try await administrator.query("SHOW GLOBAL STATUS LIKE 'Com_kill'").first?.rows
        return try XCTUnwrap(rows?.first?.last.flatMap { $0 }.flatMap { Int($0) })
    }

    /// How many KILL statements end so many sessions: on MariaDB a KILL QUERY ID may prove before each KILL CONNECTION
    /// that its session has not gone on.
    func killStatements(ending sessions: Int) -> ClosedRange<Int> {
        sessions...(server.kind == .mariadb ? 2 * sessions : sessions)
    }

    /// Checks that the server has run the KILL statements that end so many sessions, since it had run `before`.
    func assertKillsRun(
        _ sessions: Int, since before: Int, _ message: String = "", file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let kills = try await killsRun() - before
        let expected = killStatements(ending: sessions)
        XCTAssertTrue(expected.contains(kills), "\(kills), not \(expected) \(message)", file: file, line: line)
    }

    func openTwo() async throws -> (victims: ClientSessions, planned: [ThreadID]) {
        let victims = try await ClientSessions.open(2, on: server)
        return (victims, await victims.threadIDs)
    }

    /// Opens two sessions and prepares their end.
    func prepareTwo() async throws -> (victims: ClientSessions, planned: [ThreadID], ticket: String) {
        let (victims, planned) = try await openTwo()
        return (victims, planned, try client.prepare(planned).ticket())
    }

    /// Waits until all of `sessions` are gone.
    func assertGone(_ sessions: [ThreadID], file: StaticString = #filePath, line: UInt = #line) async throws {
        try await eventually("the end of \(sessions)", file: file, line: line) {
            try await self.sessions().keys.filter(sessions.contains).isEmpty
        }
    }
}

/// Runs `body` with a killd on every kind of server.
///
/// Ten sessions that no test means to kill must answer afterwards, and killd must end with status 0.
///
/// - Parameter configure: changes the configuration of killd.
func withKilld(
    configure: (inout KilldConfiguration) -> Void = { _ in }, file: StaticString = #filePath, line: UInt = #line,
    _ body: (Scene) async throws -> Void
) async throws {
    try await onEveryServer { server in
        var configuration = KilldConfiguration(port: server.database.port)
        configure(&configuration)
        try await withKilld(configuration, on: server, file: file, line: line, body)
    }
}

/// Runs `body` with a killd that has this configuration.
func withKilld(
    _ configuration: KilldConfiguration, on server: RealServer, file: StaticString = #filePath, line: UInt = #line,
    _ body: (Scene) async throws -> Void
) async throws {
    let administrator = try await server.administrator()
    let bystanders = try await Bystanders.open(on: server)
    let killd = try await KilldProcess.start(configuration)
    try await body(Scene(server: server, killd: killd, administrator: administrator))
    await bystanders.assertAllAnswer(file: file, line: line)
    try await killd.stop(file: file, line: line)
    await administrator.close()
}

/// Checks that a response is an error with this code, and nothing besides.
func assertRefused(
    _ answer: APIResponse, _ code: String, _ words: String = "", file: StaticString = #filePath, line: UInt = #line
) {
    XCTAssertEqual(answer.Error?.Code, code, "\(answer)", file: file, line: line)
    XCTAssertNil(answer.Threads, "\(answer)", file: file, line: line)
    XCTAssertNil(answer.SqlExecId, "\(answer)", file: file, line: line)
    if let message = answer.Error?.Message, !words.isEmpty {
        XCTAssertTrue(message.contains(words), message, file: file, line: line)
    }
}

extension ClientSessions {
    func assertAllAnswer(file: StaticString = #filePath, line: UInt = #line) async {
        XCTAssertEqual(answering(), Set(threadIDs), file: file, line: line)
    }

    /// Not for sessions that have yet to answer a statement.
    func assertNoneAnswers(file: StaticString = #filePath, line: UInt = #line) async {
        XCTAssertEqual(answering(), [], file: file, line: line)
    }
}
