import StoreContract
import XCTest

@testable import SessionKill

/// Where somebody has to agree, nothing ends sessions by a rule that nobody saw.
final class SecondDoorTests: ApprovalTestCase {
    func testNoKillTaskIsCreatedWhereSomebodyHasToAgree() async throws {
        let runner = KillTaskRunner(
            engine: asking, store: store, clock: .init(now: clock.now, sleep: clock.sleep), report: { _ in })
        do {
            _ = try await runner.create(try KillRule(user: "app"), lasting: .seconds(60), on: guarded, for: "ci")
            XCTFail("created")
        } catch KillTaskError.approvalsNeeded {}
        let tasks = await store.killTasks
        XCTAssertEqual(tasks, [])
    }

    func testNoSessionTaskIsCreatedThere() async throws {
        let runner = SessionTaskRunner(
            engine: asking, store: store, clock: .init(now: clock.now, sleep: clock.sleep), report: { _ in })
        for selection in [Selection.all(), .threads([3])] {
            do {
                _ = try await runner.create(selection, on: [guarded], by: .killd, for: "ci")
                XCTFail("created")
            } catch SessionTaskError.approvalsNeeded {}
        }
        await assertNobodyIsKilled()
    }

    func testASessionTasksPlanIsNobodysToCommitByName() async throws {
        let plain = Instance(id: guarded.id, server: server, protectedUsers: [])
        let task = try await asking.prepare(.threads([3]), on: plain, by: .killd, for: "ci")
        let digest = try task.plan.digest()
        do {
            _ = try await asking.commit(.named(task.plan.name, digest: digest), on: plain, for: try caller("ci"))
            XCTFail("committed")
        } catch KillError.planNotFound {}
        await assertNobodyIsKilled()
    }
}
