import CSQLite
import Foundation
import SessionKill
import StoreContract
import SQLiteStore
import Synchronization
import TestSupport
import XCTest

/// An empty store, made once.
struct EmptyStore {
    let store: Data

    init() async throws {
        let folder = try TestFolder()
        try await SQLiteStore.open(path: folder.file("killd.sqlite"), at: TestClock().now()).close()
        store = try Data(contentsOf: URL(fileURLWithPath: folder.file("killd.sqlite")))
    }
}

/// One killd on a disk with a fault, and the killd that is started after it.
final class FaultRound {
    let disk = FaultyDisk()
    private let fault: FaultyDisk.Fault
    private let unsynced: FaultyDisk.Unsynced
    private let folder: TestFolder
    private let clock = TestClock()
    private let server = ScriptedServer((1...6).map { .idle($0, user: $0 > 3 ? "bystander" : "app") })
    private let records: Records
    private let instance: Instance

    private var path: String { folder.file("killd.sqlite") }
    private var name: String {
        "\(fault)\(disk.failedCall.map { " (\($0.rawValue))" } ?? ""), of what was not synced \(unsynced) is left"
    }

    private let threadsOfAPlan: ClosedRange<Int>

    /// - Parameter template: `nil` for no store yet.
    init(
        _ fault: FaultyDisk.Fault, _ unsynced: FaultyDisk.Unsynced, on template: EmptyStore?,
        threadsOfAPlan: ClosedRange<Int>
    ) async throws {
        self.threadsOfAPlan = threadsOfAPlan
        self.fault = fault
        self.unsynced = unsynced
        folder = try TestFolder()
        try template?.store.write(to: URL(fileURLWithPath: folder.file("killd.sqlite")))
        instance = Instance(id: InstanceID(rawValue: "cdb-1"), server: server, protectedUsers: [])
        records = Records(disk: disk, store: folder.file("killd.sqlite"), copy: folder.file("synced.sqlite"))
        disk.mount()
        let records = records
        await server.set { server in
            server.beforeKill = { _ in records.snapshot() }
            server.answerToKill = { thread in
                records.note(thread)
                return nil
            }
        }
    }

    deinit { disk.unmount() }

    private func engine(_ store: SQLiteStore) -> KillEngine {
        KillEngine(
            store: store, settings: .init(planLifetime: 600, killWait: .seconds(3)),
            clock: .init(now: clock.now, sleep: clock.sleep))
    }

    private func open() async throws -> SQLiteStore { try await SQLiteStore.open(path: path, at: clock.now()) }

    private func commit(_ plan: KillPlan, _ engine: KillEngine) async throws -> CommitReport {
        try await engine.commit(plan.sqlExecID, on: instance, for: "ci")
    }

    // MARK: The rounds

    func prepareAndCommit() async throws -> Bool {
        let store = try await open()
        let engine = engine(store)
        disk.arm(fault)
        var plan = try? await engine.prepare(.threads(Self.planned), on: instance, for: "ci", recordHistory: true)
        let wasPrepared = plan != nil
        var report: CommitReport?
        if let plan { report = try? await commit(plan, engine) }
        let isOpen = disk.failedCall != nil
        if !isOpen { try? await store.close() }
        let (name, wasMet) = (name, disk.failedCall != nil)
        if fault.mode != .crash {
            disk.repair()
            if !wasPrepared {
                try await assertPlansAreWhole(name)
                plan = try await engine.prepare(.threads(Self.planned), on: instance, for: "ci", recordHistory: true)
            }
            if let plan, let again = try await isOpen ? commit(plan, engine) : nil {
                XCTAssertEqual(again.outcomes, (report ?? again).outcomes, "\(name): a Commit was answered in two ways")
                // A killd that never stopped knows what it saw.
                XCTAssertEqual(Self.victims.map { again.outcomes[$0] }, [.killed, .killed, .killed], name)
                report = again
            }
        }
        try await end(store)
        try await restart(name) { store in
            guard let plan else { return }
            let engine = self.engine(store)
            let again = try await self.commit(plan, engine)
            let onceMore = try await self.commit(plan, engine)
            for other in [onceMore, report ?? again] {
                XCTAssertEqual(again.outcomes, other.outcomes, "\(name): a Commit was answered in two ways")
            }
            try await self.assertTrue(again.outcomes, name)
            let left = await self.server.sessions.map(\.identity.id)
            XCTAssertEqual(left, Self.bystanders, "\(name): alive in the end")
        }
        return wasMet
    }

