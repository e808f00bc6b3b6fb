import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// What happens after Prepare and before Commit.
final class BetweenTheStagesTests: XCTestCase {
    func testAnIDThatWentOverToAnotherUserIsLeftAlone() async throws {
        try await withKilld { scene in
            let sessions = try await ClientSessions.open(2, on: scene.server)
            let planned = await sessions.threadIDs
            let ticket = try scene.client.prepare(planned).ticket()
            try await sessions.changeUser(to: "app2", on: 0)

            XCTAssertEqual(try scene.client.commit(ticket).Threads, [planned[1]])
            let answering = await sessions.answering()
            XCTAssertEqual(answering, [planned[0]])
        }
    }

    func testASessionThatEndedByItselfIsMissingFromTheAnswer() async throws {
        try await withKilld { scene in
            let victim = try await ClientSessions.open(1, on: scene.server)
            let planned = await victim.threadIDs
            var ended: ClientSessions? = try await ClientSessions.open(1, on: scene.server)
            let endedIDs = await ended?.threadIDs ?? []
            let ticket = try scene.client.prepare(endedIDs + planned).ticket()
            ended = nil
            try await scene.assertGone(endedIDs)
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victim.assertNoneAnswers()
        }
    }

    func testARestartOfTheServerMakesThePlanStale() async throws {
        try await onEveryServer(from: { try RealServer.start($0) }) { server in
            let killd = try await KilldProcess.start(KilldConfiguration(port: server.database.port))
            let client = try SigningClient(killd)
            let before = try await ClientSessions.open(20, on: server)
            let planned = await before.threadIDs
            let ticket = try client.prepare(planned).ticket()
            try await server.restart()

            // Ids begin again after a restart, so that other sessions now have those of the plan.
            let after = try await ClientSessions.open(15, on: server)
            let ids = await after.threadIDs
            XCTAssertFalse(Set(ids).isDisjoint(with: planned))
            let refused = try client.commit(ticket)
            assertRefused(refused, "OperationDenied", "was restarted since Prepare")
            assertRefused(try client.commit(ticket), "OperationDenied", "was restarted since Prepare")
            await after.assertAllAnswer()

            try await server.becomeUnmistakable()
            XCTAssertEqual(try client.commit(client.prepare([ids[0]]).ticket()).Threads, [ids[0]])
            try await killd.stop()
        }
    }

    func testAPlanThatHasExpiredIsRefused() async throws {
        try await withKilld {
            $0.planLifetimeSeconds = 4
        } _: { scene in
            let victim = try await ClientSessions.open(1, on: scene.server)
            let planned = await victim.threadIDs
            XCTAssertEqual(try scene.client.commit(scene.client.prepare(planned).ticket()).Threads, planned)

            let survivor = try await ClientSessions.open(1, on: scene.server)
            let ticket = try await scene.client.prepare(survivor.threadIDs).ticket()
            let expiry = Date() + 4
            try await eventually("the plan's expiry") { Date() > expiry }
            assertRefused(try scene.client.commit(ticket), "OperationDenied", "expired")
            await survivor.assertAllAnswer()
        }
    }

    func testAPlanIsFoundByItsAccountAndItsInstanceOnly() async throws {
        let configure = { (configuration: inout KilldConfiguration) in
            configuration.accounts.append(.init(name: "other"))
            configuration.instances.append(configuration.instances[0])
            configuration.instances[1].id = "cdb-other"
        }
        try await withKilld(configure: configure) { scene in
            let victim = try await ClientSessions.open(1, on: scene.server)
            let planned = await victim.threadIDs
            let ticket = try scene.client.prepare(planned).ticket()

            let otherAccount = try SigningClient(scene.killd, as: scene.killd.configuration.accounts[1])
            assertRefused(try otherAccount.commit(ticket), "ResourceNotFound")
            let otherInstance = try SigningClient(scene.killd, instance: "cdb-other")
            assertRefused(try otherInstance.commit(ticket), "ResourceNotFound")
            assertRefused(try scene.client.commit("AEnnKexGijsX"), "ResourceNotFound")
            await victim.assertAllAnswer()

            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victim.assertNoneAnswers()
        }
    }
}
