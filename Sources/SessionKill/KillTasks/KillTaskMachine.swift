/// Decides what is done for kill tasks, at most one of which runs on each
/// instance: a value that waits for nothing and has no clock.
///
/// Of one instance one action is under way at a time, so that no snapshot runs
/// into the next. What fails is tried again after a pause as if nothing was.
struct KillTaskMachine {
    enum Event {
        /// Other instances are configured, or rights are others.
        case configured(Set<InstanceID>, obstacle: @Sendable (KillTask) -> KillTaskObstacle?)
        case started
        case stopping
        case created(KillTask)
        /// The end of a task was stored by whoever cancelled it, beside the rounds.
        case ended(KillTask, KillTaskEnding, isNews: Bool)
        /// What came of an action.
        case endStored(KillTask, KillTaskEnding, isNews: Bool)
        case endNotStored(KillTask, any Error)
        case prepared(InstanceID, KillPlan?)
        case committed(InstanceID, CommitReport)
        case failed(InstanceID, any Error)
        case pauseOver(InstanceID)
    }

    enum Action {
        /// To be answered by ``Event/endStored(_:_:isNews:)`` or ``Event/endNotStored(_:_:)``.
        case storeEnd(KillTask, KillTaskEnding, at: UnixTime)
        /// To be answered by ``Event/prepared(_:_:)`` or ``Event/failed(_:_:)``.
        case prepare(KillTask, sparing: KillAttempts)
        /// To be answered by ``Event/committed(_:_:)`` or ``Event/failed(_:_:)``.
        case commit(UnfinishedPlan, on: InstanceID)
        /// To be answered by ``Event/pauseOver(_:)``.
        case pause(InstanceID, Duration)
        case endPause(InstanceID)
        /// No KILL of the task passes any more.
        case revoke(GateID)
        /// Nothing is left to do on an instance that is not configured any more.
        case forget(InstanceID)
        case report(KillTaskRunner.Event)
    }

    /// Names the gate through which a task's KILLs pass; a task that may not run any more and then may again has another.
    struct GateID: Hashable {
        fileprivate let number: Int
    }

    /// A plan whose Commit has not come to its end.
    struct UnfinishedPlan: Hashable {
        let sqlExecID: SqlExecID
        /// Of the task that is to carry it out; `nil` for one that can only be closed.
        let conditions: Conditions?

        struct Conditions: Hashable {
            let rule: KillRule
            let gate: GateID
            let endsAt: UnixTime?
        }
    }

    private struct RunningTask {
        let task: KillTask
        var gate: GateID
        var obstacle: KillTaskObstacle?
        /// How and when it ended, if only the store does not know that yet.
        var ending: (how: KillTaskEnding, at: UnixTime)?
        var attempts = KillAttempts()

        var mayKill: Bool { obstacle == nil && ending == nil }

        mutating func end(_ ending: KillTaskEnding, at time: UnixTime) {
            if self.ending == nil { self.ending = (ending, time) }
        }
    }

    /// Whether an instance is there to work on.
    private enum Presence {
        case configured
        /// Not configured any more, and kept until the plans that were begun on it are finished.
        case leaving
        case absent
    }

    private enum Phase {
        case idle
        case storingEnd
        /// As whom: the task may be another one when the plan is there.
        case preparing(RunningTask)
        /// - Parameter isLast: whether the round ends after it.
        case committing(isLast: Bool)
        case pausing
    }

    /// What there is to do on one instance.
    private struct Work {
        var presence = Presence.absent
        var running: RunningTask?
        var unfinished: [UnfinishedPlan] = []
        var phase = Phase.idle
        /// Of the round that goes on.
        var failure: (any Error)?
        var lastFailure: FailureKind?

        var canCommit: Bool { !unfinished.isEmpty && presence != .absent }
        var isNeeded: Bool { running != nil || canCommit }
    }

    private var works: [InstanceID: Work] = [:]
    private var obstacle: @Sendable (KillTask) -> KillTaskObstacle? = { _ in nil }
    private var gateCount = 0
    private var hasStarted = false
    private var isStopping = false

    private static let pause = Duration.seconds(1)

    private var ids: [InstanceID] { Array(works.keys) }

    // MARK: What is there

    /// Adds a plan of a task whose Commit was interrupted when killd ended.
    mutating func add(_ plan: InterruptedTaskPlan) {
        works[plan.instance, default: Work()].unfinished.append(
            UnfinishedPlan(sqlExecID: plan.sqlExecID, conditions: nil))
    }

    /// Adds a task that runs.
    mutating func add(_ task: KillTask) -> [Action] {
        let gate = newGate()
        works[task.instance, default: Work()].running = RunningTask(task: task, gate: gate)
        return decideWhetherTaskMayRun(on: task.instance)
    }

