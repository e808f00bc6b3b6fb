import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class NewestTimeTests: StoreTestCase {
    private func newest(_ store: SQLiteStore) async throws -> Int64? { try await store.newestTime()?.milliseconds }

    func testAnEmptyStoreHasNone() async throws {
        let time = try await newest(try await openStore())
        XCTAssertNil(time)
    }

    func testIsThatOfTheLastThingThatHappenedAndNoDeadline() async throws {
        let store = try await openStore()
        let plan = KillPlan.example()
        try await store.insert(plan)
        var time = try await newest(store)
        XCTAssertEqual(time, preparation.milliseconds)
        _ = try await store.claim(plan.name, intending: [.number(101)], at: commit)
        time = try await newest(store)
        XCTAssertEqual(time, commit.milliseconds)
        _ = try await store.finish(plan.name, as: .committed, outcomes: [:], at: end)
        time = try await newest(store)
        XCTAssertEqual(time, end.milliseconds)
        // Prepared later than the end of the one before.
        var content = plan.content
        content.preparedAt = end.advanced(bySeconds: 1)
        content.expiresAt = end.advanced(bySeconds: 601)
        try await store.insert(
            KillPlan(name: PlanName(rawValue: "plan-2"), sqlExecID: SqlExecID(rawValue: "2"), content: content))
        time = try await newest(store)
        XCTAssertEqual(time, end.milliseconds + 1_000)
    }

    func testTasksCountToo() async throws {
        let store = try await openStore()
        let task = SessionTask.example(1)
        try await store.insert(task, [])
        var time = try await newest(store)
        XCTAssertEqual(time, task.createdAt.milliseconds)
        _ = try await store.end(task.id, as: .success, [], at: end)
        time = try await newest(store)
        XCTAssertEqual(time, end.milliseconds)
        let killTask = try KillTask(
            name: KillTaskName(rawValue: "task-1"), instance: InstanceID(rawValue: "cdb-1"), account: "ci",
            rule: KillRule(user: "app"), createdAt: end.advanced(bySeconds: 1), endsAt: end.advanced(bySeconds: 900))
        _ = try await store.insert(killTask)
        time = try await newest(store)
        XCTAssertEqual(time, end.milliseconds + 1_000)
        _ = try await store.end(killTask.name, as: .cancelled(by: "ci"), at: end.advanced(bySeconds: 2))
        time = try await newest(store)
        XCTAssertEqual(time, end.milliseconds + 2_000)
    }

    func testNoClockGoesBeyondTheYear9999() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        try await store.execute(
            "INSERT INTO session_tasks (task_id, account, instance, plan, created_at) VALUES "
                + "('\(String(repeating: "a", count: 32))', 'ci', 'cdb-1', 'plan-1', 9223372036854775807)")
        let time = try await newest(store)
        XCTAssertEqual(time, preparation.milliseconds)
    }

    /// A start must not take longer for what a store has gathered in years.
    func testIsFoundByIndexesAlone() async throws {
        let store = try await openStore()
        let queries = [
            (lastClaim, "INDEX plans_that_are_committing"), (lastEndOfAPlan, "INDEX plans_by_end_of_life (<expr>>?)"),
            (timesOfTasksQueries[1], "INDEX kill_tasks_by_end"), (timesOfTasksQueries[3], "INDEX session_tasks_by_end"),
        ]
        for (query, index) in queries {
            let steps = try await store.withConnection { connection in
                try Statement("EXPLAIN QUERY PLAN " + query, on: connection).rows { try $0.text("detail") }
            }
            XCTAssertEqual(steps.count, 1, query)
            XCTAssertTrue(steps[0].contains(index), "\(query): \(steps)")
        }
    }
}
