import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// A server whose clock is set back between the stages: MySQL then draws anew what it is told from its successor by.
final class ServerClockTests: XCTestCase {
    func testAPlanHoldsWhenItsServersClockIsSetBack() async throws {
        try await withOwnClock { scene, clock in
            let bystanders = try await ClientSessions.open(3, on: scene.server)
            let (victims, planned, ticket) = try await scene.prepareTwo()
            try clock.set(-1)
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victims.assertNoneAnswers()
            await bystanders.assertAllAnswer()
        }
    }

    func testWithoutItsConnectionAPlanIsStaleAndNobodyCountsAsEnded() async throws {
        // MariaDB draws once.
        try await withOwnClock(of: [.mysql]) { scene, clock in
            let (victims, _, ticket) = try await scene.prepareTwo()
            try clock.set(-1)
            scene.killd.kill()
            try await scene.killd.start()
            assertRefused(try scene.client.commit(ticket), "OperationDenied", "was restarted since Prepare")
            await victims.assertAllAnswer()
        }
    }

    func testARestartIsNoticedWhereverTheClockIs() async throws {
        try await withOwnClock { scene, clock in
            let (_, planned, ticket) = try await scene.prepareTwo()
            try clock.set(-1)
            try await scene.server.restart()
            let strangers = try await ClientSessions.open(30, on: scene.server)
            let ids = await strangers.threadIDs
            XCTAssertFalse(Set(ids).isDisjoint(with: planned))
            assertRefused(try scene.client.commit(ticket), "OperationDenied", "was restarted since Prepare")
            await strangers.assertAllAnswer()
        }
    }

    private func withOwnClock(
        of kinds: [RealServer.Kind] = RealServer.Kind.allCases, _ body: (Scene, ServerClock) async throws -> Void
    ) async throws {
        for kind in kinds {
            let clock = try ServerClock(of: kind)
            let server = try RealServer.start(kind, clock: clock)
            try await server.createAccounts()
            let killd = try await KilldProcess.start(KilldConfiguration(port: server.database.port))
            let scene = Scene(server: server, killd: killd, administrator: try await server.administrator())
            try await body(scene, clock)
            try await killd.stop()
            server.database.stop()
        }
    }
}
