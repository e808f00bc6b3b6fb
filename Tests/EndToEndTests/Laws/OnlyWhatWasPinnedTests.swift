import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Law 2: another server behind the same address, where the same ids are somebody else's.
final class OnlyWhatWasPinnedTests: XCTestCase {
    func testNothingIsKilledOnAnotherServerWithTheSameIDs() async throws {
        try await withKilldBeforeTwoServers { scene, proxy, other in
            // The ids of the first server get ahead, so that those of the other can catch up.
            let crowd = try await ClientSessions.open(60, on: scene.server)
            let (sessions, planned, ticket) = try await scene.prepareTwo()
            let killsBefore = try await (scene.killsRun(), other.killsRun())

            proxy.redirect(to: other.server.database.port)
            let strangers = try await other.sessions(having: planned)
            assertRefused(try scene.client.commit(ticket), "OperationDenied", "another database server answers")
            await strangers.assertAllAnswer()

            // Both are there again, server and sessions; the plan is not.
            proxy.redirect(to: scene.server.database.port)
            assertRefused(try scene.client.commit(ticket), "OperationDenied", "another database server answers")
            try await scene.assertKillsRun(0, since: killsBefore.0)
            try await other.assertKillsRun(0, since: killsBefore.1)
            for each in [crowd, sessions, strangers] { await each.assertAllAnswer() }

            let again = try scene.client.prepare(planned).ticket()
            XCTAssertEqual(try scene.client.commit(again).Threads, planned)
            await sessions.assertNoneAnswers()
            await strangers.assertAllAnswer()
        }
    }

    func testAServerIdThatIsSetAnewIsNoOtherServer() async throws {
        try await withKilld { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let before =
                try await scene.administrator.query("SELECT @@global.server_id").first?.rows.first?.first ?? nil
            try await scene.administrator.query("SET GLOBAL server_id=4711")
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            try await scene.administrator.query("SET GLOBAL server_id=\(try XCTUnwrap(before))")
            await victims.assertNoneAnswers()
        }
    }

    func testAPlanIsForTheServerThatAnsweredItsPrepare() async throws {
        try await withKilldBeforeTwoServers { scene, proxy, other in
            let crowd = try await ClientSessions.open(60, on: scene.server)
            let killsBefore = try await scene.killsRun()
            proxy.redirect(to: other.server.database.port)
            let victims = try await ClientSessions.open(2, on: other.server)
            let planned = await victims.threadIDs
            let ticket = try scene.client.prepare(planned).ticket()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victims.assertNoneAnswers()

            // What was answered once is answered again, whichever server is there.
            proxy.redirect(to: scene.server.database.port)
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            try await scene.assertKillsRun(0, since: killsBefore)
            await crowd.assertAllAnswer()
        }
    }

    func testAPlanThatWasHalfDoneDoesNotClaimThatNobodyWasKilled() async throws {
        try await withKilldBehindGate(holding: .answer) { scene, gate in
            let other = try Self.pair(scene.server.kind).second
            try await other.createAccounts()
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let pending = try scene.client.sendCommit(ticket)
            try await eventually("the answer to the KILL") { gate.wasReached }
            try await scene.assertGone(planned)
            scene.killd.kill()
            gate.open(.drop)
            XCTAssertThrowsError(try pending.wait())
            await victims.assertNoneAnswers()

            gate.proxy.redirect(to: other.database.port)
            try await scene.killd.start()
            let refused = try scene.client.commit(ticket)
            assertRefused(refused, "OperationDenied", "another database server answers")
            XCTAssertEqual(refused.Error?.Message.contains("Nothing was killed"), false, "\(refused)")
        }
    }

    private typealias Pair = (first: RealServer, second: RealServer)

    // Of their own, for few ids have been given there; started once for all tests.
    private static let mariaDBs = Result { try start(.mariadb) }
    private static let mySQLs = Result { try start(.mysql) }

    private static func pair(_ kind: RealServer.Kind) throws -> Pair {
        switch kind {
        case .mariadb: try mariaDBs.get()
        case .mysql: try mySQLs.get()
        }
    }

    private static func start(_ kind: RealServer.Kind) throws -> Pair {
        (try RealServer.start(kind), try RealServer.start(kind))
    }

    /// Runs `body` with a killd that reaches the first of two servers of the same kind through a proxy.
    ///
    /// - Parameter other: the second server, with the same killd.
    private func withKilldBeforeTwoServers(
        _ body: (_ scene: Scene, _ proxy: TCPProxy, _ other: Scene) async throws -> Void
    ) async throws {
        try await onEveryServer(from: { try Self.pair($0).first }) { server in
            let other = try Self.pair(server.kind).second
            try await other.createAccounts()
            let bystanders = try await Bystanders.open(on: other)
            let proxy = try TCPProxy(to: server.database.port)
            try await withKilld(KilldConfiguration(port: proxy.port), on: server) { scene in
                try await body(
                    scene, proxy, Scene(server: other, killd: scene.killd, administrator: other.administrator()))
            }
            await bystanders.assertAllAnswer()
        }
    }
}

extension Scene {
    /// Opens sessions until they have all of these ids.
    fileprivate func sessions(having ids: [ThreadID]) async throws -> ClientSessions {
        let last = try XCTUnwrap(ids.max())
        let first = try await ClientSessions.open(1, on: server).threadIDs[0]
        XCTAssertLessThan(first, last, "the ids have passed those of the plan already")
        let sessions = try await ClientSessions.open(Int(last.rawValue - first.rawValue), on: server)
        let opened = await sessions.threadIDs
        XCTAssertTrue(Set(opened).isSuperset(of: ids), "\(opened) are not \(ids)")
        return sessions
    }
}
