import SessionKill
import XCTest

extension StoreContract {
    static let killTaskPromises = [
        Promise("An instance has one running task") { store in
            var isNew = try await store.insert(killTask(1))
            XCTAssertTrue(isNew)
            isNew = try await store.insert(killTask(2))
            XCTAssertFalse(isNew)
            isNew = try await store.insert(killTask(3, on: "cdb-2"))
            XCTAssertTrue(isNew)
            try await assertRefused("a task of the same name") { try await store.insert(killTask(1, on: "cdb-3")) }
            _ = try await store.end(killTask(1).name, as: .cancelled(by: "alice"), at: end)
            isNew = try await store.insert(killTask(2))
            XCTAssertTrue(isNew)
            let running = try await store.runningTasks()
            XCTAssertEqual(running.map(\.name.rawValue), ["task-3", "task-2"])
        },

        Promise("A kill task ends once") { store in
            _ = try await store.insert(killTask())
            var hasEnded = try await store.end(killTask().name, as: .cancelled(by: "alice"), at: end)
            XCTAssertTrue(hasEnded)
            hasEnded = try await store.end(killTask().name, as: .expired, at: commit)
            XCTAssertFalse(hasEnded)
            hasEnded = try await store.end(killTask(2).name, as: .expired, at: commit)
            XCTAssertFalse(hasEnded)
            let tasks = try await store.tasks(of: [instance], skipping: 0, limit: 10)
            XCTAssertEqual(
                tasks,
                [
                    StoredKillTask(
                        task: try killTask(), state: .ended(.cancelled(by: "alice"), at: end), killedSessions: 0)
                ])
        },

        Promise("Only a task that had an end expires") { store in
            _ = try await store.insert(killTask(1))
            try await assertRefused("the expiry of an endless task") {
                try await store.end(killTask(1).name, as: .expired, at: end)
            }
            _ = try await store.insert(killTask(2, on: "cdb-2", endsAt: end))
            let hasEnded = try await store.end(killTask(2).name, as: .expired, at: end)
            XCTAssertTrue(hasEnded)
            let running = try await store.runningTasks()
            XCTAssertEqual(running.map(\.name.rawValue), ["task-1"])
        },

        Promise("A kill task counts the sessions that its plans ended") { store in
            let task = try killTask()
            _ = try await store.insert(task)
            for number in 1...2 {
                try await store.insert(plan(number, task: task.name))
                _ = try await store.claim(plan(number).name, intending: threads(1, 2, 3), at: commit)
                _ = try await store.finish(
                    plan(number).name, as: .committed,
                    outcomes: [
                        thread(1): .killed, thread(2): .rollingBack(rowsLeft: 7),
                        thread(3): .denied(.byServer(message: "not owner")),
                    ], at: end)
            }
            _ = try await store.end(task.name, as: .cancelled(by: "alice"), at: end)
            let tasks = try await store.tasks(of: [instance], skipping: 0, limit: 10)
            XCTAssertEqual(tasks.map(\.killedSessions), [4])
        },

        Promise("Tasks are listed the latest first") { store in
            for number in 1...4 { _ = try await store.insert(killTask(number, on: "cdb-\(number)")) }
            let instances = Set([1, 3, 4].map { InstanceID(rawValue: "cdb-\($0)") })
            let all = try await store.tasks(of: instances, skipping: 0, limit: 10)
            XCTAssertEqual(all.map(\.task.name.rawValue), ["task-4", "task-3", "task-1"])
            let page = try await store.tasks(of: instances, skipping: 1, limit: 1)
            XCTAssertEqual(page, [all[1]])
        },

        Promise("Plans of tasks that are committing are interrupted") { store in
            let task = try killTask()
            _ = try await store.insert(task)
            for number in 1...3 { try await store.insert(plan(number, task: task.name)) }
            try await store.insert(plan(4))
            for number in 2...4 { _ = try await store.claim(plan(number).name, intending: threads(1), at: commit) }
            _ = try await store.finish(plan(3).name, as: .committed, outcomes: [:], at: end)
            let interrupted = try await store.interruptedTaskPlans()
            XCTAssertEqual(interrupted, [InterruptedTaskPlan(sqlExecID: plan(2).sqlExecID, instance: instance)])
        },

        Promise("Of many tasks of an instance that are stored at the same moment one runs") { store in
            try await assertOneIsTrue { number in try await store.insert(killTask(number)) }
            let running = try await store.runningTasks()
            XCTAssertEqual(running.count, 1)
            let all = try await store.tasks(of: [instance], skipping: 0, limit: 100)
            XCTAssertEqual(all.map(\.task), running)
        },

        Promise("Of many ends of a kill task at the same moment one is true") { store in
            _ = try await store.insert(killTask())
            try await assertOneIsTrue { number in
                try await store.end(killTask().name, as: .cancelled(by: AccountName(rawValue: "\(number)")), at: end)
            }
        },

        Promise("A task is read back with every condition of its rule") { store in
            let rules = [
                try KillRule(
                    host: "10.0.0.7", user: "e\u{301}", databases: ["shop", "d"], commands: ["Query"], longerThan: 30,
                    statement: .beginsWith("SELECT")),
                try KillRule(statement: .containsAll(["a", "b"])), try KillRule(longerThan: 0),
            ]
            for (number, rule) in rules.enumerated() {
                let task = KillTask(
                    name: KillTaskName(rawValue: "task-\(number)"), instance: InstanceID(rawValue: "cdb-\(number)"),
                    account: "ci", rule: rule, createdAt: preparation, endsAt: number == 0 ? end : nil)
                _ = try await store.insert(task)
                let running = try await store.runningTasks()
                XCTAssertEqual(running.last, task)
            }
        },

        Promise("The plans of a task may end after it, and are counted") { store in
            _ = try await store.insert(killTask())
            try await store.insert(plan(task: killTask().name))
            _ = try await store.claim(plan().name, intending: threads(1), at: commit)
            _ = try await store.end(killTask().name, as: .cancelled(by: "alice"), at: commit)
            let interrupted = try await store.interruptedTaskPlans()
            XCTAssertEqual(interrupted.map(\.sqlExecID), [plan().sqlExecID])
            _ = try await store.finish(plan().name, as: .committed, outcomes: [thread(1): .ended], at: end)
            let tasks = try await store.tasks(of: [instance], skipping: 0, limit: 10)
            XCTAssertEqual(tasks.map(\.killedSessions), [1])
        },

        Promise("Tasks behind the last, and those of no instance, are none") { store in
            _ = try await store.insert(killTask())
            for (instances, offset, limit) in [([instance], 1, 10), ([instance], 0, 0), ([], 0, 10)] {
                let tasks = try await store.tasks(of: Set(instances), skipping: offset, limit: limit)
                XCTAssertEqual(tasks, [])
            }
        },
    ]
}
