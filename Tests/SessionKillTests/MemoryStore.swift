import SessionKill

/// A store in memory that can be told to fail, or to die at a step.
actor MemoryStore: PlanStore, KillTaskStore, SessionTaskStore {
    enum Step: CaseIterable { case insert, claim, finish, end, insertSessionTask, endSessionTask }

    private(set) var plans: [SqlExecID: StoredPlan] = [:]
    /// The tickets of the plans in the order in which they were stored.
    private var tickets: [SqlExecID] = []
    /// In the order in which they were stored.
    private(set) var killTasks: [StoredKillTask] = []
    /// These steps fail and change nothing.
    var failing: Set<Step> = []
    /// These steps are stored, but the caller never hears of it.
    var dyingAfter: Set<Step> = []

    /// Called when a claim is stored.
    var afterClaim: @Sendable () async -> Void = {}

    func set(_ change: @Sendable (isolated MemoryStore) -> Void) { change(self) }

    static let full = StoreError(.cannotWrite, "database or disk is full")

    func insert(_ plan: KillPlan) async throws(StoreError) {
        if failing.contains(.insert) { throw Self.full }
        guard let digest = try? plan.digest() else { throw StoreError(.other, "no digest") }
        guard plans[plan.sqlExecID] == nil, stored(plan.name) == nil else {
            throw StoreError(.other, "there is such a plan")
        }
        let threads = plan.content.threads.map(\.id)
        guard Set(threads).count == threads.count else { throw StoreError(.other, "the plan names a thread twice") }
        if let task = plan.content.task, !killTasks.contains(where: { $0.task.name == task }) {
            throw StoreError(.other, "there is no such task")
        }
        tickets.append(plan.sqlExecID)
        plans[plan.sqlExecID] = StoredPlan(plan: plan, digest: digest, state: .prepared)
        if dyingAfter.contains(.insert) { throw Self.full }
    }

    func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan? { plans[sqlExecID] }

    func plan(named name: PlanName) async throws(StoreError) -> StoredPlan? { stored(name) }

    func history(
        of instances: Set<InstanceID>, at time: UnixTime, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [PlanSummary] {
        let recorded = tickets.reversed().compactMap { plans[$0] }.filter { stored in
            stored.plan.content.recordHistory && instances.contains(stored.plan.content.instance)
        }
        return recorded.dropFirst(offset).prefix(limit).map { PlanSummary($0, at: time) }
    }

    func claim(_ name: PlanName, intending threads: [ThreadID], at time: UnixTime) async throws(StoreError) -> Bool {
        if failing.contains(.claim) { throw Self.full }
        guard let stored = stored(name), stored.state == .prepared else { return false }
        try requireThreads(threads, of: stored)
        guard Set(threads).count == threads.count else { throw StoreError(.other, "a thread is named twice") }
        put(stored, .committing(since: time, intended: Set(threads)))
        if dyingAfter.contains(.claim) { throw Self.full }
        await afterClaim()
        return true
    }

    func finish(
        _ name: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> Bool {
        if failing.contains(.finish) { throw Self.full }
        guard let stored = stored(name) else { throw StoreError(.other, "there is no such plan") }
        if case .ended = stored.state { return false }
        try requireThreads(outcomes.keys, of: stored)
        let intended: Set<ThreadID> = if case .committing(_, let threads) = stored.state { threads } else { [] }
        let killed = outcomes.filter { [.killed, .ended].contains($0.value) }.keys
        guard intended.isSuperset(of: killed), intended.isSuperset(of: guards.keys) else {
            throw StoreError(.other, "killed or ended without an intent")
        }
        if let index = killTasks.firstIndex(where: { $0.task.name == stored.plan.content.task }) {
            let task = killTasks[index]
            killTasks[index] = StoredKillTask(
                task: task.task, state: task.state,
                killedSessions: task.killedSessions + outcomes.values.count(where: \.isKilled))
        }
        put(stored, .ended(ending, at: time, outcomes: outcomes, guards: guards))
        if dyingAfter.contains(.finish) { throw Self.full }
        return true
    }

    func insert(_ task: KillTask) async throws(StoreError) -> Bool {
        if failing.contains(.insert) { throw Self.full }
        guard !killTasks.contains(where: { $0.task.instance == task.instance && $0.state == .running }) else {
            return false
        }
        guard !killTasks.contains(where: { $0.task.name == task.name }) else {
            throw StoreError(.other, "there is such a task")
        }
        killTasks.append(StoredKillTask(task: task, state: .running, killedSessions: 0))
        return true
    }

    func end(
        _ name: KillTaskName, as ending: KillTaskEnding, at time: UnixTime
    ) async throws(StoreError) -> Bool {
        if failing.contains(.end) { throw Self.full }
        guard let index = killTasks.firstIndex(where: { $0.task.name == name && $0.state == .running }) else {
            return false
        }
        guard ending != .expired || killTasks[index].task.endsAt != nil else {
            throw StoreError(.other, "the task has no end")
        }
        killTasks[index] = StoredKillTask(
            task: killTasks[index].task, state: .ended(ending, at: time),
            killedSessions: killTasks[index].killedSessions)
        return true
    }

    func runningTasks() async throws(StoreError) -> [KillTask] {
        killTasks.filter { $0.state == .running }.map(\.task)
    }

    func tasks(
        of instances: Set<InstanceID>, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [StoredKillTask] {
        Array(killTasks.reversed().filter { instances.contains($0.task.instance) }.dropFirst(offset).prefix(limit))
    }

    func interruptedTaskPlans() async throws(StoreError) -> [InterruptedTaskPlan] {
        tickets.compactMap { plans[$0] }.filter { $0.plan.content.task != nil && $0.state.status == .committing }.map {
            InterruptedTaskPlan(sqlExecID: $0.plan.sqlExecID, instance: $0.plan.content.instance)
        }
    }

    private(set) var sessionTasks: [SessionTaskID: StoredSessionTask] = [:]
    /// In the order in which they were stored.
    private var sessionTaskIDs: [SessionTaskID] = []

    func insert(_ task: SessionTask, _ sessions: [TaskedSession]) async throws(StoreError) {
        if failing.contains(.insertSessionTask) { throw Self.full }
        guard sessionTasks[task.id] == nil else { throw StoreError(.other, "there is such a task") }
        sessionTaskIDs.append(task.id)
        sessionTasks[task.id] = StoredSessionTask(task: task, state: .running, sessions: sessions)
        if dyingAfter.contains(.insertSessionTask) { throw Self.full }
    }

    func end(
        _ id: SessionTaskID, as ending: SessionTaskEnding, _ sessions: [TaskedSession], at time: UnixTime
    ) async throws(StoreError) -> Bool {
        if failing.contains(.endSessionTask) { throw Self.full }
        guard let stored = sessionTasks[id], stored.state == .running else { return false }
        sessionTasks[id] = StoredSessionTask(task: stored.task, state: .ended(ending, at: time), sessions: sessions)
        return true
    }

    func sessionTask(_ id: SessionTaskID) async throws(StoreError) -> StoredSessionTask? { sessionTasks[id] }

    func runningSessionTasks() async throws(StoreError) -> [StoredSessionTask] {
        sessionTaskIDs.compactMap { sessionTasks[$0] }.filter { $0.state == .running }
    }

    /// Changes a plan behind killd's back.
    func alter(_ sqlExecID: SqlExecID, _ change: (inout KillPlan.Content) -> Void) {
        guard let stored = plans[sqlExecID] else { return }
        var content = stored.plan.content
        change(&content)
        plans[sqlExecID] = StoredPlan(
            plan: KillPlan(name: stored.plan.name, sqlExecID: sqlExecID, content: content), digest: stored.digest,
            state: stored.state)
    }

    private func requireThreads(_ threads: some Sequence<ThreadID>, of stored: StoredPlan) throws(StoreError) {
        guard Set(threads).isSubset(of: stored.plan.content.threads.map(\.id)) else {
            throw StoreError(.other, "the plan lacks some of \(threads)")
        }
    }

    private func stored(_ name: PlanName) -> StoredPlan? { plans.values.first { $0.plan.name == name } }

    private func put(_ stored: StoredPlan, _ state: PlanState) {
        plans[stored.plan.sqlExecID] = StoredPlan(plan: stored.plan, digest: stored.digest, state: state)
    }
}

extension PlanSummary {
    fileprivate init(_ stored: StoredPlan, at time: UnixTime) {
        let content = stored.plan.content
        var endedAt: UnixTime?
        var counts: [Outcome.Kind: Int] = [:]
        if case .ended(_, let time, let outcomes, _) = stored.state {
            endedAt = time
            for outcome in outcomes.values { counts[outcome.kind, default: 0] += 1 }
        }
        self.init(
            name: stored.plan.name, account: content.account, instance: content.instance, task: content.task,
            preparedAt: content.preparedAt, status: stored.state.status.asOf(time, expiresAt: content.expiresAt),
            endedAt: endedAt, threadCount: content.threads.count, outcomes: counts)
    }
}
