import CSQLite
import SessionKill
import StoreContract
import Synchronization
import XCTest

@testable import SQLiteStore

final class GroupCommitTests: StoreTestCase {
    /// What SQLite's commit hook counts, and whether it refuses.
    private final class Commits: Sendable {
        let count = Atomic(0)
        let refuses = Atomic(false)
    }

    private func openStore(observedBy commits: Commits, witness: AuditWitness? = nil) async throws -> SQLiteStore {
        let store = try await openStore(witness: witness)
        // The store may outlive the test method, not the process.
        try await store.withConnection { connection in
            _ = sqlite3_commit_hook(
                connection.handle,
                { context in
                    guard let context else { return 0 }
                    let commits = Unmanaged<Commits>.fromOpaque(context).takeUnretainedValue()
                    commits.count.wrappingAdd(1, ordering: .relaxed)
                    return commits.refuses.load(ordering: .relaxed) ? 1 : 0
                }, Unmanaged.passRetained(commits).toOpaque())
        }
        return store
    }

    private func insertions(_ numbers: Range<Int>) throws -> [Write] {
        try numbers.map { number in
            let rows = try PlanRows(.example(number))
            return { tables in try tables.plans.insert(rows) }
        }
    }

    private func succeeded(_ answers: [Result<Void, any Error>]) -> [Bool] {
        answers.map { answer in
            if case .success = answer { true } else { false }
        }
    }

    private func count(_ store: SQLiteStore) async throws -> String? {
        try await store.value("SELECT count(*) FROM plans")
    }

    func testWritesThatWaitTogetherShareOneTransaction() async throws {
        let commits = Commits()
        let store = try await openStore(observedBy: commits)
        let answers = await store.performTogether(try insertions(0..<100))
        XCTAssertEqual(succeeded(answers), Array(repeating: true, count: 100))
        XCTAssertEqual(commits.count.load(ordering: .relaxed), 1)
        let stored = try await count(store)
        XCTAssertEqual(stored, "100")
    }

    func testAGroupIsBounded() async throws {
        let commits = Commits()
        let store = try await openStore(observedBy: commits)
        let answers = await store.performTogether(try insertions(0..<600))
        XCTAssertEqual(succeeded(answers), Array(repeating: true, count: 600))
        XCTAssertEqual(commits.count.load(ordering: .relaxed), 3, "256, 256 and 88")
    }

