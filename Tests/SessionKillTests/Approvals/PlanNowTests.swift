import StoreContract
import XCTest

@testable import SessionKill

/// What whoever decides about a plan is shown beside the picture of Prepare.
final class PlanNowTests: ApprovalTestCase {
    func testEachSessionIsShownAsItIsNowOrAsGoneOrReplaced() async throws {
        let plan = try await preparePlan([3, 4, 5])
        await server.set { server in
            server.sessions[2].details.seconds = 90
            server.sessions[2].details.transaction = Transaction(
                id: "7", age: 1, rowsModified: 12, state: "RUNNING")
            server.sessions[3].identity.host = "10.0.0.9:1"
            server.sessions.remove(at: 4)
        }
        let now = try await asking.now(of: plan.plan, on: guarded)
        guard case .present(let details)? = now.threads[3] else { return XCTFail("\(now)") }
        XCTAssertEqual(details.seconds, 90)
        XCTAssertEqual(now.threads[4], .replaced)
        XCTAssertEqual(now.threads[5], .gone)
        XCTAssertEqual(now.risk?.grade, .medium)
        XCTAssertNil(now.stale)
    }

    func testOfAServerThatWasRestartedNothingIsSaid() async throws {
        let plan = try await preparePlan()
        await server.set { $0.fingerprint.startedAt = 1_700_000_100 }
        let now = try await asking.now(of: plan.plan, on: guarded)
        XCTAssertEqual(now, PlanNow(time: now.time, stale: .serverRestarted, threads: [:], risk: nil))
    }
}
