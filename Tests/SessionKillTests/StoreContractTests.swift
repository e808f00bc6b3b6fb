import SessionKill
import SQLiteStore
import TestSupport
import XCTest

/// What ``PlanStore``, ``KillTaskStore`` and ``SessionTaskStore`` promise, asked
/// of every store that there is.
final class StoreContractTests: XCTestCase {
    typealias Store = PlanStore & KillTaskStore & SessionTaskStore

    private let preparation = UnixTime(milliseconds: 1_790_000_100_123)
    private let commit = UnixTime(milliseconds: 1_790_000_200_456)
    private let end = UnixTime(milliseconds: 1_790_000_200_999)
    private let instance = InstanceID(rawValue: "cdb-1")

    private func onEveryStore(_ body: (any Store) async throws -> Void) async throws {
        let folder = try TestFolder()
        let onDisk = try await SQLiteStore.open(path: folder.file("killd.sqlite"), at: preparation)
        for store in [MemoryStore(), onDisk] as [any Store] {
            let failures = testRun?.failureCount
            try await body(store)
            if testRun?.failureCount != failures { XCTFail("that was \(type(of: store))") }
        }
        try await onDisk.close()
    }

    private func plan(
        _ number: Int = 1, threads: [UInt32] = [1, 2, 3], on instance: String = "cdb-1", task: KillTaskName? = nil,
        recordHistory: Bool = true
    ) -> KillPlan {
        KillPlan(
            name: PlanName(rawValue: "plan-\(number)"), sqlExecID: SqlExecID(rawValue: "ticket\(number)"),
            content: KillPlan.Content(
                account: "ci", instance: InstanceID(rawValue: instance), task: task, preparedAt: preparation,
                expiresAt: preparation.advanced(bySeconds: 600), recordHistory: recordHistory,
                fingerprint: ServerFingerprint(
                    uniqueID: "3a9f", hostname: "db1", port: 3306, serverID: 1, version: "9.7.4",
                    startedAt: 1_700_000_000, connectionCount: 500),
                threads: threads.map { PinnedThread(.idle($0)) }))
    }

    private func killTask(
        _ number: Int = 1, on instance: String = "cdb-1", endsAt: UnixTime? = nil
    ) throws -> KillTask {
        KillTask(
            name: KillTaskName(rawValue: "task-\(number)"), instance: InstanceID(rawValue: instance), account: "ci",
            rule: try KillRule(user: "app"), createdAt: preparation, endsAt: endsAt)
    }

    private func sessionTask(_ number: Int = 1) -> SessionTask {
        let digit = String(number, radix: 16)
        return SessionTask(
            id: SessionTaskID(rawValue: String(repeating: "0", count: 32 - digit.count) + digit), account: "ci",
            place: SessionTaskPlace(instance: instance, node: nil), plan: PlanName(rawValue: "plan-\(number)"),
            createdAt: preparation)
    }

    private func sessions(_ fate: SessionFate?) -> [TaskedSession] {
        [2, 1].map { TaskedSession(id: $0, row: nil, fate: fate) }
    }

    private func assertRefused(
        _ words: String, file: StaticString = #filePath, line: UInt = #line, _ body: () async throws -> some Any
    ) async throws {
        let error = try await assertThrows(StoreError.self, file: file, line: line, body)
        XCTAssertEqual(error.reason, .other, "\(words): \(error)", file: file, line: line)
    }

    // MARK: Plans

    func testAPlanIsFoundByItsTicketAndByItsName() async throws {
        try await onEveryStore { store in
            let plan = plan()
            try await store.insert(plan)
            let expected = StoredPlan(plan: plan, digest: try plan.digest(), state: .prepared)
            let found = [try await store.plan(with: plan.sqlExecID), try await store.plan(named: plan.name)]
            XCTAssertEqual(found, [expected, expected])
            let others = [
                try await store.plan(with: SqlExecID(rawValue: "ticket2")),
                try await store.plan(named: PlanName(rawValue: "plan-2")),
            ]
            XCTAssertEqual(others, [nil, nil])
        }
    }

    func testASecondPlanOfTheSameNameOrTicketIsRefused() async throws {
        try await onEveryStore { store in
            let (first, second) = (plan(1), plan(2))
            try await store.insert(first)
            for (name, ticket) in [(first.name, second.sqlExecID), (second.name, first.sqlExecID)] {
                try await assertRefused("a twin") {
                    try await store.insert(KillPlan(name: name, sqlExecID: ticket, content: second.content))
                }
            }
            let stored = try await store.plan(named: first.name)
            XCTAssertEqual(stored?.plan, first)
        }
    }

    func testAPlanThatNamesAThreadTwiceOrAnUnknownTaskIsRefused() async throws {
        try await onEveryStore { store in
            try await assertRefused("a thread twice") { try await store.insert(plan(threads: [1, 2, 1])) }
            try await assertRefused("an unknown task") {
                try await store.insert(plan(task: KillTaskName(rawValue: "task-1")))
            }
            let stored = try await store.plan(named: plan().name)
            XCTAssertNil(stored)
        }
    }

