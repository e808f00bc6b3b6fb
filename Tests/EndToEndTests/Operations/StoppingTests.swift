import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// How killd ends, and what it finds when it starts again.
final class StoppingTests: XCTestCase {
    func testEndsWellWhenStoppedWhileItIsStillConnecting() async throws {
        try await withKilld { scene in
            for _ in 0..<10 {
                try await scene.killd.stop()
                try await scene.killd.start()
            }
        }
    }

    func testACommitInFlightGetsItsAnswerBeforeKilldEnds() async throws {
        try await withKilldBehindGate(holding: .kill) { scene, gate in
            let victims = try await ClientSessions.open(2, on: scene.server)
            let planned = await victims.threadIDs
            let pending = try scene.client.sendCommit(scene.client.prepare(planned).ticket())
            try await eventually("the KILL") { gate.wasReached }

            try scene.killd.send(SIGTERM)
            try await eventually("the reaction to SIGTERM") { try scene.killd.log.contains("stopping") }
            gate.open(.forward)
            XCTAssertEqual(try pending.wait().Threads, planned)
            try await scene.killd.assertEndsWell()
            await victims.assertNoneAnswers()
        }
    }

    func testAPlanCanBeCommittedAfterKilldWasKilled() async throws {
        try await withKilld { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            scene.killd.kill()
            try await scene.killd.start()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victims.assertNoneAnswers()
        }
    }

    func testAFinishedCommitIsAnsweredTheSameAfterKilldWasKilled() async throws {
        try await withKilld { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victims.assertNoneAnswers()
            let killsBefore = try await scene.killsRun()

            scene.killd.kill()
            try await scene.killd.start()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            try await scene.assertKillsRun(0, since: killsBefore)
        }
    }

    func testACommitInterruptedBeforeItsKillIsFinishedByTheNext() async throws {
        try await withKilldBehindGate(holding: .kill) { scene, gate in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let killsBefore = try await scene.killsRun()
            let pending = try scene.client.sendCommit(ticket)
            try await eventually("the KILL") { gate.wasReached }
            scene.killd.kill()
            gate.open(.drop)
            XCTAssertThrowsError(try pending.wait())
            await victims.assertAllAnswer()

            try await scene.killd.start()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            try await scene.assertKillsRun(planned.count, since: killsBefore)
            await victims.assertNoneAnswers()
        }
    }

    func testACommitInterruptedAfterItsKillKillsNobodyAgain() async throws {
        try await withKilldBehindGate(holding: .answer) { scene, gate in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let killsBefore = try await scene.killsRun()
            let pending = try scene.client.sendCommit(ticket)
            try await eventually("the answer to the KILL") { gate.wasReached }
            try await scene.assertGone(planned)
            scene.killd.kill()
            gate.open(.drop)
            XCTAssertThrowsError(try pending.wait())

            try await scene.killd.start()
            // Whether they died of the KILL is not known any more, but that they are gone is.
            for _ in 0..<2 { XCTAssertEqual(try scene.client.commit(ticket).Threads, planned) }
            try await scene.assertKillsRun(planned.count, since: killsBefore)
            await victims.assertNoneAnswers()
        }
    }

    func testNothingIsKilledWhileTheStoreCannotBeWritten() async throws {
        try await withKilld { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let killsBefore = try await scene.killsRun()

            try await scene.killd.refuseWrites()
            assertRefused(try scene.client.commit(ticket), "FailedOperation", "could not be recorded")
            assertRefused(try scene.client.prepare(planned), "FailedOperation", "could not be recorded")
            try await scene.assertKillsRun(0, since: killsBefore)
            await victims.assertAllAnswer()

            try await scene.killd.allowWrites()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victims.assertNoneAnswers()
        }
    }

    func testAnOutcomeThatCouldNotBeWrittenIsNoAnswer() async throws {
        try await withKilldBehindGate(holding: .kill) { scene, gate in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let killsBefore = try await scene.killsRun()
            let pending = try scene.client.sendCommit(ticket)
            try await eventually("the KILL") { gate.wasReached }
            try await scene.killd.refuseWrites()
            gate.open(.forward)
            assertRefused(try pending.wait(), "FailedOperation", "Please commit again")

            try await scene.killd.allowWrites()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            try await scene.assertKillsRun(planned.count, since: killsBefore)
            await victims.assertNoneAnswers()
        }
    }

    func testASecondKilldOnTheSameStoreIsRefused() async throws {
        try await withKilld { scene in
            let second = try await KilldProcess.run(["serve", "--config", scene.killd.configurationFile])
            XCTAssertEqual(second.status, 1)
            XCTAssertEqual(second.output, "")
            XCTAssertTrue(second.error.contains("another process holds the store"), second.error)
            XCTAssertNil(try scene.client.prepare([UInt64(1)]).Error)
        }
    }
}
