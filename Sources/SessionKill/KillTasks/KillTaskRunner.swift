/// Runs kill tasks, at most one on each instance: sees once a second who
/// matches, and has the engine end them.
///
/// What is done when is ``KillTaskMachine``'s to decide.
public actor KillTaskRunner: MachineRunner {
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
    private var machine = KillTaskMachine()
    /// Those that are configured, and those that are kept for their plans.
    private var instances: [InstanceID: Instance] = [:]
    private var gates: [KillTaskMachine.GateID: RevocationGate] = [:]
    /// What is under way on each instance.
    var steps = Steps<InstanceID>()

    /// - Parameters:
    ///   - clock: for the pauses between snapshots.
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
        for instance in instances { self.instances[instance.id] = instance }
        _ = perform(machine.handle(.configured(Set(instances.map(\.id)), obstacle: obstacle), at: clock.now()))
        for plan in try await store.interruptedTaskPlans() { machine.add(plan) }
        let now = clock.now()
        for task in try await store.runningTasks() {
            if let endsAt = task.endsAt, now >= endsAt {
                try await recordEnd(of: task, .expired, at: endsAt)
            } else {
                _ = perform(machine.add(task))
            }
        }
    }

    /// Takes over another configuration: its instances and settings are those of
    /// the next snapshot, and whether a task may run is decided anew.
    ///
    /// When this returns, no KILL of a task that must not run now is on its way.
    ///
    /// - Parameters: as of ``load(_:obstacle:)``.
    public func replace(
        _ engine: KillEngine, _ instances: [Instance], obstacle: @escaping @Sendable (KillTask) -> KillTaskObstacle?
    ) async {
        self.engine = engine
        for instance in instances { self.instances[instance.id] = instance }
        let revoked = perform(
            machine.handle(.configured(Set(instances.map(\.id)), obstacle: obstacle), at: clock.now()))
        for gate in revoked { await gate.revoke() }
    }

    /// Begins the work.
    public func start() { handle(.started) }

    /// Ends the work: no new snapshot is begun, and what is under way is waited for.
    ///
    /// - Parameter limit: after so long, what became of sessions that were sent
    ///   a KILL is not waited for any more.
    public func stop(within limit: Duration) async {
        handle(.stopping)
        await finishSteps(within: limit, clock.sleep)
    }

    // MARK: Tasks

    /// Creates a task and begins to run it.
    ///
    /// - Throws: ``KillTaskError``, ``ServerError`` if the server would
    ///   not let it do its work, ``StoreError`` or `CryptographyError`; there is
    ///   no task then.
    public func create(
        _ rule: KillRule, lasting duration: KillTaskDuration, on instance: Instance, for account: AccountName
    ) async throws -> KillTask {
        guard !instance.approvals.asks else { throw KillTaskError.approvalsNeeded }
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
        // The configuration may be another one by now.
        if !machine.knows(instance.id) { instances[instance.id] = instance }
        handle(.created(task))
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
    public func cancel(on instance: InstanceID, by account: AccountName) async throws(KillTaskError) {
        guard let ended = machine.cancel(on: instance, by: account, at: clock.now()) else { throw .notFound }
        await gate(ended.gate, endsAt: ended.task.endsAt).revoke()
        do {
            try await recordEnd(of: ended.task, ended.ending, at: ended.at)
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
        return stored.map { KillTaskSummary($0, isSuspended: machine.isSuspended($0.task), at: now) }
    }

    private func recordEnd(of task: KillTask, _ ending: KillTaskEnding, at time: UnixTime) async throws(StoreError) {
        let isNews = try await store.end(task.name, as: ending, at: time)
        handle(.ended(task, ending, isNews: isNews))
    }

    // MARK: What the machine wants

    func handle(_ event: KillTaskMachine.Event) {
        // Whoever wants to wait for those that are revoked has called the machine itself.
        for gate in perform(machine.handle(event, at: clock.now())) { Task { await gate.revoke() } }
    }

    /// - Returns: the gates that are to be closed.
    private func perform(_ actions: [KillTaskMachine.Action]) -> [RevocationGate] {
        var revoked: [RevocationGate] = []
        for action in actions {
            switch action {
            case .storeEnd(let task, let ending, let time):
                step(for: task.instance) { runner in await runner.storeEnd(of: task, ending, at: time) }
            case .prepare(let task, let attempts):
                step(for: task.instance) { runner in await runner.prepare(task, sparing: attempts) }
            case .commit(let plan, let id): step(for: id) { runner in await runner.commit(plan, on: id) }
            case .pause(let id, let duration):
                let sleep = clock.sleep
                step(for: id) { _ in
                    _ = try? await sleep(duration)
                    return .pauseOver(id)
                }
            case .endPause(let id): steps.cancel(id)
            case .revoke(let id): revoked.append(gate(id, endsAt: nil))
            case .forget(let id): instances[id] = nil
            case .report(let event): report(event)
            }
        }
        let needed = machine.gates
        gates = gates.filter { needed.contains($0.key) }
        return revoked
    }

    private func storeEnd(
        of task: KillTask, _ ending: KillTaskEnding, at time: UnixTime
    ) async -> KillTaskMachine.Event {
        do throws(StoreError) {
            return .endStored(task, ending, isNews: try await store.end(task.name, as: ending, at: time))
        } catch {
            return .endNotStored(task, error)
        }
    }

    private func prepare(_ task: KillTask, sparing attempts: KillAttempts) async -> KillTaskMachine.Event {
        guard let instance = instances[task.instance] else { return .prepared(task.instance, nil) }
        do {
            return .prepared(task.instance, try await engine.prepare(task, on: instance, sparing: attempts))
        } catch {
            return .failed(task.instance, error)
        }
    }

    private func commit(
        _ plan: KillTaskMachine.UnfinishedPlan, on id: InstanceID
    ) async -> KillTaskMachine.Event {
        guard let instance = instances[id] else { return .failed(id, KillError.notPermitted(.instanceNotConfigured)) }
        let policy =
            plan.conditions.map { conditions in
                CommitPolicy.killTask(conditions.rule, gate(conditions.gate, endsAt: conditions.endsAt))
            } ?? .abandoned(.killTask, because: .taskInterrupted)
        let run = await engine.commit(plan.sqlExecID, on: instance, under: policy) { $0.content.task != nil }
        do {
            return .committed(id, try run.report.get())
        } catch {
            return .failed(id, error)
        }
    }

    private func gate(_ id: KillTaskMachine.GateID, endsAt: UnixTime?) -> RevocationGate {
        if let gate = gates[id] { return gate }
        let gate = RevocationGate(endsAt: endsAt, now: clock.now)
        gates[id] = gate
        return gate
    }
}

/// Why a task of the store does not run, though it has not ended.
public enum KillTaskObstacle: Hashable, Sendable {
    case instanceNotConfigured
    case accountNotConfigured
    case notPermitted
    /// Somebody has to agree there, which nobody can to what a task does.
    case approvalsNeeded
}

extension KillTaskObstacle: CustomStringConvertible {
    /// The reason in a sentence.
    public var description: String {
        switch self {
        case .instanceNotConfigured: "the instance is not configured"
        case .accountNotConfigured: "the account that created it is not configured"
        case .notPermitted: "the account that created it may not run tasks on the instance"
        case .approvalsNeeded: "the instance asks for approvals, and nobody can approve what a task does"
        }
    }
}

/// Why a task was not created or cancelled.
public enum KillTaskError: Error, Hashable, Sendable {
    /// The instance has a running task already.
    case duplicate
    /// Somebody has to agree before sessions are ended there, and nobody can to those whom a rule will find.
    case approvalsNeeded
    /// The instance has no running task.
    case notFound
    /// The task kills nobody any more, but would do so again after a restart.
    case cancellationNotStored(StoreError)
}
