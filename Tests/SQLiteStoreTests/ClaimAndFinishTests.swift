import SessionKill
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

    func testClaimRecordsTheIntent() async throws {
        let store = try await storeWithPlan()
        let claimed = try await store.claim(plan.name, intending: [first], at: commit)
        XCTAssertTrue(claimed)
        let state = try await state(in: store)
        XCTAssertEqual(state, .committing(since: commit, intended: [first]))
    }

    func testClaimWithNothingToKillIsStillAClaim() async throws {
        let store = try await storeWithPlan()
        let claimed = try await store.claim(plan.name, intending: [], at: commit)
        XCTAssertTrue(claimed)
        let state = try await state(in: store)
        XCTAssertEqual(state, .committing(since: commit, intended: []))
    }

    func testASecondClaimAnswersFalseAndChangesNothing() async throws {
        let store = try await storeWithPlan()
        _ = try await store.claim(plan.name, intending: [first], at: commit)
        let again = try await store.claim(plan.name, intending: [.number(102)], at: end)
        XCTAssertFalse(again)
        let state = try await state(in: store)
        XCTAssertEqual(state, .committing(since: commit, intended: [first]))
    }

    func testClaimOfAnEndedOrUnknownPlanAnswersFalse() async throws {
        let store = try await storeWithPlan()
        _ = try await store.finish(plan.name, as: .stale(.serverRestarted), outcomes: [:], at: end)
        let ended = try await store.claim(plan.name, intending: [first], at: end)
        let unknown = try await store.claim(PlanName(rawValue: "plan-none"), intending: [], at: end)
        XCTAssertFalse(ended || unknown)
        let state = try await state(in: store)
        XCTAssertEqual(state, .ended(.stale(.serverRestarted), at: end, outcomes: [:]))
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

    func testOfManyClaimsAtOnceExactlyOneIsTrue() async throws {
        let store = try await storeWithPlan()
        let name = plan.name
        let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<32 {
                group.addTask {
                    try await store.claim(name, intending: [.number(101 + number % 3)], at: commit)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        XCTAssertEqual(answers.count, 32)
        XCTAssertEqual(answers.count { $0 }, 1)
        let intents = try await store.value("SELECT count(intended_at) FROM threads")
        XCTAssertEqual(intents, "1")
    }

    func testFinishEndsAPreparedOrCommittingPlan() async throws {
        let endings: [PlanEnding] = [.committed, .stale(.anotherServer), .stale(.serverRestarted), .abandoned]
        let store = try await openStore()
        for (number, ending) in endings.enumerated() {
            for claimsFirst in [false, true] {
                let plan = KillPlan.example(number * 2 + (claimsFirst ? 1 : 0), threads: 2)
                try await store.insert(plan)
                if claimsFirst { _ = try await store.claim(plan.name, intending: [first], at: commit) }
                let finished = try await store.finish(plan.name, as: ending, outcomes: [first: .gone], at: end)
                XCTAssertTrue(finished)
                let stored = try await store.plan(with: plan.sqlExecID)
                XCTAssertEqual(stored?.state, .ended(ending, at: end, outcomes: [first: .gone]))
            }
        }
    }

    func testASecondFinishAnswersFalseAndChangesNothing() async throws {
        let store = try await storeWithPlan()
        _ = try await store.claim(plan.name, intending: [first], at: commit)
        _ = try await store.finish(plan.name, as: .committed, outcomes: [first: .killed], at: end)
        let again = try await store.finish(
            plan.name, as: .stale(.anotherServer), outcomes: [first: .failed(.taskInterrupted)],
            at: end.advanced(bySeconds: 1))
        XCTAssertFalse(again)
        let state = try await state(in: store)
        XCTAssertEqual(state, .ended(.committed, at: end, outcomes: [first: .killed]))
    }

    func testFinishWithAnOutcomeOfAThreadThatThePlanDoesNotHaveChangesNothing() async throws {
        let store = try await storeWithPlan()
        let error = try await storeError {
            _ = try await store.finish(plan.name, as: .committed, outcomes: [first: .gone, stranger: .gone], at: end)
        }
        XCTAssertEqual(error.reason, .other)
        let state = try await state(in: store)
        XCTAssertEqual(state, .prepared)
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
