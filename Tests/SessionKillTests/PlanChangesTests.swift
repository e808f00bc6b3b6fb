import StoreContract
import Synchronization
import TestSupport
import XCTest

@testable import SessionKill

/// Who waits for plans to change is told at once, and nobody waits for ever.
final class PlanChangesTests: ApprovalTestCase {
    /// Whose sleepers wake only when they are cancelled.
    private lazy var patient: KillEngine = {
        let engine = KillEngine(
            store: store, settings: .init(planLifetime: 600, killWait: .seconds(3)),
            clock: .init(now: clock.now, sleep: { _ in try await Task.sleep(for: .seconds(3_600)) }))
        engine.replace(authority())
        return engine
    }()

    private func wait(after revision: Int64, by account: AccountName = "ci") -> Task<Void, any Error> {
        Task { [patient] in
            try await patient.waitForChange(after: revision, atMost: .seconds(20), for: account)
        }
    }

    private func waiting(_ count: Int, file: StaticString = #filePath, line: UInt = #line) async throws {
        try await eventually("\(count) who wait", file: file, line: line) { self.patient.changes.count == count }
    }

    private func prepareByPatient(_ thread: ThreadID = 3) async throws -> StoredPlan {
        let plan = try await patient.prepare(.threads([thread]), on: guarded, for: try caller("ci"))
        return try await stored(plan.name)
    }

    func testAChangeOfAnyPlanWakesWhoWaitsForPlans() async throws {
        let begin = try await patient.revision()
        let waiter = wait(after: begin)
        try await waiting(1)
        let plan = try await prepareByPatient()
        try await waiter.value
        let prepared = try await patient.revision()
        XCTAssertGreaterThan(prepared, begin)

        let other = wait(after: prepared)
        try await waiting(1)
        _ = try await patient.decide(
            .approved, on: plan.plan.name, digest: plan.digest, comment: nil, by: try caller("alice"),
            request: Self.signed(plan.outline, by: try member("alice")), instance: guarded)
        try await other.value
        try await waiting(0)
    }

    func testWhoWaitsForOnePlanIsNotWokenByAnother() async throws {
        let plan = try await prepareByPatient()
        let revision = try await patient.revision()
        let isOver = Atomic(false)
        let waiter = Task { [patient, guarded] in
            try await patient.waitForChange(
                of: plan, on: guarded, after: revision, atMost: .seconds(20), for: Caller("ci"))
            isOver.store(true, ordering: .releasing)
        }
        try await waiting(1)
        _ = try await prepareByPatient(4)
        for _ in 0..<100 { await Task.yield() }
        XCTAssertFalse(isOver.load(ordering: .acquiring))
        _ = try await patient.decide(
            .cancelled, on: plan.plan.name, digest: nil, comment: nil, by: try caller("ci"), request: nil,
            instance: guarded)
        try await waiter.value
    }

    func testAChangeThatCameBeforeTheWaitIsToldAtOnce() async throws {
        let begin = try await patient.revision()
        _ = try await prepareByPatient()
        try await wait(after: begin).value
        // Of another store, or of one that was put back: also not what is there.
        try await wait(after: begin + 1_000).value
    }

    func testTheEndOfAPlansTimeIsAChangeOfIt() async throws {
        // By the clock of tests, in which whoever sleeps has slept.
        let plan = try await preparePlan()
        let revision = try await asking.revision()
        let before = clock.now()
        try await asking.waitForChange(
            of: plan, on: guarded, after: revision, atMost: .seconds(3_600), for: try caller("ci"))
        XCTAssertEqual(before.duration(to: clock.now()), .seconds(policy.approvableFor))
        let expired = asking.review(of: plan.outline, for: try caller("ci"), on: guarded)
        guard case .expired = expired.standing else { return XCTFail("\(expired.standing)") }
        // What has expired changes by nobody's doing any more.
        let later = clock.now()
        try await asking.waitForChange(
            of: plan, on: guarded, after: revision, atMost: .seconds(7), for: try caller("ci"))
        XCTAssertEqual(later.duration(to: clock.now()), .seconds(7))
    }

    func testAReloadWakesEverybodySinceItChangesWhatTheyMayDo() async throws {
        let waiter = wait(after: try await patient.revision())
        try await waiting(1)
        patient.replace(authority())
        try await waiter.value
    }

    func testSoManyWaitAndTheNextIsAnsweredAtOnce() async throws {
        let revision = try await patient.revision()
        var waiters = (0..<PlanChanges.capacityOfAccount).map { _ in wait(after: revision) }
        try await waiting(PlanChanges.capacityOfAccount)
        try await wait(after: revision).value
        // One account does not keep the others from waiting.
        var account = 0
        while waiters.count < PlanChanges.capacity {
            account += 1
            for _ in 0..<PlanChanges.capacityOfAccount {
                waiters.append(wait(after: revision, by: AccountName(rawValue: "account-\(account)")))
            }
        }
        try await waiting(PlanChanges.capacity)
        try await wait(after: revision, by: "another").value
        _ = try await prepareByPatient()
        for waiter in waiters { try await waiter.value }
        try await waiting(0)
    }

    func testAtTheEndNobodyWaitsAnyMore() async throws {
        let revision = try await patient.revision()
        let waiters = (0..<3).map { _ in wait(after: revision) }
        try await waiting(3)
        patient.endWaiting()
        for waiter in waiters { try await waiter.value }
        try await wait(after: revision).value
    }
}