    func runSessionTask() async throws -> Bool {
        let store = try await open()
        // Not by asking the store, whose calls would be counted too.
        let hasNews = Mutex(false)
        let runner = runner(store) { hasNews.withLock { $0 = true } }
        disk.arm(fault)
        let task = try? await runner.create(
            .threads(Self.victims), on: [instance], by: .killd,
            for: "ci"
        ).first
        // Tasks that could not be created are ended in the background.
        try await eventually("\(name): the end of the task", pause: .milliseconds(1)) {
            task == nil || hasNews.withLock(\.self)
        }
        let (name, wasMet) = (name, disk.failedCall != nil)
        var ended: [ThreadID: Outcome]?
        if fault.mode != .crash {
            disk.repair()
            if let task {
                try await eventually("\(name): the end of the task", pause: .milliseconds(1)) {
                    try await store.sessionTask(task.id)?.state != .running
                }
                ended = try await outcomes(of: task, in: store, name)
            }
        }
        await runner.stop(within: .seconds(20))
        try await end(store)
        try await restart(name) { store in
            let runner = self.runner(store) {}
            try await runner.load()
            await runner.start { [instance = self.instance] _ in instance }
            await runner.stop(within: .seconds(20))
            let running = try await store.runningSessionTasks()
            XCTAssertEqual(running, [], "\(name): still running")
            guard let task else { return }
            let known = try await self.outcomes(of: task, in: store, name)
            XCTAssertEqual(known, ended ?? known, "\(name): the task's end has changed")
            try await self.assertTrue(known, name)
        }
        return wasMet
    }

    func runKillTask() async throws -> Bool {
        let store = try await open()
        let runner = killTaskRunner(store)
        try await runner.load([instance]) { _ in nil }
        await runner.start()
        disk.arm(fault)
        let rule = try KillRule(user: "app")
        let task = try? await runner.create(rule, lasting: .untilCancelled, on: instance, for: "ci")
        try await eventually("\(name): the end of the sessions", pause: .milliseconds(1)) {
            if self.disk.failedCall != nil || task == nil { return true }
            return try await self.isOver()
        }
        if disk.failedCall == nil { try? await runner.cancel(on: instance.id, by: "ci") }
        let (name, wasMet) = (name, disk.failedCall != nil)
        if fault.mode != .crash {
            disk.repair()
            if task != nil {
                try await eventually("\(name): the end of the sessions", pause: .milliseconds(1)) {
                    try await self.isOver()
                }
            }
        }
        await runner.stop(within: .seconds(20))
        try await end(store)
        try await restart(name) { store in
            let runner = self.killTaskRunner(store)
            try await runner.load([self.instance]) { _ in nil }
            await runner.start()
            if task != nil {
                try await eventually("\(name): the end of the sessions", pause: .milliseconds(1)) {
                    try await self.isOver()
                }
            }
            await runner.stop(within: .seconds(20))
            // Whom one plan spared, the next may have ended.
            var outcomes: [ThreadID: Outcome] = [:]
            for plan in try await store.history(of: [self.instance.id], at: self.clock.now(), skipping: 0, limit: 100) {
                guard case .ended(_, _, let ends, _)? = try await store.plan(named: plan.name)?.state else { continue }
                outcomes.merge(ends) { latest, _ in latest }
            }
            try await self.assertTrue(outcomes, name)
        }
        return wasMet
    }

    /// Whether all are dead whom the kill task ends, and every plan has come to its end.
    private func isOver() async throws -> Bool {
        let left = await server.sessions.map(\.identity.id)
        guard left == Self.bystanders else { return false }
        return try read("SELECT name FROM plans WHERE state = 'committing'", in: path) == []
    }

    func create() async throws -> Bool {
        disk.arm(fault)
        let store = try? await open()
        let (name, wasMet) = (name, disk.failedCall != nil)
        if fault.mode != .crash { disk.repair() }
        if let store { try await end(store) } else { disk.crash() }
        try await restart(name) { store in
            let engine = self.engine(store)
            let plan = try await engine.prepare(
                .threads(Self.planned), on: self.instance, for: "ci", recordHistory: true)
            let report = try await self.commit(plan, engine)
            XCTAssertEqual(report.killed, Self.victims, name)
        }
        return wasMet
    }

