import StoreContract
import XCTest

@testable import SessionKill

/// Committing without the approvals that a plan needs.
final class BreakGlassTests: ApprovalTestCase {
    private let reason = "checkout is down, nobody answers"

    func testWhoHasTheRightCommitsWithoutApprovalsAndIsMarkedForIt() async throws {
        let plan = try await preparePlan(firstTen, by: "oncall")
        let report = try await commit(plan, by: "oncall", breaking: reason)
        XCTAssertEqual(report.killed.count, 10)
        let after = try await stored(plan.plan.name)
        XCTAssertEqual(after.decisions.map(\.kind), [.brokeGlass])
        XCTAssertEqual(after.decisions.first?.comment, reason)
        let events = await store.events.map(\.event.kind)
        XCTAssertEqual(events, [.prepared, .brokeGlass, .claimed, .committed])
    }

    func testWithoutTheRightOrAReasonNobodyBreaksGlass() async throws {
        let plan = try await preparePlan()
        await assertRefused(.notPermitted) { try await commit(plan, breaking: reason) }
        let own = try await preparePlan(by: "oncall")
        await assertRefused(.reasonTooShort(least: 10)) { try await commit(own, by: "oncall", breaking: "now!") }
        await assertRefused(.reasonTooShort(least: 10)) {
            try await commit(own, by: "oncall", breaking: String(repeating: " ", count: 20))
        }
        await assertNobodyIsKilled()
    }

    func testItOverridesNeitherARejectionNorTheEndNorProtection() async throws {
        let rejected = try await preparePlan(by: "oncall")
        try await decide(.rejected, rejected, by: "alice", comment: "no")
        do {
            try await commit(rejected, by: "oncall", breaking: reason)
            XCTFail("committed")
        } catch KillError.decided(.rejected, _, _) {}
        let late = try await preparePlan(by: "oncall")
        clock.advance(bySeconds: 600)
        do {
            try await commit(late, by: "oncall", breaking: reason)
            XCTFail("committed")
        } catch KillError.expired {}
        await assertNobodyIsKilled()
        await server.set { $0.sessions.append(.idle(50, user: "monitor")) }
        let protected = try await preparePlan([50], by: "oncall")
        let report = try await commit(protected, by: "oncall", breaking: reason)
        XCTAssertEqual(report.outcomes, [50: .protected(.protectedUser)])
    }

    func testNoGlassIsBrokenWhereTheApprovalsSuffice() async throws {
        let plan = try await preparePlan(by: "oncall")
        try await approve(plan, by: "alice")
        try await commit(plan, by: "oncall", breaking: reason)
        let decisions = try await stored(plan.plan.name).decisions
        XCTAssertEqual(decisions.map(\.kind), [.approved])
    }

    func testItIsLookedAtAfterwardsByAnother() async throws {
        let plan = try await preparePlan(by: "oncall")
        try await commit(plan, by: "oncall", breaking: reason)
        reload { $0[6].may.insert(.approve) }
        await assertRefused(.ownPlan) { try await decide(.approved, plan, by: "oncall") }
        let report = try await decide(.approved, plan, by: "alice", comment: "seen")
        XCTAssertEqual(report.stored.decisions.map(\.kind), [.brokeGlass, .reviewed])
        let open = try await asking.plans(
            PlanQuery(instances: [guarded.id], unreviewed: true, limit: 10))
        XCTAssertEqual(open, [])
    }
}
