/// Runs kill tasks, at most one on each instance: looks once a second who
/// matches, and has the engine end them.
///
/// What is done on one instance is done in one loop, so that no look runs into
/// the next. A look that fails is followed by the next as if nothing was.
public actor KillTaskRunner {
    /// What somebody who reads a log wants to know.
    public enum Event: Sendable {
        /// A plan of a task was carried out.
        case committed(CommitReport)
        /// The work on an instance fails since now, or fails in another way.
        case failed(InstanceID, any Error)
        /// The work on an instance goes well again.
        case recovered(InstanceID)
        case ended(KillTask, KillTaskEnding)
        /// A task of the store does not run.
        case suspended(KillTask, KillTaskObstacle)
    }

    private var engine: KillEngine
    private let store: any KillTaskStore
    private let clock: KillEngine.Clock
    private let report: @Sendable (Event) -> Void
    private var lines: [InstanceID: Line] = [:]
    private var obstacle: @Sendable (KillTask) -> KillTaskObstacle? = { _ in nil }
    private var hasStarted = false
    private var isStopping = false

    private static let pause = Duration.seconds(1)

    /// What there is to do on one instance.
    private struct Line {
        var place = Place.absent
        var running: RunningTask?
        var unfinished: [UnfinishedPlan] = []
        var lastFailure: String?
        var loop: Task<Void, Never>?
        var pause: Task<Void, Never>?

        var hasWork: Bool { running != nil || !unfinished.isEmpty && place.instance != nil }
    }

    /// Whether an instance is there to work on.
    private enum Place {
        case configured(Instance)
        /// Not configured any more, and kept until the plans that were begun on it
        /// are finished.
        case leaving(Instance)
        case absent

        var instance: Instance? {
            switch self {
            case .configured(let instance), .leaving(let instance): instance
            case .absent: nil
            }
        }
    }

    private struct RunningTask {
        let task: KillTask
        var gate: RevocationGate
        var obstacle: KillTaskObstacle?
        /// How and when it ended, if only the store does not know that yet.
        var ending: (how: KillTaskEnding, at: UnixTime)?
        var attempts = KillAttempts()

        var mayKill: Bool { obstacle == nil && ending == nil }
    }

    /// A plan whose Commit has not come to its end.
    private struct UnfinishedPlan {
        let sqlExecID: SqlExecID
        let policy: CommitPolicy
    }

    /// - Parameters:
    ///   - clock: for the pauses between looks.
    ///   - report: called on the runner, so it must not block.
    public init(
        engine: KillEngine, store: any KillTaskStore, clock: KillEngine.Clock,
        report: @escaping @Sendable (Event) -> Void
    ) {
        self.engine = engine
        self.store = store
        self.clock = clock
        self.report = report
    }

    // MARK: From start to stop

    /// Takes up the tasks of the store; those whose time ran out meanwhile are
    /// ended as of then.
    ///
    /// - Parameters:
    ///   - instances: all that there are.
    ///   - obstacle: why a task on one of them must not run, if so.
    public func load(
        _ instances: [Instance], obstacle: @escaping @Sendable (KillTask) -> KillTaskObstacle?
    ) async throws(StoreError) {
        self.obstacle = obstacle
        for instance in instances { lines[instance.id] = Line(place: .configured(instance)) }
        for plan in try await store.interruptedTaskPlans() {
            lines[plan.instance, default: Line()].unfinished.append(
                UnfinishedPlan(sqlExecID: plan.sqlExecID, policy: .abandoned(.killTask, because: .taskInterrupted)))
        }
        let now = clock.now()
        for task in try await store.runningTasks() {
            if let endsAt = task.endsAt, now >= endsAt {
                try await recordEnd(of: task, .expired, at: endsAt)
                continue
            }
            lines[task.instance, default: Line()].running = running(task)
            decideWhetherTaskMayRun(on: task.instance)
        }
    }

    /// Takes over another configuration: its instances and settings are those of
    /// the next look, and whether a task may run is decided anew.
    ///
    /// When this returns, no KILL of a task that must not run now is on its way.
    ///
    /// - Parameters: as of ``load(_:obstacle:)``.
    public func replace(
        _ engine: KillEngine, _ instances: [Instance], obstacle: @escaping @Sendable (KillTask) -> KillTaskObstacle?
    ) async {
        self.engine = engine
        self.obstacle = obstacle
        for (id, line) in lines {
            // A plan that was begun is finished all the same.
            guard let instance = line.place.instance else { continue }
            lines[id]?.place = line.unfinished.isEmpty ? .absent : .leaving(instance)
        }
        for instance in instances { lines[instance.id, default: Line()].place = .configured(instance) }
        let revoked = lines.keys.compactMap { decideWhetherTaskMayRun(on: $0) }
        for id in lines.keys { wake(id) }
        for gate in revoked { await gate.revoke() }
    }

    /// - Returns: the gate of a task that may not run any more, to be revoked; when
    ///   it may again, it has another.
    @discardableResult
    private func decideWhetherTaskMayRun(on id: InstanceID) -> RevocationGate? {
        guard let line = lines[id], let before = line.running else { return nil }
        let isConfigured = if case .configured = line.place { true } else { false }
        let obstacle = isConfigured ? obstacle(before.task) : .instanceNotConfigured
        lines[id]?.running?.obstacle = obstacle
        guard let obstacle, obstacle != before.obstacle else { return nil }
        report(.suspended(before.task, obstacle))
        lines[id]?.running?.gate = gate(for: before.task)
        return before.gate
    }

    /// Begins the work.
    public func start() {
        hasStarted = true
        for id in lines.keys { wake(id) }
    }

    /// Ends the work: no new look is begun, and what is under way is waited for.
    ///
    /// - Parameter limit: after so long, what became of sessions that were sent
    ///   a KILL is not waited for any more.
    public func stop(within limit: Duration) async {
        isStopping = true
        let loops = lines.values.compactMap(\.loop)
        for line in lines.values { line.pause?.cancel() }
        let sleep = clock.sleep
        let timer = Task {
            try await sleep(limit)
            for loop in loops { loop.cancel() }
        }
        for loop in loops { await loop.value }
        timer.cancel()
    }

    // MARK: Tasks

    /// Creates a task and begins to run it.
    ///
    /// - Throws: ``KillTaskError/duplicate``, ``ServerError`` if the server would
    ///   not let it do its work, ``StoreError`` or `CryptographyError`; there is
    ///   no task then.
    public func create(
        _ rule: KillRule, lasting duration: KillTaskDuration, on instance: Instance, for account: String
    ) async throws -> KillTask {
        try await engine.requireAbilityToKill(on: instance)
        let now = clock.now()
        let endsAt: UnixTime? =
            switch duration {
            case .untilCancelled: nil
            case .seconds(let seconds): now.advanced(bySeconds: seconds)
            }
        let task = KillTask(
            name: try .random(), instance: instance.id, account: account, rule: rule, createdAt: now, endsAt: endsAt)
        guard try await store.insert(task) else { throw KillTaskError.duplicate }
        lines[instance.id, default: Line(place: .configured(instance))].running = running(task)
        // The configuration may be another one by now.
        decideWhetherTaskMayRun(on: instance.id)
        wake(instance.id)
        return task
    }

    /// Cancels the running task of an instance. When this returns, no KILL of
    /// the task is on its way, and none will be sent.
    ///
    /// The same holds where the end cannot be stored, unless killd is started
    /// anew before that succeeds: it is tried every second.
    ///
    /// - Throws: ``KillTaskError/notFound`` or
    ///   ``KillTaskError/cancellationNotStored(_:)``.
    public func cancel(on instance: InstanceID, by account: String) async throws(KillTaskError) {
        let now = clock.now()
        guard var running = lines[instance]?.running, !running.task.hasExpired(at: now) else { throw .notFound }
        let ending = running.ending ?? (.cancelled(by: account), now)
        running.ending = ending
        lines[instance]?.running = running
        await running.gate.revoke()
        do {
            try await recordEnd(of: running.task, ending.how, at: ending.at)
        } catch {
            throw .cancellationNotStored(error)
        }
    }

    /// The tasks of some instances, the latest first.
    public func tasks(
        of instances: Set<InstanceID>, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [KillTaskSummary] {
        let stored = try await store.tasks(of: instances, skipping: offset, limit: limit)
        let now = clock.now()
        return stored.map { KillTaskSummary($0, isSuspended: isSuspended($0.task), at: now) }
    }

    private func isSuspended(_ task: KillTask) -> Bool {
        guard let running = lines[task.instance]?.running, running.task.name == task.name else { return true }
        return !running.mayKill
    }

    private func running(_ task: KillTask) -> RunningTask { RunningTask(task: task, gate: gate(for: task)) }

    private func gate(for task: KillTask) -> RevocationGate { RevocationGate(endsAt: task.endsAt, now: clock.now) }

    private func recordEnd(of task: KillTask, _ ending: KillTaskEnding, at time: UnixTime) async throws(StoreError) {
        let isNews = try await store.end(task.name, as: ending, at: time)
        // The next may have begun meanwhile.
        if lines[task.instance]?.running?.task.name == task.name { lines[task.instance]?.running = nil }
        if isNews { report(.ended(task, ending)) }
    }

    // MARK: The loop of an instance

    /// Has the next look come at once.
    private func wake(_ id: InstanceID) {
        guard hasStarted, !isStopping, let line = lines[id], line.hasWork else { return }
        line.pause?.cancel()
        if line.loop == nil { lines[id]?.loop = Task { await work(on: id) } }
    }

    private func work(on id: InstanceID) async {
        while !isStopping, lines[id]?.hasWork == true {
            do {
                try await snapshot(at: id)
                if lines[id]?.lastFailure != nil { report(.recovered(id)) }
                lines[id]?.lastFailure = nil
            } catch {
                let failure = kind(of: error)
                if lines[id]?.lastFailure != failure { report(.failed(id, error)) }
                lines[id]?.lastFailure = failure
            }
            await pause(on: id)
        }
        lines[id]?.loop = nil
    }

    private func snapshot(at id: InstanceID) async throws {
        let failure = await endTask(on: id)
        try await finishPlans(on: id)
        if let failure { throw failure }
        guard let line = lines[id], case .configured(let instance) = line.place,
            let running = line.running, running.mayKill,
            let plan = try await engine.prepare(running.task, on: instance, sparing: running.attempts)
        else { return }
        // Before the Commit, which may fail.
        if lines[id]?.running?.task.name == running.task.name { lines[id]?.running?.attempts.add(plan) }
        lines[id]?.unfinished.append(
            UnfinishedPlan(sqlExecID: plan.sqlExecID, policy: .killTask(running.task.rule, running.gate)))
        try await finishPlans(on: id)
    }

    /// Ends a task whose time is over, or whose end could not be stored before.
    private func endTask(on id: InstanceID) async -> StoreError? {
        guard let running = lines[id]?.running else { return nil }
        if running.ending == nil, let endsAt = running.task.endsAt, clock.now() >= endsAt {
            lines[id]?.running?.ending = (.expired, endsAt)
        }
        guard let ending = lines[id]?.running?.ending else { return nil }
        do {
            try await recordEnd(of: running.task, ending.how, at: ending.at)
            return nil
        } catch {
            return error
        }
    }

    private func finishPlans(on id: InstanceID) async throws {
        while let line = lines[id], let plan = line.unfinished.first, let instance = line.place.instance {
            do {
                let run = await engine.commit(plan.sqlExecID, on: instance, under: plan.policy) {
                    $0.content.task != nil
                }
                report(.committed(try run.report.get()))
            } catch let error as KillError where error.isFinal {
                lines[id]?.unfinished.removeFirst()
                throw error
            }
            lines[id]?.unfinished.removeFirst()
        }
        if case .leaving = lines[id]?.place, lines[id]?.unfinished.isEmpty == true { lines[id]?.place = .absent }
    }

    /// A second, or less if the task ends before.
    private func pause(on id: InstanceID) async {
        guard !isStopping, let line = lines[id], line.hasWork else { return }
        var duration = Self.pause
        if let running = line.running, running.ending == nil, let endsAt = running.task.endsAt {
            duration = min(duration, .milliseconds(max(0, endsAt.milliseconds - clock.now().milliseconds)))
        }
        let sleep = clock.sleep
        let pause = Task { [duration] in _ = try? await sleep(duration) }
        lines[id]?.pause = pause
        await pause.value
        lines[id]?.pause = nil
    }

    /// The same for errors that differ in nothing but their words.
    private func kind(of error: any Error) -> String {
        switch error {
        case let error as ServerError: "\(error.reason) \(error.code)"
        case let error as StoreError: "\(error.reason)"
        case KillError.outcomesNotStored(let error): "\(error.reason)"
        default: "\(error)"
        }
    }
}

extension KillError {
    /// Whether another Commit of the plan could not come to another end.
    fileprivate var isFinal: Bool {
        switch self {
        case .planNotFound, .expired, .stale, .planAltered, .notPermitted: true
        case .beingCommitted, .outcomesNotStored: false
        }
    }
}

/// Why a task of the store does not run, though it has not ended.
public enum KillTaskObstacle: Hashable, Sendable {
    case instanceNotConfigured
    case accountNotConfigured
    case notPermitted
}

extension KillTaskObstacle: CustomStringConvertible {
    /// The reason in a sentence.
    public var description: String {
        switch self {
        case .instanceNotConfigured: "the instance is not configured"
        case .accountNotConfigured: "the account that created it is not configured"
        case .notPermitted: "the account that created it may not run tasks on the instance"
        }
    }
}

/// Why a task was not created or cancelled.
public enum KillTaskError: Error, Hashable, Sendable {
    /// The instance has a running task already.
    case duplicate
    /// The instance has no running task.
    case notFound
    /// The task kills nobody any more, but would do so again after a restart.
    case cancellationNotStored(StoreError)
}
