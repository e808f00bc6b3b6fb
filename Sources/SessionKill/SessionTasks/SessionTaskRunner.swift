import Synchronization
import Text

/// Creates session tasks and carries them out in the background.
///
/// A task's plan, its sessions and the task itself are on disk before anything
/// is killed, and what became of each session before the task counts as ended.
public actor SessionTaskRunner {
    /// What somebody who reads a log wants to know.
    public enum Event: Sendable {
        case created(SessionTask)
        case ended(SessionTask, SessionTaskEnding, killed: Int, failed: Int, spared: Int)
        /// The work on a task fails; it kills nobody any more.
        case failed(SessionTask, any Error)
    }

    /// Tasks that are carried out at the same time at one place; the others wait.
    ///
    /// Each has a connection of killd's for its time, and there are four.
    static let mostAtOnce = 2
    /// Tasks that wait at one place.
    static let mostWaiting = 100

    private var engine: KillEngine
    private let store: any SessionTaskStore
    private let clock: KillEngine.Clock
    private let report: @Sendable (Event) -> Void
    private var lines: [SessionTaskTarget: Line] = [:]
    private var interrupted: [StoredSessionTask] = []
    /// Tasks of which the store does not know the end yet, for clients that ask again and again.
    private var unfinished: [SessionTaskID: StoredSessionTask] = [:]
    private var runs: [SessionTaskID: Task<Void, Never>] = [:]
    private var isStopping = false

    /// What there is to do at one place.
    private struct Line {
        /// Tasks that are being created, wait or run.
        var count = 0
        var running = 0
        var waiting: [Work] = []
    }

    private struct Work {
        let task: SessionTask
        let plan: KillPlan
        let sessions: [TaskedSession]
        let instance: Instance
        let killer: KillingAccount
    }

    /// - Parameters:
    ///   - clock: for the pauses between attempts to store an end.
    ///   - report: called on the runner, so it must not block.
    public init(
        engine: KillEngine, store: any SessionTaskStore, clock: KillEngine.Clock,
        report: @escaping @Sendable (Event) -> Void
    ) {
        self.engine = engine
        self.store = store
        self.clock = clock
        self.report = report
    }

    // MARK: From start to stop

    /// Reads which tasks were running when killd ended.
    public func load() async throws(StoreError) { interrupted = try await store.runningSessionTasks() }

    /// Takes over another configuration's settings for the tasks to come.
    public func replace(_ engine: KillEngine) { self.engine = engine }

    /// Ends the tasks that were running when killd ended, as ``SessionTaskEnding/error``.
    ///
    /// They kill nobody any more: with the process the callers' passwords were
    /// lost, and with killd's own account nobody had agreed to their kills. One
    /// whose plan had come to its end, so that all is known, ends as that tells.
    ///
    /// - Parameter instance: the one at a place; `nil` if it is not configured any
    ///   more.
    public func start(_ instance: @Sendable (SessionTaskTarget) -> Instance?) {
        for stored in interrupted {
            let instance = instance(stored.task.target)
            runs[stored.task.id] = Task { await finish(interrupted: stored, on: instance) }
        }
        interrupted = []
    }

    /// Ends the work: tasks that wait kill nobody, and those that run are waited
    /// for.
    ///
    /// - Parameter limit: after so long, what became of sessions that were sent
    ///   a KILL is not waited for any more.
    public func stop(within limit: Duration) async {
        isStopping = true
        let runs = Array(runs.values)
        let sleep = clock.sleep
        let timer = Task {
            try await sleep(limit)
            for run in runs { run.cancel() }
        }
        for run in runs { await run.value }
        // Those that waited were begun meanwhile, and end at once.
        while let run = self.runs.values.first { await run.value }
        timer.cancel()
    }

    // MARK: Tasks

    /// Pins the sessions and begins to end them: one task for each target, or
    /// none at all.
    ///
    /// - Throws: ``SessionTaskError``, ``ServerError``, ``StoreError`` or
    ///   `CryptographyError`. Nothing was killed then.
    public func create(
        _ selection: Selection, on instances: [Instance], by killer: KillingAccount, for account: String
    ) async throws -> [SessionTask] {
        guard !isStopping else { throw SessionTaskError.stopping }
        let targets = instances.map(\.target)
        for target in targets where lines[target, default: Line()].count >= Self.mostAtOnce + Self.mostWaiting {
            throw SessionTaskError.tooMany
        }
        for target in targets { lines[target, default: Line()].count += 1 }
        var created: [Work] = []
        do {
            // All are pinned and stored before the first KILL: if one server is away, nobody is killed on the others.
            for instance in instances {
                let prepared = try await engine.prepare(selection, on: instance, by: killer, for: account)
                let task = SessionTask(
                    id: try .random(), account: account, target: instance.target, plan: prepared.plan.name,
                    createdAt: prepared.plan.content.preparedAt)
                created.append(
                    Work(
                        task: task, plan: prepared.plan, sessions: prepared.sessions, instance: instance,
                        killer: killer))
            }
            for work in created { try await store.insert(work.task, work.sessions) }
        } catch {
            for target in targets { lines[target]?.count -= 1 }
            // Some may be in the store as running already.
            let stored = created
            let close = Task {
                for work in stored { await abandon(work, error) }
            }
            for work in stored { runs[work.task.id] = close }
            throw error
        }
        for work in created {
            unfinished[work.task.id] = StoredSessionTask(task: work.task, state: .running, sessions: work.sessions)
            report(.created(work.task))
            lines[work.task.target]?.waiting.append(work)
            begin(at: work.task.target)
        }
        return created.map(\.task)
    }

    /// The task with that id, if the account created it at that place and it has
    /// not been over for longer than ``SessionTask/retention``.
    public func task(
        _ id: SessionTaskID, at target: SessionTaskTarget, of account: String
    ) async throws(StoreError) -> StoredSessionTask? {
        let known: StoredSessionTask? = if let task = unfinished[id] { task } else { try await store.sessionTask(id) }
        guard let stored = known, stored.task.target == target, stored.task.account.isSame(as: account) else {
            return nil
        }
        if case .ended(_, let time) = stored.state, clock.now() >= time.advanced(bySeconds: SessionTask.retention) {
            return nil
        }
        return stored
    }

    // MARK: The work on a task

    private func begin(at target: SessionTaskTarget) {
        while let line = lines[target], line.running < Self.mostAtOnce, !line.waiting.isEmpty {
            let work = lines[target]?.waiting.removeFirst()
            guard let work else { return }
            lines[target]?.running += 1
            runs[work.task.id] = Task { await run(work) }
        }
    }

    private func run(_ work: Work) async {
        if isStopping {
            await abandon(work, SessionTaskError.stopping)
        } else {
            await carryOut(work)
        }
        let target = work.task.target
        lines[target]?.running -= 1
        lines[target]?.count -= 1
        begin(at: target)
        if lines[target]?.count == 0 { lines[target] = nil }
    }

    private func carryOut(_ work: Work) async {
        let engine = engine
        let instance: Instance
        do throws(KillObstacle) {
            // As it is configured now: a task may have waited for long.
            instance = try engine.instance(of: work.task, begun: work.instance)
        } catch {
            report(.failed(work.task, error))
            await giveUp(work, nil, because: .notPermitted(error))
            return
        }
        let plan = work.plan.name
        let run = await engine.commit(
            work.plan.sqlExecID, on: instance, under: .sessionTask(by: work.killer)
        ) { $0.name == plan }
        do {
            let outcomes = await engine.outcomes(try run.report.get(), on: instance)
            await record(work, run.observation) { sessions in
                sessions.complete(with: outcomes)
                return SessionTaskEnding(of: sessions.compactMap(\.outcome))
            }
        } catch let refused as DelegatedLoginRefused {
            report(.failed(work.task, refused.cause))
            _ = await close(work.task, on: work.instance, because: .loginRefused)
            await record(work, nil) { sessions in
                for index in sessions.indices { sessions[index].outcome = .loginRefused }
                return .failure
            }
        } catch KillError.notPermitted(let obstacle) {
            report(.failed(work.task, obstacle))
            await giveUp(work, run.observation, because: .notPermitted(obstacle))
        } catch KillError.outcomesNotStored(let cause) {
            report(.failed(work.task, cause))
            let outcomes = await close(work.task, on: work.instance, because: .taskInterrupted)
            await record(work, run.observation) { sessions in
                sessions.complete(with: outcomes ?? [:])
                return outcomes == nil ? .error : SessionTaskEnding(of: sessions.compactMap(\.outcome))
            }
        } catch {
            report(.failed(work.task, error))
            await giveUp(work, run.observation, because: .taskInterrupted)
        }
    }

    /// Ends a task of which nothing was tried.
    private func abandon(_ work: Work, _ cause: any Error) async {
        report(.failed(work.task, cause))
        await giveUp(work, nil, because: .taskInterrupted)
    }

    private func giveUp(_ work: Work, _ seen: ServerObservation?, because reason: Outcome.Failure) async {
        let outcomes = await close(work.task, on: work.instance, because: reason)
        await record(work, seen) { sessions in
            sessions.complete(with: outcomes ?? [:])
            return .error
        }
    }

    private func finish(interrupted stored: StoredSessionTask, on instance: Instance?) async {
        let plan = try? await engine.plan(named: stored.task.plan)
        let wasOver = if case .ended(.committed, _, _, _)? = plan?.state { true } else { false }
        let outcomes = await close(stored.task, on: instance, because: .taskInterrupted)
        await record(stored.task, stored.sessions, nil, .cut(bytes: 0)) { sessions in
            sessions.complete(with: outcomes ?? [:])
            return wasOver ? SessionTaskEnding(of: sessions.compactMap(\.outcome)) : .error
        }
    }

    /// - Returns: `nil` if killd stops before the store takes it.
    private func close(
        _ task: SessionTask, on instance: Instance?, because reason: Outcome.Failure
    ) async -> [ThreadID: SessionTaskOutcome]? {
        let engine = engine
        return await untilStored(task) { () async throws(StoreError) in
            try await engine.close(task.plan, on: instance, because: reason)
        }
    }

    private func record(
        _ work: Work, _ seen: ServerObservation?, _ conclude: (inout [TaskedSession]) -> SessionTaskEnding
    ) async {
        await record(
            work.task, work.sessions, seen, engine.settings.statementPolicy(of: work.instance), conclude)
    }

    private func record(
        _ task: SessionTask, _ sessions: [TaskedSession], _ seen: ServerObservation?,
        _ policy: RecordedStatement.Policy, _ conclude: (inout [TaskedSession]) -> SessionTaskEnding
    ) async {
        var sessions = sessions
        if let seen {
            let rows = IndexedObservation(seen).sessions
            for index in sessions.indices {
                guard let now = rows[sessions[index].id], let row = sessions[index].row,
                    // Somebody else's session under the id is none of the task's.
                    row.user.isSame(as: now.identity.user), row.host.isSame(as: now.identity.host),
                    let newRow = try? SessionRow(now, policy)
                else { continue }
                sessions[index].row = newRow
            }
        }
        let ending = conclude(&sessions)
        // Whatever is not known by now.
        for index in sessions.indices { sessions[index].outcome = sessions[index].outcome ?? .decided(.unknown) }
        let (store, now, final) = (store, clock.now(), sessions)
        let isNews = await untilStored(task) { () async throws(StoreError) in
            try await store.end(task.id, as: ending, final, at: now)
        }
        runs[task.id] = nil
        unfinished[task.id] = nil
        guard isNews == true else { return }
        let outcomes = final.compactMap(\.outcome)
        report(
            .ended(
                task, ending, killed: outcomes.count(where: \.isKilled), failed: outcomes.count(where: \.isFailure),
                spared: outcomes.count(where: \.isSpared)))
    }

    /// Tries again every second, as long as killd is not stopping: the next
    /// start finds the task as it stands in the store.
    private func untilStored<Answer: Sendable>(
        _ task: SessionTask, _ write: @Sendable () async throws(StoreError) -> Answer
    ) async -> Answer? {
        var hasReported = false
        while true {
            do throws(StoreError) {
                return try await write()
            } catch {
                if !hasReported { report(.failed(task, error)) }
                hasReported = true
            }
            guard !isStopping, (try? await clock.sleep(.seconds(1))) != nil else { return nil }
        }
    }
}

extension [TaskedSession] {
    /// Gives those a fate that have none yet.
    fileprivate mutating func complete(with outcomes: [ThreadID: SessionTaskOutcome]) {
        for index in indices where self[index].outcome == nil { self[index].outcome = outcomes[self[index].id] }
    }
}

/// Why no task was created.
public enum SessionTaskError: Error, Hashable, Sendable {
    /// Too many wait at the place already.
    case tooMany
    /// killd is ending.
    case stopping
}
