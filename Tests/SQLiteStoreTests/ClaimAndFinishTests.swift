import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class ClaimAndFinishTests: StoreTestCase {
    private let plan = KillPlan.example(threads: 3)
    private let first = ThreadID.number(101)
    private let stranger = ThreadID.number(7)

    private func storeWithPlan() async throws -> SQLiteStore {
        let store = try await openStore()
        try await store.insert(plan)
        return store
    }

    private func state(in store: SQLiteStore) async throws -> PlanState? {
        try await store.plan(with: plan.sqlExecID)?.state
    }

    func testRefusesAnotherPlanOfTheSameNameOrTicket() async throws {
        let store = try await storeWithPlan()
        let other = KillPlan.example(2)
        for twin in [
            KillPlan(name: plan.name, sqlExecID: other.sqlExecID, content: other.content),
            KillPlan(name: other.name, sqlExecID: plan.sqlExecID, content: other.content),
        ] {
            let error = try await storeError { try await store.insert(twin) }
            XCTAssertEqual(error.reason, .other)
        }
        let stored = try await store.plan(with: plan.sqlExecID)
        XCTAssertEqual(stored?.plan, plan)
        let count = try await store.value("SELECT count(*) FROM plans")
        XCTAssertEqual(count, "1")
    }

    func testRefusesAPlanThatNamesAThreadTwiceAndKeepsNothingOfIt() async throws {
        let store = try await openStore()
        var content = plan.content
        content.threads.append(PinnedThread(absent: first))
        let twice = KillPlan(name: plan.name, sqlExecID: plan.sqlExecID, content: content)
        let error = try await storeError { try await store.insert(twice) }
        XCTAssertEqual(error.reason, .other)
        let rows = try await store.value("SELECT (SELECT count(*) FROM plans) + (SELECT count(*) FROM threads)")
        XCTAssertEqual(rows, "0")
    }

    func testClaimOfAThreadThatThePlanDoesNotHaveChangesNothing() async throws {
        let store = try await storeWithPlan()
        let error = try await storeError {
            _ = try await store.claim(plan.name, intending: [first, stranger], at: commit)
        }
        XCTAssertEqual(error.reason, .other)
        XCTAssertTrue(error.description.contains("the plan lacks some of [101, 7]"), error.description)
        let state = try await state(in: store)
        XCTAssertEqual(state, .prepared)
        let intents = try await store.value("SELECT count(intended_at) FROM threads")
        XCTAssertEqual(intents, "0")
    }

    func testFinishOfAnUnknownPlanThrows() async throws {
        let store = try await openStore()
        let error = try await storeError {
            _ = try await store.finish(plan.name, as: .committed, outcomes: [:], at: end)
        }
        XCTAssertEqual(error, StoreError(.other, "cannot record the end of plan-1: there is no such plan"))
    }

    func testKilledWithoutAnIntentOnRecordIsRefused() async throws {
        let store = try await storeWithPlan()
        _ = try await store.claim(plan.name, intending: [.number(102)], at: commit)
        let error = try await storeError {
            _ = try await store.finish(plan.name, as: .committed, outcomes: [first: .killed], at: end)
        }
        XCTAssertTrue(error.description.contains("killed_only_after_intent"), error.description)
        let state = try await state(in: store)
        XCTAssertEqual(state, .committing(since: commit, intended: [.number(102)]))
    }
}