    /// Whether the instance is or was configured, or has something left to do.
    func knows(_ instance: InstanceID) -> Bool { works[instance] != nil }

    /// Whether a task of the store kills nobody for now, though it has not ended.
    func isSuspended(_ task: KillTask) -> Bool {
        guard let running = works[task.instance]?.running, running.task.name == task.name else { return true }
        return !running.mayKill
    }

    /// The gates through which KILLs may have to pass yet.
    var gates: Set<GateID> {
        works.values.reduce(into: []) { gates, work in
            if let running = work.running { gates.insert(running.gate) }
            if case .preparing(let running) = work.phase { gates.insert(running.gate) }
            for plan in work.unfinished { if let gate = plan.conditions?.gate { gates.insert(gate) } }
        }
    }

    /// Ends the running task of an instance, from now on for good.
    ///
    /// - Returns: how it ended and by which gate its KILLs pass; `nil` if none runs.
    mutating func cancel(
        on instance: InstanceID, by account: AccountName, at time: UnixTime
    ) -> (task: KillTask, ending: KillTaskEnding, at: UnixTime, gate: GateID)? {
        guard var running = works[instance]?.running, !running.task.hasExpired(at: time) else { return nil }
        running.end(.cancelled(by: account), at: time)
        works[instance]?.running = running
        guard let ending = running.ending else { return nil }
        return (running.task, ending.how, ending.at, running.gate)
    }

    private mutating func newGate() -> GateID {
        gateCount += 1
        return GateID(number: gateCount)
    }

    // MARK: What happens

    mutating func handle(_ event: Event, at time: UnixTime) -> [Action] {
        switch event {
        case .configured(let instances, let obstacle):
            self.obstacle = obstacle
            return configure(instances, at: time)
        case .started:
            hasStarted = true
            return wakeAll(at: time)
        case .stopping:
            isStopping = true
            return works.compactMap { id, work in if case .pausing = work.phase { .endPause(id) } else { nil } }
        case .created(let task):
            if works[task.instance] == nil { works[task.instance] = Work(presence: .configured) }
            let actions = add(task)
            return actions + wake(task.instance, at: time)
        case .ended(let task, let ending, let isNews): return ended(task, ending, isNews: isNews)
        case .endStored(let task, let ending, let isNews):
            return ended(task, ending, isNews: isNews) + goOn(task.instance, at: time)
        case .endNotStored(let task, let error):
            works[task.instance]?.failure = error
            return goOn(task.instance, at: time)
        case .prepared(let id, let plan): return prepared(plan, on: id, at: time)
        case .committed(let id, let report):
            guard case .committing(let isLast)? = works[id]?.phase else { return [] }
            works[id]?.unfinished.removeFirst()
            return [.report(.committed(report))] + goOn(id, isLast: isLast, at: time)
        case .failed(let id, let error):
            if case .committing? = works[id]?.phase, (error as? KillError)?.isFinal == true {
                works[id]?.unfinished.removeFirst()
            }
            works[id]?.failure = error
            return endRound(on: id, at: time)
        case .pauseOver(let id): return beginRound(on: id, at: time)
        }
    }

    private mutating func configure(_ instances: Set<InstanceID>, at time: UnixTime) -> [Action] {
        for id in ids where works[id]?.presence != .absent {
            // A plan that was begun is finished all the same.
            let isIdle = works[id]?.unfinished.isEmpty == true
            works[id]?.presence = isIdle ? .absent : .leaving
        }
        for id in instances { works[id, default: Work()].presence = .configured }
        var actions = works.compactMap { id, work in work.presence == .absent ? Action.forget(id) : nil }
        for id in ids { actions += decideWhetherTaskMayRun(on: id) }
        return actions + wakeAll(at: time)
    }

    private mutating func decideWhetherTaskMayRun(on id: InstanceID) -> [Action] {
        guard let work = works[id], let before = work.running else { return [] }
        let obstacle = work.presence == .configured ? obstacle(before.task) : .instanceNotConfigured
        works[id]?.running?.obstacle = obstacle
        guard let obstacle, obstacle != before.obstacle else { return [] }
        let gate = newGate()
        works[id]?.running?.gate = gate
        return [.report(.suspended(before.task, obstacle)), .revoke(before.gate)]
    }

    private mutating func ended(_ task: KillTask, _ ending: KillTaskEnding, isNews: Bool) -> [Action] {
        // The next may have begun meanwhile.
        if works[task.instance]?.running?.task.name == task.name { works[task.instance]?.running = nil }
        return isNews ? [.report(.ended(task, ending))] : []
    }

    // MARK: A round

