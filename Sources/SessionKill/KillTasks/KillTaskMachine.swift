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

    private var works: [InstanceID: KillTaskWork] = [:]
    private var obstacle: @Sendable (KillTask) -> KillTaskObstacle? = { _ in nil }
    private var gateCount = 0
    private var hasStarted = false
    private var isStopping = false

    private var ids: [InstanceID] { Array(works.keys) }

    // MARK: What is there

    /// Adds a plan of a task whose Commit was interrupted when killd ended.
    mutating func add(_ plan: InterruptedTaskPlan) {
        let new = newWork(on: plan.instance)
        works[plan.instance, default: new].unfinished.append(
            UnfinishedPlan(sqlExecID: plan.sqlExecID, conditions: nil))
    }

    /// Adds a task that runs.
    mutating func add(_ task: KillTask) -> [Action] {
        let (gate, new) = (newGate(), newWork(on: task.instance))
        works[task.instance, default: new].running = KillTaskWork.Running(task: task, gate: gate)
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
    var gates: Set<GateID> { works.values.reduce(into: []) { $0.formUnion($1.gates) } }

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

    private func newWork(
        on instance: InstanceID, presence: KillTaskWork.Presence = .absent
    ) -> KillTaskWork {
        KillTaskWork(instance: instance, presence: presence, isStopping: isStopping)
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
            return ids.flatMap { id in work(on: id) { $0.stop() } }
        case .created(let task):
            if works[task.instance] == nil {
                works[task.instance] = newWork(on: task.instance, presence: .configured)
            }
            let actions = add(task)
            return actions + wake(task.instance, at: time)
        case .ended(let task, let ending, let isNews):
            return work(on: task.instance) { $0.ended(task, ending, isNews: isNews) }
        case .endStored(let task, let ending, let isNews):
            return work(on: task.instance) { $0.ended(task, ending, isNews: isNews) + $0.goOn(at: time) }
        case .endNotStored(let task, let error):
            return work(on: task.instance) { $0.endNotStored(error, at: time) }
        case .prepared(let id, let plan): return work(on: id) { $0.prepared(plan, at: time) }
        case .committed(let id, let report): return work(on: id) { $0.committed(report, at: time) }
        case .failed(let id, let error): return work(on: id) { $0.failed(error, at: time) }
        case .pauseOver(let id): return work(on: id) { $0.beginRound(at: time) }
        }
    }

    private mutating func work(
        on instance: InstanceID, _ body: (inout KillTaskWork) -> [Action]
    ) -> [Action] {
        guard var work = works[instance] else { return [] }
        defer { works[instance] = work }
        return body(&work)
    }

    private mutating func configure(_ instances: Set<InstanceID>, at time: UnixTime) -> [Action] {
        for id in ids where works[id]?.presence != .absent {
            // A plan that was begun is finished all the same.
            let isIdle = works[id]?.unfinished.isEmpty == true
            works[id]?.presence = isIdle ? .absent : .leaving
        }
        for id in instances {
            let new = newWork(on: id)
            works[id, default: new].presence = .configured
        }
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

    private mutating func wakeAll(at time: UnixTime) -> [Action] { ids.flatMap { wake($0, at: time) } }

    /// Has the next round come at once.
    private mutating func wake(_ id: InstanceID, at time: UnixTime) -> [Action] {
        hasStarted ? work(on: id) { $0.wake(at: time) } : []
    }
}
