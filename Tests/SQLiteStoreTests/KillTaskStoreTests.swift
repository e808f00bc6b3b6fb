import Foundation
import Migrations
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class KillTaskStoreTests: StoreTestCase {
    private let instance = InstanceID(rawValue: "cdb-8jawylhf")

    private func plan(_ number: Int, of task: KillTask) -> KillPlan {
        let example = KillPlan.example(number, threads: 4)
        var content = example.content
        content.task = task.name
        content.recordHistory = true
        return KillPlan(name: example.name, sqlExecID: example.sqlExecID, content: content)
    }

    private func tasks(
        _ store: SQLiteStore, of instances: Set<InstanceID>? = nil, skipping offset: Int = 0, limit: Int = 10
    ) async throws -> [StoredKillTask] {
        try await store.tasks(of: instances ?? [instance], skipping: offset, limit: limit)
    }

    func testReadsBackEveryRuleAfterARestart() async throws {
        let rules = [
            try KillRule(),
            try KillRule(
                host: "10.0.0.7", user: "caf\u{E9}", databases: ["a\"b", "日本"], commands: ["Sleep", "Query"],
                longerThan: 0, statement: .beginsWith("SELECT /* \u{0} */")),
            try KillRule(user: "cafe\u{301}", longerThan: .max, statement: .containsAll(["a", "[\"b\"]"])),
        ]
        var tasks: [KillTask] = []
        let store = try await openStore()
        for (number, rule) in rules.enumerated() {
            let task = KillTask.example(number, on: "cdb-\(number)", rule: rule, endsAt: number == 0 ? nil : end)
            tasks.append(task)
            let isNew = try await store.insert(task)
            XCTAssertTrue(isNew)
        }
        try await store.close()

        let reopened = try await openStore()
        let found = try await reopened.runningTasks()
        XCTAssertEqual(found, tasks)
        // Equal strings may differ in their bytes, which the conditions tell apart.
        XCTAssertEqual(found.map { $0.rule.user.map { Array($0.utf8) } }, rules.map { $0.user.map { Array($0.utf8) } })
    }

    func testAnInstanceHasOneRunningTask() async throws {
        let store = try await openStore()
        var isNew = try await store.insert(KillTask.example(1))
        XCTAssertTrue(isNew)
        isNew = try await store.insert(KillTask.example(2))
        XCTAssertFalse(isNew)
        isNew = try await store.insert(KillTask.example(3, on: "cdb-other"))
        XCTAssertTrue(isNew)
        _ = try await store.end(KillTask.example(1).name, as: .cancelled(by: "alice"), at: end)
        isNew = try await store.insert(KillTask.example(2))
        XCTAssertTrue(isNew)
        // Another conflict is none of the kind.
        let error = try await storeError { _ = try await store.insert(KillTask.example(1, on: "cdb-third")) }
        XCTAssertTrue(error.description.contains("UNIQUE constraint failed: kill_tasks.name"), error.description)
    }

    func testEndsATaskOnce() async throws {
        let store = try await openStore()
        for (number, ending) in [(1, KillTaskEnding.expired), (2, .cancelled(by: "alice"))] {
            let task = KillTask.example(number)
            _ = try await store.insert(task)
            var hasEnded = try await store.end(task.name, as: ending, at: end)
            XCTAssertTrue(hasEnded)
            hasEnded = try await store.end(task.name, as: .cancelled(by: "bob"), at: commit)
            XCTAssertFalse(hasEnded)
            let running = try await store.runningTasks()
            XCTAssertEqual(running, [])
            let stored = try await tasks(store)
            XCTAssertEqual(
                stored.first, StoredKillTask(task: task, state: .ended(ending, at: end), killedSessions: 0))
        }
    }

    func testListsTheLatestFirst() async throws {
        let store = try await openStore()
        for number in 1...5 {
            let task = KillTask.example(number, on: number % 2 == 0 ? "cdb-even" : "cdb-8jawylhf")
            _ = try await store.insert(task)
            _ = try await store.end(task.name, as: .expired, at: end)
        }
        let both: Set = [instance, InstanceID(rawValue: "cdb-even")]
        let pages = [
            try await tasks(store), try await tasks(store, of: both, limit: 3),
            try await tasks(store, of: both, skipping: 3, limit: 3), try await tasks(store, of: []),
        ].map { $0.map(\.task.name.rawValue) }
        XCTAssertEqual(
            pages, [["task-5", "task-3", "task-1"], ["task-5", "task-4", "task-3"], ["task-2", "task-1"], []])
    }

    func testAPlanKnowsItsTaskAndTheTaskHowManyItEnded() async throws {
        let store = try await openStore()
        let task = KillTask.example()
        _ = try await store.insert(task)
        for number in 1...2 {
            let plan = plan(number, of: task)
            try await store.insert(plan)
            let ids = plan.content.threads.map(\.id)
            _ = try await store.claim(plan.name, intending: ids, at: commit)
            let interrupted = try await store.interruptedTaskPlans()
            XCTAssertEqual(interrupted, [InterruptedTaskPlan(sqlExecID: plan.sqlExecID, instance: instance)])
            for _ in 0..<2 {
                _ = try await store.finish(
                    plan.name, as: .committed,
                    outcomes: [
                        ids[0]: .killed, ids[1]: .rollingBack(rowsLeft: 2), ids[2]: .xaPrepared,
                        ids[3]: .denied(.untold),
                    ], at: end)
            }
            let stored = try await store.plan(named: plan.name)
            XCTAssertEqual(stored?.plan, plan)
            XCTAssertEqual(try stored?.plan.digest(), stored?.digest)
        }
        let interrupted = try await store.interruptedTaskPlans()
        XCTAssertEqual(interrupted, [])
        let killed = try await tasks(store).map(\.killedSessions)
        XCTAssertEqual(killed, [6])
        let history = try await store.history(of: [instance], at: end, skipping: 0, limit: 10)
        XCTAssertEqual(history.map(\.outline.task), [task.name, task.name])
    }

    func testAPlanThatSomebodyAskedForIsNoTasks() async throws {
        let store = try await openStore()
        let plan = KillPlan.example()
        try await store.insert(plan)
        _ = try await store.claim(plan.name, intending: plan.content.threads.map(\.id), at: commit)
        let interrupted = try await store.interruptedTaskPlans()
        XCTAssertEqual(interrupted, [])
    }

    func testAPlanOfATaskThatIsNotThereIsRefused() async throws {
        let store = try await openStore()
        let error = try await storeError { try await store.insert(plan(1, of: .example())) }
        XCTAssertTrue(error.description.contains("there is no such task"), error.description)
        let stored = try await store.plan(named: PlanName(rawValue: "plan-1"))
        XCTAssertNil(stored)
    }

    func testARuleThatCannotBeReadWhollyIsNoWiderRule() async throws {
        let store = try await openStore()
        _ = try await store.insert(KillTask.example(rule: try KillRule(user: "batch")))
        for change in ["user = ' '", "databases = '[1]'", "commands = '[\"\"]'"] {
            try await store.execute("UPDATE kill_tasks SET \(change)")
            let error = try await storeError { _ = try await store.runningTasks() }
            XCTAssertEqual(error.reason, .damaged, change)
            try await store.execute("UPDATE kill_tasks SET user = 'batch', databases = NULL, commands = NULL")
        }
        let tasks = try await store.runningTasks()
        XCTAssertEqual(tasks.count, 1)
    }

    func testOldTasksGoWithTheLastOfTheirPlans() async throws {
        let store = try await openStore()
        let limit = UnixTime(milliseconds: 1_800_000_000_000)
        let before = UnixTime(milliseconds: limit.milliseconds - 1)
        for (number, time) in [(2, before), (1, before), (3, limit)] {
            let task = KillTask.example(number)
            _ = try await store.insert(task)
            if number == 2 {
                try await store.insert(plan(number, of: task))
                _ = try await store.claim(PlanName(rawValue: "plan-2"), intending: [], at: commit)
            }
            _ = try await store.end(task.name, as: .cancelled(by: "ci"), at: time)
        }
        _ = try await store.insert(KillTask.example(4))
        // Task 2's plan ended later than the task.
        _ = try await store.finish(PlanName(rawValue: "plan-2"), as: .committed, outcomes: [:], at: limit)
        _ = try await store.purge(endedOrExpiredBefore: limit)
        var names = try await tasks(store).map(\.task.name.rawValue)
        XCTAssertEqual(names, ["task-4", "task-3", "task-2"])

        let plans = try await store.purge(endedOrExpiredBefore: limit.advanced(bySeconds: 1))
        XCTAssertEqual(plans, 1)
        names = try await tasks(store).map(\.task.name.rawValue)
        XCTAssertEqual(names, ["task-4"])
    }

    /// A store as killd wrote it before it knew of tasks.
    func testPlansFromBeforeTasksStayValid() async throws {
        let old = Array(Migration.all.prefix(2))
        do {
            let file = try StoreFile(path: path)
            let connection = try Connection(path: file.path)
            try connection.setPragma("journal_mode", to: "WAL", answering: "wal")
            try SchemaVersions(of: connection, known: old).applyPending(to: connection, at: openingTime)
            try connection.execute(try KillPlan.example(threads: 1).earlierRows(id: 1))
            try connection.close()
        }
        let store = try await openStore()
        let stored = try await store.plan(with: KillPlan.example().sqlExecID)
        XCTAssertEqual(stored?.plan, .example(threads: 1))
        XCTAssertEqual(try stored?.plan.digest(), stored?.digest)
        XCTAssertEqual(stored?.state, .prepared)
        let claimed = try await store.claim(PlanName(rawValue: "plan-1"), intending: [.number(101)], at: commit)
        XCTAssertTrue(claimed)
        let tasks = try await store.runningTasks()
        XCTAssertEqual(tasks, [])
    }

    func testFindsRowsWithoutReadingEveryRow() async throws {
        let store = try await openStore()
        for (query, index) in [
            ("SELECT id FROM kill_tasks WHERE state = 'running'", "one_running_task_per_instance"),
            ("SELECT id FROM kill_tasks WHERE instance = 'x' ORDER BY id DESC LIMIT 20", "kill_tasks_by_instance"),
            ("SELECT id FROM kill_tasks WHERE ended_at < 5 ORDER BY ended_at LIMIT 1", "kill_tasks_by_end"),
            ("SELECT 1 FROM plans WHERE plans.task = 7", "plans_by_task"),
        ] {
            let steps = try await store.withConnection { connection in
                try Statement("EXPLAIN QUERY PLAN " + query, on: connection).rows { try $0.text("detail") }
            }
            XCTAssertEqual(steps.count, 1, query)
            XCTAssertTrue(steps.first?.contains(index) ?? false, "\(query): \(steps)")
        }
    }
}

extension KillTask {
    /// A task of the first example's instance.
    static func example(
        _ number: Int = 1, on instance: String = "cdb-8jawylhf", rule: KillRule? = nil, endsAt: UnixTime? = end
    ) -> KillTask {
        let anybody: KillRule
        do { anybody = try KillRule() } catch { preconditionFailure("\(error)") }
        return KillTask(
            name: KillTaskName(rawValue: "task-\(number)"), instance: InstanceID(rawValue: instance), account: "ci",
            rule: rule ?? anybody, createdAt: preparation, endsAt: endsAt)
    }
}