    func testConcurrentCallersShareTransactions() async throws {
        let commits = Commits()
        let store = try await openStore(observedBy: commits)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<256 {
                group.addTask { try await store.insert(.example(number)) }
            }
            try await group.waitForAll()
        }
        XCTAssertLessThan(commits.count.load(ordering: .relaxed), 256)
        let stored = try await count(store)
        XCTAssertEqual(stored, "256")
    }

    func testAFailingWriteHarmsOnlyItself() async throws {
        let commits = Commits()
        let store = try await openStore(observedBy: commits)
        var writes = try insertions(0..<5)
        // The plan gets in before its second thread is refused.
        var content = KillPlan.example(9).content
        content.threads.append(PinnedThread(absent: .number(101)))
        let twice = try PlanRows(
            KillPlan(name: PlanName(rawValue: "plan-9"), sqlExecID: SqlExecID(rawValue: "9"), content: content))
        writes.insert({ tables in try tables.plans.insert(twice) }, at: 2)
        let answers = await store.performTogether(writes)
        XCTAssertEqual(succeeded(answers), [true, true, false, true, true, true])
        XCTAssertEqual(commits.count.load(ordering: .relaxed), 1)
        let stored = try await count(store)
        XCTAssertEqual(stored, "5")
        let threads = try await store.value("SELECT count(*) FROM threads")
        XCTAssertEqual(threads, "10")
    }

    func testAWriteSeesThoseBeforeItInItsGroup() async throws {
        let store = try await openStore()
        let rows = try PlanRows(.example())
        let claimed = Mutex<[Bool]>([])
        let claim = PlanClaim(
            intended: [.number(101)], caller: Caller("ci"), digest: rows.digest, time: commit)
        let write: Write = { tables in
            let row = try tables.plans.claim(PlanName(rawValue: "plan-1"), claim)
            claimed.withLock { $0.append(row != nil) }
        }
        let answers = await store.performTogether([{ tables in try tables.plans.insert(rows) }, write, write])
        XCTAssertEqual(succeeded(answers), [true, true, true])
        XCTAssertEqual(claimed.withLock { $0 }, [true, false])
    }

    func testWhenCommitFailsAllFailAndNothingIsStored() async throws {
        let commits = Commits()
        let store = try await openStore(observedBy: commits)
        commits.refuses.store(true, ordering: .relaxed)
        let answers = await store.performTogether(try insertions(0..<8))
        XCTAssertEqual(succeeded(answers), Array(repeating: false, count: 8))
        let stored = try await count(store)
        XCTAssertEqual(stored, "0")

        commits.refuses.store(false, ordering: .relaxed)
        let second = await store.performTogether(try insertions(0..<8))
        XCTAssertEqual(succeeded(second), Array(repeating: true, count: 8))
    }

    func testTheWitnessIsToldOfWhatIsOnDiskAndOfNothingThatWasUndone() async throws {
        let commits = Commits()
        let told = Mutex<[RecordedEntry]>([])
        let store = try await openStore(observedBy: commits) { entries, _ in told.withLock { $0 += entries } }
        func prepare(_ number: Int, thenFail fails: Bool = false) throws -> Write {
            let (plan, rows) = (KillPlan.example(number), try PlanRows(.example(number)))
            let event = try WrittenEvent(.prepared(plan, digest: rows.digest, by: Caller("ci")))
            return { tables in
                _ = try tables.insert(rows, event)
                if fails { throw StoreError(.other, "the write fails after its entry") }
            }
        }
        let first = await store.performTogether([
            try prepare(1), try prepare(2, thenFail: true), try prepare(3), try prepare(3), try prepare(4),
        ])
        XCTAssertEqual(succeeded(first), [true, false, true, false, true])
        let alone = await store.performTogether([try prepare(5, thenFail: true)])
        XCTAssertEqual(succeeded(alone), [false])
        commits.refuses.store(true, ordering: .relaxed)
        let refused = await store.performTogether([try prepare(6), try prepare(7)])
        XCTAssertEqual(succeeded(refused), [false, false])
        XCTAssertEqual(told.withLock { $0.map(\.sequence) }, [1, 2, 3, 4])
        commits.refuses.store(false, ordering: .relaxed)
        let last = await store.performTogether([try prepare(8), try prepare(9, thenFail: true)])
        XCTAssertEqual(succeeded(last), [true, false])

        let onDisk = try await store.read { tables in try tables.audit.entries(after: 0) }
        XCTAssertEqual(told.withLock { $0 }, onDisk)
        XCTAssertEqual(onDisk.map(\.plan), [nil, "plan-1", "plan-3", "plan-4", "plan-8"])
    }

    func testAnAbandonedTransactionIsUndoneBeforeTheNextUse() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        try await store.execute("BEGIN; DELETE FROM plans")
        let stored = try await store.plan(with: KillPlan.example().sqlExecID)
        XCTAssertEqual(stored?.plan, .example())
        try await store.execute("BEGIN; DELETE FROM plans")
        try await store.insert(.example(2))
        let plans = try await count(store)
        XCTAssertEqual(plans, "2")
    }

    func testWritesThatWaitWhenTheStoreIsClosedAreFinished() async throws {
        let store = try await openStore()
        let writes = try insertions(0..<300)
        let answers = await store.performTogetherAndClose(writes)
        XCTAssertEqual(succeeded(answers), Array(repeating: true, count: 300))
        let reopened = try await openStore()
        let stored = try await count(reopened)
        XCTAssertEqual(stored, "300")
    }

    func testEveryCallThrowsAfterClose() async throws {
        let store = try await openStore()
        try await store.close()
        let plan = KillPlan.example()
        let calls: [@Sendable () async throws -> Void] = [
            { try await store.insert(plan) },
            { _ = try await store.plan(with: plan.sqlExecID) },
            { _ = try await store.claim(plan.name, intending: [], at: commit) },
            { _ = try await store.finish(plan.name, as: .committed, outcomes: [:], at: end) },
            { _ = try await store.purge(endedOrExpiredBefore: end) },
            { try await store.close() },
        ]
        for call in calls {
            let error = try await storeError { try await call() }
            XCTAssertEqual(error.reason, .other)
            XCTAssertTrue(error.description.contains("the store is closed"), error.description)
        }
    }
}

extension SQLiteStore {
    /// Queues `writes` and a close right behind them.
    fileprivate func performTogetherAndClose(_ writes: [Write]) async -> [Result<Void, any Error>] {
        let tasks = writes.map { write in Task { try await self.write(write) } }
        let closing = Task { try await self.close() }
        var answers: [Result<Void, any Error>] = []
        for task in tasks { answers.append(await task.result) }
        if case .failure(let error) = await closing.result { answers.append(.failure(error)) }
        return answers
    }
}
