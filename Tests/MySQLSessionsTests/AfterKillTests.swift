@testable import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// The identities of `ids` as a snapshot of the server shows them.
func identities(
    of ids: [ThreadID], over connection: any ServerConnection
) async throws -> [SessionIdentity] {
    let sessions = try await connection.observe(.sessions).sessions
    return try ids.map { id in try XCTUnwrap(sessions.first { $0.id == id }?.identity, "\(id)") }
}

func withConnection<Answer: Sendable>(
    to configuration: MySQLServerConfiguration, _ body: @Sendable (any ServerConnection) async throws -> Answer
) async throws -> Answer {
    let database = MySQLServer(configuration)
    let answer = try await database.withConnection(body)
    await database.close()
    return answer
}

extension RealServer {
    /// By which sessions die that did something, and stand still now.
    var usualGuard: KillGuard { kind == .mariadb ? .queryID : .list }
}

extension KillResponse {
    var isAccepted: Bool { if case .accepted = self { true } else { false } }
}

/// What is known of sessions for which KILLs were sent.
final class AfterKillTests: XCTestCase {
    func testADyingSessionCountsAsPresentUntilItsTransactionIsUndone() async throws {
        try await onEveryServer { server in
            let victim = try await ClientSessions.open(1, on: server)
            try await victim.run("CREATE TABLE IF NOT EXISTS d.undone (id INT PRIMARY KEY AUTO_INCREMENT, p CHAR(200))")
            try await victim.run("BEGIN")
            try await victim.run("INSERT INTO d.undone (p) VALUES ('x')")
            for _ in 0..<16 { try await victim.run("INSERT INTO d.undone (p) SELECT p FROM d.undone") }
            let ids = await victim.threadIDs
            try await withConnection(to: server.configuration()) { connection in
                // More than 100 ms since anybody read them, or InnoDB would show old ones.
                try await Task.sleep(for: .milliseconds(300))
                let sessions = try await identities(of: ids, over: connection)
                let before = try await connection.transactions()
                let large = before.transactions.filter { ($0.transaction.rowsModified ?? 0) >= 65_536 }
                XCTAssertEqual(large.count, 1, "\(before)")
                let answers = await connection.kill(sessions)
                XCTAssertEqual(answers, [.accepted(by: server.usualGuard)])
                try await eventually("it is gone") { try await connection.present(among: sessions).isEmpty }
                try await eventually("its transaction is over", pause: .milliseconds(300)) {
                    try await connection.transactions().transactions.allSatisfy { $0.transaction.id == nil }
                }
            }
        }
    }

    func testASessionHandedToAnotherUserIsNotPresent() async throws {
        try await onEveryServer { server in
            let sessions = try await ClientSessions.open(2, on: server)
            let ids = await sessions.threadIDs
            let present = try await withConnection(to: server.configuration()) { connection in
                let pinned = try await identities(of: ids, over: connection)
                try await sessions.changeUser(to: "app2", on: 0)
                return try await connection.present(among: pinned)
            }
            XCTAssertEqual(present, [ids[1]])
        }
    }

    func testAnAnswerThatDoesNotComeIsLostAndWhatWasNotSentSaysSo() async throws {
        try await onEveryServer { server in
            // Lets the first packet with KILLs through to the server, and never its answer.
            let proxy = try TCPProxy(
                to: server.database.port,
                fromClient: { bytes in
                    let kills = String(decoding: bytes, as: UTF8.self).contains("KILL CONNECTION")
                    return kills ? .forwardAndCut(bytes) : .forward(bytes)
                })
            let victims = try await ClientSessions.open(1_100, on: server)
            let ids = await victims.threadIDs
            let database = MySQLServer(server.configuration(port: proxy.port))
            let (answers, further) = try await database.withConnection { connection in
                let sessions = try await identities(of: ids, over: connection)
                let answers = await connection.kill(sessions)
                let further = try await assertThrows(ServerError.self) { try await connection.observe(.sessions) }
                return (answers, further)
            }
            // The youngest go first.
            let lost = answers.reversed().prefix { $0 == .lost }
            XCTAssertTrue((1..<1_100).contains(lost.count), "\(lost.count)")
            XCTAssertTrue(answers.dropLast(lost.count).allSatisfy { $0 == .notSent })
            XCTAssertEqual(further.reason, .connectionLost)
            // The next use finds a new connection.
            let own = try await database.withConnection { try await $0.observe(.sessions).ownThreadIDs }
            XCTAssertEqual(own.count, 1)
            await database.close()
        }
    }

    func testAKillingConnectionThatIsKilledSendsNothingMore() async throws {
        try await onEveryServer { server in
            let victims = try await ClientSessions.open(2, on: server)
            let ids = await victims.threadIDs
            let root = try await server.administrator()
            let answers = try await withConnection(to: server.configuration()) { connection in
                let observation = try await connection.observe(.sessions)
                let sessions = try await identities(of: ids, over: connection)
                for id in observation.ownThreadIDs { try await root.query("KILL CONNECTION \(id)") }
                return await connection.kill(sessions)
            }
            XCTAssertTrue(answers.allSatisfy { $0 == .lost || $0 == .notSent }, "\(answers)")
            let answering = await victims.answering()
            XCTAssertEqual(answering, Set(ids))
        }
    }
}
