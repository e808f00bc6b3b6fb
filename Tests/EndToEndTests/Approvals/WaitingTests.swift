import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Who waits for plans to change is answered as soon as they have.
final class WaitingTests: XCTestCase {
    private struct Wait: Encodable {
        var PlanName: String?
        let KnownRevision: Int64?
        let WaitSeconds: Int?
    }

    private func withVictim(_ body: (Scene, SigningClient, ThreadID) async throws -> Void) async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        try await withKilld(KilldConfiguration(port: server.database.port), on: server) { scene in
            let victims = try await ClientSessions.open(1, on: server)
            let threads = await victims.threadIDs
            try await body(scene, try scene.client, threads[0])
        }
    }

    func testAChangeReachesWhoWaitsAtOnce() async throws {
        try await withVictim { scene, client, thread in
            var revision = try XCTUnwrap(client.call("DescribeKillPlans", [String: String]()).Revision)
            var (delays, calls): ([Duration], [Duration]) = ([], [])
            for _ in 0..<20 {
                let call = ContinuousClock.now
                _ = try client.call("DescribeKillPlans", [String: String]())
                calls.append(call.duration(to: .now))
                let wait = try client.send(
                    "DescribeKillPlans", members: #""KnownRevision":\#(revision),"WaitSeconds":20"#)
                try await Task.sleep(for: .milliseconds(20))
                _ = try client.prepare([thread]).ticket()
                let stored = ContinuousClock.now
                let answer = try wait.wait()
                delays.append(stored.duration(to: .now))
                XCTAssertEqual(answer.Plans?.first?.State, "prepared")
                let next = try XCTUnwrap(answer.Revision)
                XCTAssertGreaterThan(next, revision)
                revision = next
            }
            let (median, ofCalls) = (delays.sorted()[delays.count / 2], calls.sorted()[calls.count / 2])
            print(
                "from the answer to a Prepare to that of who waited: median \(median), at most \(delays.max() ?? .zero)"
            )
            // On a busy machine any call takes longer.
            XCTAssertLessThan(median, max(.milliseconds(50), ofCalls * 10))
        }
    }

    func testWhoWaitsForNothingIsAnsweredWhenItsTimeIsOver() async throws {
        try await withVictim { scene, client, thread in
            let ticket = try client.prepare([thread]).ticket()
            let plan = try client.describe(ticket: ticket)
            let revision = try client.call("DescribeKillPlan", ["PlanName": plan.PlanName]).Revision
            let begin = ContinuousClock.now
            let answer = try client.call(
                "DescribeKillPlan", Wait(PlanName: plan.PlanName, KnownRevision: revision, WaitSeconds: 1))
            let waited = begin.duration(to: .now)
            XCTAssertEqual(answer.Revision, revision)
            XCTAssertGreaterThanOrEqual(waited, .seconds(1))
            // Without a time of its own it waits for twenty seconds.
            XCTAssertLessThan(waited, .seconds(10))
            XCTAssertEqual(try client.commit(ticket).Threads, [thread])
        }
    }

    func testHundredsWhoWaitKeepNobodyFromBeingAnswered() async throws {
        try await withVictim { scene, client, thread in
            let revision = try XCTUnwrap(client.call("DescribeKillPlans", [String: String]()).Revision)
            let waits = try (0..<200).map { _ in
                try client.send("DescribeKillPlans", members: #""KnownRevision":\#(revision),"WaitSeconds":20"#)
            }
            let ticket = try client.prepare([thread]).ticket()
            XCTAssertEqual(try client.commit(ticket).Threads, [thread])
            for wait in waits {
                let answer = try wait.wait()
                XCTAssertNil(answer.Error, "\(answer)")
            }
        }
    }

    func testTheEndOfKilldIsNotHeldUpByWhoWaits() async throws {
        try await withVictim { scene, client, _ in
            let revision = try XCTUnwrap(client.call("DescribeKillPlans", [String: String]()).Revision)
            let wait = try client.send(
                "DescribeKillPlans", members: #""KnownRevision":\#(revision),"WaitSeconds":20"#)
            try await Task.sleep(for: .milliseconds(200))
            let begin = ContinuousClock.now
            try await scene.killd.stop()
            XCTAssertLessThan(begin.duration(to: .now), .seconds(10) * slowdown)
            XCTAssertNil(try wait.wait().Error)
        }
    }

    func testAWaitThatIsTooLongOrForNothingKnownIsRefused() async throws {
        try await withVictim { scene, client, _ in
            for action in ["DescribeKillPlans", "DescribeKillPlan"] {
                let name = action == "DescribeKillPlan" ? "plan-abcdefghijkl" : nil
                assertRefused(
                    try client.call(action, Wait(PlanName: name, KnownRevision: 1, WaitSeconds: 21)),
                    "InvalidParameterValue", "WaitSeconds")
                assertRefused(
                    try client.call(action, Wait(PlanName: name, KnownRevision: nil, WaitSeconds: 20)),
                    "MissingParameter", "KnownRevision")
            }
            assertRefused(
                try client.call("DescribeKillPlans", ["States": ["prepared", "nonsense"]]), "InvalidParameterValue",
                "States")
            assertRefused(
                try client.call("DescribeKillPlans", ["States": [String]()]), "InvalidParameterValue", "States")
        }
    }
}