    func testAPreparedPlanIsClaimedOnce() async throws {
        try await onEveryStore { store in
            try await store.insert(plan())
            var claimed = try await store.claim(plan().name, intending: [1, 3], at: commit)
            XCTAssertTrue(claimed)
            claimed = try await store.claim(plan().name, intending: [2], at: end)
            XCTAssertFalse(claimed)
            let stored = try await store.plan(named: plan().name)
            XCTAssertEqual(stored?.state, .committing(since: commit, intended: [1, 3]))
        }
    }

    func testAPlanThatIsUnknownOrHasEndedIsNotClaimed() async throws {
        try await onEveryStore { store in
            var claimed = try await store.claim(plan().name, intending: [], at: commit)
            XCTAssertFalse(claimed)
            try await store.insert(plan())
            _ = try await store.finish(plan().name, as: .committed, outcomes: [:], at: commit)
            claimed = try await store.claim(plan().name, intending: [1], at: end)
            XCTAssertFalse(claimed)
            let stored = try await store.plan(named: plan().name)
            XCTAssertEqual(stored?.state, .ended(.committed, at: commit, outcomes: [:]))
        }
    }

    func testAClaimOrAnEndWithAThreadThatThePlanDoesNotHaveChangesNothing() async throws {
        try await onEveryStore { store in
            try await store.insert(plan())
            try await assertRefused("a claim") { try await store.claim(plan().name, intending: [1, 9], at: commit) }
            try await assertRefused("an end") {
                try await store.finish(plan().name, as: .committed, outcomes: [1: .gone, 9: .gone], at: end)
            }
            let stored = try await store.plan(named: plan().name)
            XCTAssertEqual(stored?.state, .prepared)
        }
    }

    func testAPlanEndsOnce() async throws {
        try await onEveryStore { store in
            for (number, ending) in [PlanEnding.committed, .stale(.serverRestarted)].enumerated() {
                let name = plan(number).name
                try await store.insert(plan(number))
                _ = try await store.claim(name, intending: [1], at: commit)
                let outcomes: [ThreadID: Outcome] = [
                    1: .killed, 2: .failed(.refused(ServerMessage(code: 1_205, text: "日本"))),
                ]
                var hasEnded = try await store.finish(name, as: ending, outcomes: outcomes, at: end)
                XCTAssertTrue(hasEnded)
                hasEnded = try await store.finish(
                    name, as: .committed, outcomes: [3: .denied(.byServer(message: "not owner"))], at: commit)
                XCTAssertFalse(hasEnded)
                let stored = try await store.plan(named: name)
                XCTAssertEqual(stored?.state, .ended(ending, at: end, outcomes: outcomes))
            }
        }
    }

    func testNoSessionIsRecordedAsKilledThatNobodyWasAboutToKill() async throws {
        try await onEveryStore { store in
            try await store.insert(plan(1))
            try await store.insert(plan(2))
            _ = try await store.claim(plan(2).name, intending: [1], at: commit)
            for number in 1...2 {
                for outcome in [Outcome.killed, .ended] {
                    try await assertRefused("a kill without an intent") {
                        try await store.finish(plan(number).name, as: .committed, outcomes: [2: outcome], at: end)
                    }
                }
            }
            let states = [try await store.plan(named: plan(1).name), try await store.plan(named: plan(2).name)]
            XCTAssertEqual(states.map { $0?.state.status }, [.prepared, .committing])
        }
    }

    func testTheEndOfAnUnknownPlanIsRefused() async throws {
        try await onEveryStore { store in
            try await assertRefused("the end of a plan that is not there") {
                try await store.finish(plan().name, as: .committed, outcomes: [:], at: end)
            }
        }
    }

    func testTheHistoryHasTheRecordedPlansOfSomeInstancesTheLatestFirst() async throws {
        try await onEveryStore { store in
            try await store.insert(plan(1))
            try await store.insert(plan(2, on: "cdb-2"))
            try await store.insert(plan(3, recordHistory: false))
            try await store.insert(plan(4, on: "cdb-3"))
            try await store.insert(plan(5))
            _ = try await store.claim(plan(5).name, intending: [1, 2], at: commit)
            _ = try await store.finish(
                plan(5).name, as: .committed, outcomes: [1: .killed, 2: .killed, 3: .gone], at: end)

            let instances: Set = [instance, InstanceID(rawValue: "cdb-3")]
            let all = try await store.history(of: instances, at: end, skipping: 0, limit: 10)
            XCTAssertEqual(all.map(\.name.rawValue), ["plan-5", "plan-4", "plan-1"])
            XCTAssertEqual(
                all.first,
                PlanSummary(
                    name: plan(5).name, account: "ci", instance: instance, preparedAt: preparation, status: .committed,
                    endedAt: end, threadCount: 3, outcomes: [.killed: 2, .gone: 1]))
            let page = try await store.history(of: instances, at: end, skipping: 1, limit: 1)
            XCTAssertEqual(page, [all[1]])
            let late = try await store.history(
                of: instances, at: plan().content.expiresAt, skipping: 0, limit: 10)
            XCTAssertEqual(late.map(\.status), [.committed, .expired, .expired])
        }
    }

