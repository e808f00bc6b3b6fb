import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// The connection on which killd kills is lost, and killd is not: it answers with those that it saw die.
final class LostConnectionTests: XCTestCase {
    func testAKillWhoseAnswerWasLostIsNotRepeatedAndNotClaimed() async throws {
        try await withKilldBehindGate(holding: .answer) { scene, gate in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let killsBefore = try await scene.killsRun()
            let pending = try scene.client.sendCommit(ticket)
            try await scene.assertGone(planned)
            gate.open(.drop)
            XCTAssertEqual(try pending.wait().Threads, [])
            XCTAssertEqual(try scene.client.commit(ticket).Threads, [])
            try await scene.assertKillsRun(planned.count, since: killsBefore)
            await victims.assertNoneAnswers()
        }
    }

    func testAKillThatNeverArrivedIsNotRepeatedAndNotClaimed() async throws {
        try await withKilldBehindGate(holding: .kill) { scene, gate in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let killsBefore = try await scene.killsRun()
            let pending = try scene.client.sendCommit(ticket)
            try await eventually("the KILL") { gate.wasReached }
            gate.open(.drop)
            // Nobody can tell this from the loss of the response.
            XCTAssertEqual(try pending.wait().Threads, [])
            XCTAssertEqual(try scene.client.commit(ticket).Threads, [])
            try await scene.assertKillsRun(0, since: killsBefore)
            await victims.assertAllAnswer()

            XCTAssertEqual(try scene.client.commit(scene.client.prepare(planned).ticket()).Threads, planned)
            await victims.assertNoneAnswers()
        }
    }
}
