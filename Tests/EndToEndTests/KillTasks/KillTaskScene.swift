import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Runs `body` with a killd, on every kind of server, whose only account may do everything.
///
/// The server is there as two instances: `cdb-test`, and `cdb-other`, where the test may run a second task.
func withTasks(
    configure: (inout KilldConfiguration) -> Void = { _ in }, file: StaticString = #filePath, line: UInt = #line,
    _ body: (Scene) async throws -> Void
) async throws {
    try await onEveryServer { server in
        try await withTasks(on: server, configure: configure, file: file, line: line, body)
    }
}

func withTasks(
    on server: RealServer, configure: (inout KilldConfiguration) -> Void = { _ in }, file: StaticString = #filePath,
    line: UInt = #line, _ body: (Scene) async throws -> Void
) async throws {
    try await server.createAccounts()
    var configuration = KilldConfiguration(port: server.database.port)
    configuration.accounts[0].may = ["*"]
    configuration.instances.append(configuration.instances[0])
    configuration.instances[1].id = "cdb-other"
    configure(&configuration)
    try await withKilld(configuration, on: server, file: file, line: line, body)
}

extension Scene {
    /// Creates a task with these conditions, such as `"User":"app2"`.
    func create(
        _ conditions: String, lasting seconds: Int = -1, file: StaticString = #filePath, line: UInt = #line
    ) throws {
        let members = "\"Duration\":\(seconds)" + (conditions.isEmpty ? "" : "," + conditions)
        let answer = try client.call("CreateKillTask", members: members)
        XCTAssertEqual(answer.Status, 1, "\(answer)", file: file, line: line)
    }

    func cancel(file: StaticString = #filePath, line: UInt = #line) throws {
        let answer = try client.call("CancelKillTask", members: "")
        XCTAssertEqual(answer.Status, 1, "\(answer)", file: file, line: line)
    }

    /// The tasks of the first instance, the latest first.
    func tasks() throws -> [TaskDescription] {
        let answer = try client.call("DescribeKillTasks", members: "")
        return try XCTUnwrap(answer.Tasks, "\(answer)")
    }

    /// Opens a session of `app2`, and runs a statement on it to its end.
    func open(_ statement: String? = nil, from address: String = "127.0.0.1") async throws -> ClientSessions {
        let session = try await ClientSessions.open(1, on: server, as: "app2", from: address)
        if let statement { try await session.run(statement) }
        return session
    }

    /// Opens a session of `app2` that runs a statement from now on.
    func run(_ statement: String) async throws -> ClientSessions {
        let session = try await open()
        let id = await session.threadIDs[0]
        try await session.send(statement)
        try await eventually("the statement") { try await processList(id, "INFO") != nil }
        return session
    }

    func processList(_ id: ThreadID, _ column: String) async throws -> String? {
        let rows = try await administrator.query(
            "SELECT \(column) FROM information_schema.PROCESSLIST WHERE ID = \(id)"
        ).first?.rows
        return rows?.first?[0]
    }

    /// The client's address as the server shows it, without the port.
    func host(of id: ThreadID) async throws -> String {
        let host = try await processList(id, "HOST") ?? ""
        return String(host[..<(host.lastIndex(of: ":") ?? host.endIndex)])
    }

    /// Waits until sessions are ended by somebody else than their client, which keeps them open.
    func assertEnded(_ sessions: ClientSessions, file: StaticString = #filePath, line: UInt = #line) async throws {
        try await assertGone(sessions.threadIDs, file: file, line: line)
        withExtendedLifetime(sessions) {}
    }

    /// Checks that a task with this condition ends one session of `app2` when it begins, and one that comes later, and
    /// that a third which differs lives on.
    func assertEnds(
        _ condition: String, _ openVictim: () async throws -> ClientSessions,
        sparing openOther: () async throws -> ClientSessions, file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let other = try await openOther()
        let first = try await openVictim()
        try create("\"User\":\"app2\"," + condition, file: file, line: line)
        try await assertEnded(first, file: file, line: line)
        try await assertEnded(try await openVictim(), file: file, line: line)
        try cancel(file: file, line: line)
        let id = await other.threadIDs[0]
        let user = try await sessions()[id]
        XCTAssertEqual(user, "app2", "\(condition) ended a session that differs", file: file, line: line)
        withExtendedLifetime(other) {}
    }

    /// Returns when a task of the other instance, begun now, has looked often enough that one of this would have too.
    func letLooksPass(as account: KilldConfiguration.Account? = nil) async throws {
        let other = try SigningClient(killd, as: account, instance: "cdb-other")
        try await administrator.query("CREATE DATABASE IF NOT EXISTS d2")
        try await administrator.query("GRANT ALL ON d2.* TO app2@'%'")
        XCTAssertEqual(try other.call("CreateKillTask", members: #""Duration":-1,"User":"app2","DB":"d2""#).Status, 1)
        for _ in 0..<3 { try await assertEnded(try await open("USE d2")) }
        XCTAssertEqual(try other.call("CancelKillTask", members: "").Status, 1)
    }
}