    private mutating func wakeAll(at time: UnixTime) -> [Action] {
        var actions: [Action] = []
        for id in ids { actions += wake(id, at: time) }
        return actions
    }

    /// Has the next round come at once.
    private mutating func wake(_ id: InstanceID, at time: UnixTime) -> [Action] {
        guard hasStarted, !isStopping, let work = works[id], work.isNeeded else { return [] }
        switch work.phase {
        case .pausing: return [.endPause(id)]
        case .idle: return beginRound(on: id, at: time)
        case .storingEnd, .preparing, .committing: return []
        }
    }

    private mutating func beginRound(on id: InstanceID, at time: UnixTime) -> [Action] {
        guard !isStopping, let work = works[id], work.isNeeded else {
            works[id]?.phase = .idle
            return []
        }
        works[id]?.failure = nil
        guard var running = work.running else { return goOn(id, at: time) }
        if let endsAt = running.task.endsAt, time >= endsAt { running.end(.expired, at: endsAt) }
        works[id]?.running = running
        guard let ending = running.ending else { return goOn(id, at: time) }
        works[id]?.phase = .storingEnd
        return [.storeEnd(running.task, ending.how, at: ending.at)]
    }

    /// - Parameter isLast: whether the round ends after the plans that are there.
    private mutating func goOn(_ id: InstanceID, isLast: Bool = false, at time: UnixTime) -> [Action] {
        guard let work = works[id] else { return [] }
        if work.canCommit, let plan = work.unfinished.first {
            works[id]?.phase = .committing(isLast: isLast)
            return [.commit(plan, on: id)]
        }
        var actions: [Action] = []
        if work.presence == .leaving {
            works[id]?.presence = .absent
            actions.append(.forget(id))
        }
        guard !isLast, work.failure == nil, work.presence == .configured, let running = work.running, running.mayKill,
            !running.task.hasExpired(at: time)
        else { return actions + endRound(on: id, at: time) }
        works[id]?.phase = .preparing(running)
        return actions + [.prepare(running.task, sparing: running.attempts)]
    }

    private mutating func prepared(_ plan: KillPlan?, on id: InstanceID, at time: UnixTime) -> [Action] {
        guard case .preparing(let running)? = works[id]?.phase else { return [] }
        guard let plan else { return endRound(on: id, at: time) }
        // Before the Commit, which may fail.
        if works[id]?.running?.task.name == running.task.name { works[id]?.running?.attempts.add(plan) }
        works[id]?.unfinished.append(
            UnfinishedPlan(
                sqlExecID: plan.sqlExecID,
                conditions: .init(rule: running.task.rule, gate: running.gate, endsAt: running.task.endsAt)))
        return goOn(id, isLast: true, at: time)
    }

    private mutating func endRound(on id: InstanceID, at time: UnixTime) -> [Action] {
        guard let work = works[id] else { return [] }
        var actions: [Action] = []
        let kind = work.failure.map(FailureKind.init)
        if let failure = work.failure {
            if kind != work.lastFailure { actions.append(.report(.failed(id, failure))) }
        } else if work.lastFailure != nil {
            actions.append(.report(.recovered(id)))
        }
        works[id]?.lastFailure = kind
        works[id]?.failure = nil
        guard !isStopping, work.isNeeded else {
            works[id]?.phase = .idle
            return actions
        }
        works[id]?.phase = .pausing
        return actions + [.pause(id, pause(of: work.running, at: time))]
    }

    /// A second, or less if the task ends before.
    private func pause(of running: RunningTask?, at time: UnixTime) -> Duration {
        guard let running, running.ending == nil, let endsAt = running.task.endsAt else { return Self.pause }
        return min(Self.pause, .milliseconds(max(0, endsAt.milliseconds - time.milliseconds)))
    }
}

/// The same for errors that differ in nothing but their words.
private enum FailureKind: Hashable {
    case server(ServerError.Reason, code: UInt32)
    case store(StoreError.Reason)
    case plan(KillError)
    case other(ObjectIdentifier)

    init(_ error: any Error) {
        self =
            switch error {
            case let error as ServerError: .server(error.reason, code: error.code)
            case let error as StoreError: .store(error.reason)
            case KillError.outcomesNotStored(let error): .store(error.reason)
            case let error as KillError: .plan(error)
            default: .other(ObjectIdentifier(type(of: error)))
            }
    }
}

extension KillError {
    /// Whether another Commit of the plan could not come to another end.
    fileprivate var isFinal: Bool {
        switch self {
        case .planNotFound, .expired, .stale, .planAltered, .notPermitted, .decided, .decisionRefused: true
        case .beingCommitted, .outcomesNotStored, .notApproved: false
        }
    }
}
