/// What there is to do for kill tasks on one instance, in rounds with a pause between them.
///
/// In a round the end of a task is stored, plans whose Commit has not come to its end are carried out, and the sessions
/// that the running task selects are prepared and committed: one action at a time.
struct KillTaskWork {
    typealias Action = KillTaskMachine.Action
    typealias GateID = KillTaskMachine.GateID
    typealias UnfinishedPlan = KillTaskMachine.UnfinishedPlan

    struct Running {
        let task: KillTask
        var gate: GateID
        var obstacle: KillTaskObstacle?
        /// How and when it ended, if only the store does not know that yet.
        var ending: (how: KillTaskEnding, at: UnixTime)?
        var attempts = KillAttempts()

        init(task: KillTask, gate: GateID) {
            self.task = task
            self.gate = gate
        }

        var mayKill: Bool { obstacle == nil && ending == nil }

        mutating func end(_ ending: KillTaskEnding, at time: UnixTime) {
            if self.ending == nil { self.ending = (ending, time) }
        }
    }

    /// Whether the instance is there to work on.
    enum Presence {
        case configured
        /// Not configured any more, and kept until the plans that were begun on it are finished.
        case leaving
        case absent
    }

    private enum Phase {
        case idle
        case storingEnd
        /// As whom: the task may be another one when the plan is there.
        case preparing(Running)
        /// - Parameter isLast: whether the round ends after it.
        case committing(isLast: Bool)
        case pausing
    }

    private let instance: InstanceID
    var presence: Presence
    var running: Running?
    var unfinished: [UnfinishedPlan] = []
    private var phase = Phase.idle
    /// Of the round that goes on.
    private var failure: (any Error)?
    private var lastFailure: FailureKind?
    /// Whether no round begins any more.
    private var isStopping: Bool

    private static let pause = Duration.seconds(1)

    init(instance: InstanceID, presence: Presence, isStopping: Bool) {
        self.instance = instance
        self.presence = presence
        self.isStopping = isStopping
    }

    private var canCommit: Bool { !unfinished.isEmpty && presence != .absent }
    private var isNeeded: Bool { running != nil || canCommit }

    /// The gates through which KILLs may have to pass yet.
    var gates: [GateID] {
        var gates = unfinished.compactMap { $0.conditions?.gate }
        if let running { gates.append(running.gate) }
        if case .preparing(let running) = phase { gates.append(running.gate) }
        return gates
    }

    // MARK: Rounds

    /// Has the next round come at once.
    mutating func wake(at time: UnixTime) -> [Action] {
        guard !isStopping, isNeeded else { return [] }
        switch phase {
        case .pausing: return [.endPause(instance)]
        case .idle: return beginRound(at: time)
        case .storingEnd, .preparing, .committing: return []
        }
    }

    mutating func stop() -> [Action] {
        isStopping = true
        if case .pausing = phase { return [.endPause(instance)] }
        return []
    }

    mutating func beginRound(at time: UnixTime) -> [Action] {
        guard !isStopping, isNeeded else {
            phase = .idle
            return []
        }
        failure = nil
        guard let task = running?.task else { return goOn(at: time) }
        if let endsAt = task.endsAt, time >= endsAt { running?.end(.expired, at: endsAt) }
        guard let ending = running?.ending else { return goOn(at: time) }
        phase = .storingEnd
        return [.storeEnd(task, ending.how, at: ending.at)]
    }

    /// - Parameter isLast: whether the round ends after the plans that are there.
    mutating func goOn(isLast: Bool = false, at time: UnixTime) -> [Action] {
        if canCommit, let plan = unfinished.first {
            phase = .committing(isLast: isLast)
            return [.commit(plan, on: instance)]
        }
        var actions: [Action] = []
        if presence == .leaving {
            presence = .absent
            actions.append(.forget(instance))
        }
        guard !isLast, failure == nil, presence == .configured, let running, running.mayKill,
            !running.task.hasExpired(at: time)
        else { return actions + endRound(at: time) }
        phase = .preparing(running)
        return actions + [.prepare(running.task, sparing: running.attempts)]
    }

    private mutating func endRound(at time: UnixTime) -> [Action] {
        var actions: [Action] = []
        let kind = failure.map(FailureKind.init)
        if let failure {
            if kind != lastFailure { actions.append(.report(.failed(instance, failure))) }
        } else if lastFailure != nil {
            actions.append(.report(.recovered(instance)))
        }
        lastFailure = kind
        failure = nil
        guard !isStopping, isNeeded else {
            phase = .idle
            return actions
        }
        phase = .pausing
        return actions + [.pause(instance, pause(at: time))]
    }

    /// A second, or less if the task ends before.
    private func pause(at time: UnixTime) -> Duration {
        guard let running, running.ending == nil, let endsAt = running.task.endsAt else { return Self.pause }
        return min(Self.pause, .milliseconds(max(0, endsAt.milliseconds - time.milliseconds)))
    }

    // MARK: What came of an action

    mutating func ended(_ task: KillTask, _ ending: KillTaskEnding, isNews: Bool) -> [Action] {
        // The next may have begun meanwhile.
        if running?.task.name == task.name { running = nil }
        return isNews ? [.report(.ended(task, ending))] : []
    }

    mutating func endNotStored(_ error: any Error, at time: UnixTime) -> [Action] {
        failure = error
        return goOn(at: time)
    }

    mutating func prepared(_ plan: KillPlan?, at time: UnixTime) -> [Action] {
        guard case .preparing(let preparing) = phase else { return [] }
        guard let plan else { return endRound(at: time) }
        // Before the Commit, which may fail.
        if running?.task.name == preparing.task.name { running?.attempts.add(plan) }
        unfinished.append(
            UnfinishedPlan(
                sqlExecID: plan.sqlExecID,
                conditions: .init(rule: preparing.task.rule, gate: preparing.gate, endsAt: preparing.task.endsAt)))
        return goOn(isLast: true, at: time)
    }

    mutating func committed(_ report: CommitReport, at time: UnixTime) -> [Action] {
        guard case .committing(let isLast) = phase else { return [] }
        unfinished.removeFirst()
        return [.report(.committed(report))] + goOn(isLast: isLast, at: time)
    }

    mutating func failed(_ error: any Error, at time: UnixTime) -> [Action] {
        if case .committing = phase, (error as? KillError)?.isFinal == true { unfinished.removeFirst() }
        failure = error
        return endRound(at: time)
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