    // MARK: Kill tasks

    func testAnInstanceHasOneRunningTask() async throws {
        try await onEveryStore { store in
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
        }
    }

    func testAKillTaskEndsOnce() async throws {
        try await onEveryStore { store in
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
        }
    }

    func testOnlyATaskThatHadAnEndExpires() async throws {
        try await onEveryStore { store in
            _ = try await store.insert(killTask(1))
            try await assertRefused("the expiry of an endless task") {
                try await store.end(killTask(1).name, as: .expired, at: end)
            }
            _ = try await store.insert(killTask(2, on: "cdb-2", endsAt: end))
            let hasEnded = try await store.end(killTask(2).name, as: .expired, at: end)
            XCTAssertTrue(hasEnded)
            let running = try await store.runningTasks()
            XCTAssertEqual(running.map(\.name.rawValue), ["task-1"])
        }
    }

    func testAKillTaskCountsTheSessionsThatItsPlansEnded() async throws {
        try await onEveryStore { store in
            let task = try killTask()
            _ = try await store.insert(task)
            for number in 1...2 {
                try await store.insert(plan(number, task: task.name))
                _ = try await store.claim(plan(number).name, intending: [1, 2, 3], at: commit)
                _ = try await store.finish(
                    plan(number).name, as: .committed,
                    outcomes: [1: .killed, 2: .rollingBack(rowsLeft: 7), 3: .denied(.byServer(message: "not owner"))],
                    at: end)
            }
            _ = try await store.end(task.name, as: .cancelled(by: "alice"), at: end)
            let tasks = try await store.tasks(of: [instance], skipping: 0, limit: 10)
            XCTAssertEqual(tasks.map(\.killedSessions), [4])
        }
    }

    func testTasksAreListedTheLatestFirst() async throws {
        try await onEveryStore { store in
            for number in 1...4 { _ = try await store.insert(killTask(number, on: "cdb-\(number)")) }
            let instances = Set([1, 3, 4].map { InstanceID(rawValue: "cdb-\($0)") })
            let all = try await store.tasks(of: instances, skipping: 0, limit: 10)
            XCTAssertEqual(all.map(\.task.name.rawValue), ["task-4", "task-3", "task-1"])
            let page = try await store.tasks(of: instances, skipping: 1, limit: 1)
            XCTAssertEqual(page, [all[1]])
        }
    }

    func testPlansOfTasksThatAreCommittingAreInterrupted() async throws {
        try await onEveryStore { store in
            let task = try killTask()
            _ = try await store.insert(task)
            for number in 1...3 { try await store.insert(plan(number, task: task.name)) }
            try await store.insert(plan(4))
            for number in 2...4 { _ = try await store.claim(plan(number).name, intending: [1], at: commit) }
            _ = try await store.finish(plan(3).name, as: .committed, outcomes: [:], at: end)
            let interrupted = try await store.interruptedTaskPlans()
            XCTAssertEqual(interrupted, [InterruptedTaskPlan(sqlExecID: plan(2).sqlExecID, instance: instance)])
        }
    }

    // MARK: Session tasks

    func testASessionTaskEndsOnceAndHasItsSessionsReplaced() async throws {
        try await onEveryStore { store in
            let task = sessionTask()
            try await store.insert(task, sessions(nil))
            var stored = try await store.sessionTask(task.id)
            XCTAssertEqual(stored, StoredSessionTask(task: task, state: .running, sessions: sessions(nil)))
            let final = sessions(.decided(.killed))
            var hasEnded = try await store.end(task.id, as: .success, final, at: end)
            XCTAssertTrue(hasEnded)
            hasEnded = try await store.end(task.id, as: .error, [], at: commit)
            XCTAssertFalse(hasEnded)
            hasEnded = try await store.end(sessionTask(2).id, as: .error, [], at: commit)
            XCTAssertFalse(hasEnded)
            stored = try await store.sessionTask(task.id)
            XCTAssertEqual(stored, StoredSessionTask(task: task, state: .ended(.success, at: end), sessions: final))
        }
    }

    func testASecondSessionTaskOfTheSameIDIsRefused() async throws {
        try await onEveryStore { store in
            try await store.insert(sessionTask(), sessions(nil))
            try await assertRefused("a twin") { try await store.insert(sessionTask(), []) }
            let stored = try await store.sessionTask(sessionTask().id)
            XCTAssertEqual(stored?.sessions, sessions(nil))
        }
    }

    func testRunningSessionTasksAreThoseThatHaveNotEnded() async throws {
        try await onEveryStore { store in
            for number in 1...4 { try await store.insert(sessionTask(number), sessions(.ignoredUser)) }
            _ = try await store.end(sessionTask(2).id, as: .failure, [], at: end)
            let running = try await store.runningSessionTasks()
            XCTAssertEqual(
                running,
                [1, 3, 4].map {
                    StoredSessionTask(task: sessionTask($0), state: .running, sessions: sessions(.ignoredUser))
                })
            let unknown = try await store.sessionTask(sessionTask(5).id)
            XCTAssertNil(unknown)
        }
    }
}