    /// A plan that one person approves: prepared, approved, claimed and ended, all in the store.
    func decide() async throws -> Bool {
        let store = try await open()
        let now = clock.now()
        let plan = KillPlan(
            name: PlanName(rawValue: "plan-1"), sqlExecID: SqlExecID(rawValue: "ticket1"),
            content: KillPlan.Content(
                account: "ci", instance: instance.id, preparedAt: now, expiresAt: now.advanced(bySeconds: 600),
                recordHistory: true,
                fingerprint: ServerFingerprint(
                    uniqueID: "3a9f", hostname: "db1", port: 3306, serverID: 1, version: "9.7.4",
                    startedAt: 1_700_000_000, connectionCount: 500),
                threads: Self.planned.map(PinnedThread.init(absent:)),
                review: ReviewTerms(
                    risk: nil, required: 1, approvableUntil: now.advanced(bySeconds: 600), commitWithin: 300)))
        let digest = try plan.digest()
        let approval = Decision(
            .approved, by: Caller("alice"), at: now, digest: digest, request: KeptRequest("as it came"))
        let claim = PlanClaim(
            intended: Self.victims, caller: Caller("ci"), digest: digest, approvals: [approval], time: now)
        disk.arm(fault)
        var acknowledged = ["created"]
        if (try? await store.insert(plan)) != nil { acknowledged.append("prepared") }
        if case .recorded? = try? await store.record(approval, on: plan.name) { acknowledged.append("approved") }
        if case .claimed? = try? await store.claim(plan.name, claim) { acknowledged.append("claimed") }
        let outcomes: [ThreadID: Outcome] = [1: .killed, 2: .killed, 3: .killed]
        if (try? await store.finish(plan.name, as: .committed, outcomes: outcomes, at: now)) != nil {
            acknowledged.append("committed")
        }
        let (name, wasMet) = (name, disk.failedCall != nil)
        if fault.mode != .crash { disk.repair() }
        try await end(store)
        try await restart(name) { _ in
            let kinds = try read("SELECT kind FROM audit_entries ORDER BY seq", in: self.path)
            let all = ["created", "prepared", "approved", "claimed", "committed"]
            XCTAssertEqual(kinds, Array(all.prefix(kinds.count)), "\(name): not one after the other")
            XCTAssertTrue(Set(kinds).isSuperset(of: acknowledged), "\(name): lost one of \(acknowledged): \(kinds)")
            let state = try read("SELECT state FROM plans", in: self.path)
            let told = ["created": [], "claimed": ["committing"], "committed": ["committed"]]
            XCTAssertEqual(state, told[kinds.last ?? "created"] ?? ["prepared"], "\(name): half changed: \(kinds)")
            let decisions = try read("SELECT kind || ' ' || entry FROM decisions", in: self.path)
            XCTAssertEqual(decisions, kinds.contains("approved") ? ["approved 3"] : [], "\(name): half decided")
        }
        return wasMet
    }

    // MARK: Parts of them

    /// - Parameter report: called when the task has failed, and when it has ended.
    private func runner(_ store: SQLiteStore, _ report: @escaping @Sendable () -> Void) -> SessionTaskRunner {
        SessionTaskRunner(engine: engine(store), store: store, clock: impatientClock) { event in
            switch event {
            case .failed, .ended: report()
            case .created: break
            }
        }
    }

    /// Has looks, and attempts to store an end, follow each other at once, and lets deadlines be.
    private var impatientClock: KillEngine.Clock {
        .init(
            now: clock.now,
            sleep: { pause in try await Task.sleep(for: pause > .seconds(1) ? pause : .milliseconds(1)) })
    }

    private func killTaskRunner(_ store: SQLiteStore) -> KillTaskRunner {
        KillTaskRunner(engine: engine(store), store: store, clock: impatientClock) { _ in }
    }

    /// The power goes off.
    private func end(_ store: SQLiteStore) async throws {
        disk.crash()
        // Gives back what the process has of the files, as its end would.
        try? await store.close()
    }

