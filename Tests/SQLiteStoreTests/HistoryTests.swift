import Foundation
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class HistoryTests: StoreTestCase {
    private let instance = InstanceID(rawValue: "cdb-8jawylhf")

    private func plan(
        _ number: Int, on instance: String = "cdb-8jawylhf", recordHistory: Bool = true, threads: Int = 2
    ) -> KillPlan {
        let example = KillPlan.example(number, threads: threads)
        var content = example.content
        content.instance = InstanceID(rawValue: instance)
        content.recordHistory = recordHistory
        return KillPlan(name: example.name, sqlExecID: example.sqlExecID, content: content)
    }

    private func history(
        _ store: SQLiteStore, of instances: Set<InstanceID>? = nil, at time: UnixTime = end, skipping offset: Int = 0,
        limit: Int = 10
    ) async throws -> [PlanSummary] {
        try await store.history(of: instances ?? [instance], at: time, skipping: offset, limit: limit)
    }

    func testIsEmptyAtFirst() async throws {
        let store = try await openStore()
        let plans = try await history(store)
        XCTAssertEqual(plans, [])
    }

    func testCountsTheOutcomesOfEachPlan() async throws {
        let store = try await openStore()
        let plan = plan(1, threads: 5)
        try await store.insert(plan)
        let ids = plan.content.threads.map(\.id)
        _ = try await store.claim(plan.name, intending: Array(ids[0...1]), at: commit)
        let outcomes: [ThreadID: Outcome] = [
            ids[0]: .killed, ids[1]: .killed, ids[2]: .gone, ids[3]: .protected(.replication),
            ids[4]: .failed(.worded("x")),
        ]
        _ = try await store.finish(plan.name, as: .committed, outcomes: outcomes, at: end)
        let plans = try await history(store)
        let stored = try await store.plan(named: plan.name)
        XCTAssertEqual(
            plans,
            [
                PlanSummary(
                    try XCTUnwrap(stored).outline, preparedAt: preparation, reason: nil, endedAt: end, threadCount: 5,
                    outcomes: [.killed: 2, .gone: 1, .protected: 1, .failed: 1], at: end)
            ])
    }

    func testTellsHowFarEachPlanGot() async throws {
        let store = try await openStore()
        for number in 1...4 { try await store.insert(plan(number)) }
        for number in 2...3 { _ = try await store.claim(plan(number).name, intending: [], at: commit) }
        _ = try await store.finish(plan(3).name, as: .committed, outcomes: [:], at: end)
        _ = try await store.finish(plan(4).name, as: .stale(.serverRestarted), outcomes: [:], at: end)
        let early = try await history(store)
        XCTAssertEqual(early.map(\.status), [.stale, .committed, .committing, .prepared])
        XCTAssertEqual(early.map(\.threadCount), [2, 2, 2, 2])
        let late = try await history(store, at: preparation.advanced(bySeconds: 600))
        XCTAssertEqual(late.map(\.status), [.stale, .committed, .committing, .expired])
    }

    func testShowsTheLatestFirstInPortionsOverAllInstancesAskedFor() async throws {
        let store = try await openStore()
        for number in 1...9 { try await store.insert(plan(number, on: "cdb-\(number % 3)")) }
        let asked: Set = [InstanceID(rawValue: "cdb-0"), InstanceID(rawValue: "cdb-1")]
        var names: [String] = []
        for offset in stride(from: 0, through: 8, by: 2) {
            names += try await history(store, of: asked, skipping: offset, limit: 2).map(\.name.rawValue)
        }
        XCTAssertEqual(names, ["plan-9", "plan-7", "plan-6", "plan-4", "plan-3", "plan-1"])
        let nobodys = try await history(store, of: [])
        XCTAssertEqual(nobodys, [])
    }

    func testLeavesOutPlansWithoutHistoryWhichAreFoundAllTheSame() async throws {
        let store = try await openStore()
        try await store.insert(plan(1, recordHistory: false))
        try await store.insert(plan(2))
        let plans = try await history(store)
        XCTAssertEqual(plans.map(\.name.rawValue), ["plan-2"])
        let found = try await store.plan(named: plan(1).name)
        XCTAssertEqual(found?.plan, plan(1, recordHistory: false))
    }

    func testFindsAPlanByItsNameButNotByAnothersTicket() async throws {
        let store = try await openStore()
        try await store.insert(plan(1))
        let byName = try await store.plan(named: plan(1).name)
        let byTicket = try await store.plan(with: plan(1).sqlExecID)
        let mistaken = try await store.plan(named: PlanName(rawValue: plan(1).sqlExecID.rawValue))
        XCTAssertEqual(byName, byTicket)
        XCTAssertNotNil(byName)
        XCTAssertNil(mistaken)
    }

    func testFindsPlansWithoutReadingEveryPlan() async throws {
        let store = try await openStore()
        for (query, index) in [
            (
                "SELECT id FROM plans WHERE instance = 'x' AND record_history = 1 ORDER BY id DESC LIMIT 20",
                "plans_by_instance"
            ),
            ("SELECT outcome, count(*) FROM threads WHERE plan = 1 GROUP BY outcome", "sqlite_autoindex_threads"),
        ] {
            let steps = try await store.withConnection { connection in
                try Statement("EXPLAIN QUERY PLAN " + query, on: connection).rows { try $0.text("detail") }
            }
            XCTAssertTrue(steps.contains { $0.contains("SEARCH") && $0.contains(index) }, "\(steps)")
            XCTAssertFalse(steps.contains { $0.contains("SCAN") }, "\(steps)")
        }
    }
}