    private func restart(_ name: String, _ body: (SQLiteStore) async throws -> Void) async throws {
        try disk.restart(keeping: unsynced, seed: UInt64(fault.number))
        do {
            let store = try await open()
            try await assertPlansAreWhole(name)
            try await body(store)
            try await store.close()
            let check = try read("PRAGMA integrity_check", in: path)
            XCTAssertEqual(check, ["ok"], name)
        } catch {
            XCTFail("\(name): \(error)")
        }
        XCTAssertEqual(records.unrecorded, [], "\(name): killed without a record on disk")
        let kills = await server.kills
        XCTAssertEqual(kills.count, Set(kills).count, "\(name): killed twice: \(kills)")
        XCTAssertTrue(Set(kills).isSubset(of: Self.victims), "\(name): killed \(kills)")
        let left = await server.sessions.map(\.identity.id)
        XCTAssertTrue(Set(left).isSuperset(of: Self.bystanders), "\(name): left \(left)")
    }

    private func assertPlansAreWhole(_ name: String) async throws {
        let torn = try read(
            """
            SELECT name FROM plans WHERE (SELECT count(*) FROM threads WHERE plan = plans.id)
                    NOT BETWEEN \(threadsOfAPlan.lowerBound) AND \(threadsOfAPlan.upperBound)
                OR (state = 'committing') <> EXISTS (
                    SELECT 1 FROM threads WHERE plan = plans.id AND intended_at IS NOT NULL AND outcome IS NULL)
            """, in: path)
        XCTAssertEqual(torn, [], "\(name): torn plans")
    }

    /// Nobody who lives is reported dead, nor the other way round.
    private func assertTrue(_ outcomes: [ThreadID: Outcome], _ name: String) async throws {
        let alive = Set(await server.sessions.map(\.identity.id))
        for (thread, outcome) in outcomes where thread != Self.absent {
            XCTAssertEqual(outcome.isKilled, !alive.contains(thread), "\(name): \(thread) is \(outcome)")
        }
    }

    private func outcomes(
        of task: SessionTask, in store: SQLiteStore, _ name: String
    ) async throws -> [ThreadID: Outcome] {
        let stored = try await store.sessionTask(task.id)
        return (stored?.sessions ?? []).reduce(into: [:]) { outcomes, session in
            guard case .decided(let outcome)? = session.outcome else {
                return XCTFail("\(name): \(session.id) is \(session.outcome as Any)")
            }
            outcomes[session.id] = outcome
        }
    }

    private static let victims: [ThreadID] = [1, 2, 3]
    private static let bystanders: [ThreadID] = [4, 5, 6]
    private static let absent: ThreadID = 9
    private static let planned = victims + [absent]
}

/// What the disk knows of intents when a KILL comes.
private final class Records: Sendable {
    private let disk: FaultyDisk
    private let store: String
    private let copy: String
    private let threads = Mutex<(recorded: Set<String>, unrecorded: [ThreadID])>(([], []))

    init(disk: FaultyDisk, store: String, copy: String) {
        self.disk = disk
        self.store = store
        self.copy = copy
    }

    /// Before a KILL: what a crash now would leave.
    func snapshot() {
        try? disk.copySynced(store, to: copy)
        let recorded = try? read(
            """
            SELECT thread_id FROM threads WHERE intended_at IS NOT NULL
                AND plan IN (SELECT id FROM plans WHERE state = 'committing')
            """, in: copy)
        threads.withLock { $0.recorded = Set(recorded ?? []) }
    }

    func note(_ thread: ThreadID) {
        threads.withLock { threads in
            if !threads.recorded.contains(thread.description) { threads.unrecorded.append(thread) }
        }
    }

    var unrecorded: [ThreadID] { threads.withLock(\.unrecorded) }
}

/// The first column of what `sql` answers, read past the faulty disk.
func read(_ sql: String, in path: String) throws -> [String] {
    var handle: OpaquePointer?
    var statement: OpaquePointer?
    defer {
        sqlite3_finalize(statement)
        sqlite3_close(handle)
    }
    func check(_ result: Int32, _ expected: Int32...) throws {
        guard expected.contains(result) else {
            throw StoreError(.other, "\(path): \(String(cString: sqlite3_errmsg(handle)))")
        }
    }
    try check(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, FaultyDisk.realName), SQLITE_OK)
    try check(sqlite3_prepare_v2(handle, sql, -1, &statement, nil), SQLITE_OK)
    var values: [String] = []
    while true {
        let result = sqlite3_step(statement)
        try check(result, SQLITE_ROW, SQLITE_DONE)
        guard result == SQLITE_ROW else { return values }
        values.append(sqlite3_column_text(statement, 0).map { String(cString: $0) } ?? "")
    }
}
