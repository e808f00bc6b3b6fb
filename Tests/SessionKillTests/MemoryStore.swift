import SessionKill

/// A store in memory that can be told to fail, or to die at a step.
actor MemoryStore: PlanStore, KillTaskStore, SessionTaskStore {
    enum Step: CaseIterable { case insert, decide, claim, finish, end, insertSessionTask, endSessionTask }

    private(set) var plans: [SqlExecID: StoredPlan] = [:]
    /// The tickets of the plans in the order in which they were stored.
    private var tickets: [SqlExecID] = []
    private var ticketsByName: [PlanName: SqlExecID] = [:]
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

    /// What the audit would have, and when.
    private(set) var events: [(event: AuditEvent, time: UnixTime)] = []

    private func time(atLeast time: UnixTime) -> UnixTime { max(time, events.last?.time ?? time) }

    private func append(_ event: AuditEvent, at time: UnixTime) -> AuditReceipt {
        events.append((event, self.time(atLeast: time)))
        return receipt(of: events.count)
    }

    private func receipt(of entry: Int) -> AuditReceipt {
        let digits = String(entry, radix: 16)
        return AuditReceipt(
            entry: Int64(entry), hash: String(repeating: "0", count: 64 - digits.utf8.count) + digits)
    }

    func receiptOfEnd(of plan: PlanName) async throws(StoreError) -> AuditReceipt? {
        let index = events.lastIndex { entry in
            entry.event.plan == plan && AuditEvent.Kind.ends.contains(entry.event.kind)
        }
        return index.map { receipt(of: $0 + 1) }
    }

    func revision() async throws(StoreError) -> Int64 { Int64(events.count) }

    @discardableResult
    func insert(_ plan: KillPlan, by caller: Caller) async throws(StoreError) -> AuditReceipt {
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
        ticketsByName[plan.name] = plan.sqlExecID
        plans[plan.sqlExecID] = StoredPlan(plan: plan, digest: digest, preparer: caller.person, state: .prepared)
        let receipt = append(.prepared(plan, digest: digest, by: caller), at: plan.content.preparedAt)
        if dyingAfter.contains(.insert) { throw Self.full }
        return receipt
    }

    func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan? { plans[sqlExecID] }

    func plan(named name: PlanName) async throws(StoreError) -> StoredPlan? { stored(name) }

    func plans(_ query: PlanQuery, at time: UnixTime) async throws(StoreError) -> [PlanSummary] {
        let recorded = tickets.reversed().compactMap { plans[$0] }.filter { stored in
            let kinds = Set(stored.decisions.map(\.kind))
            return stored.plan.content.recordHistory && query.instances.contains(stored.plan.content.instance)
                && query.states?.contains(stored.status(at: time)) != false
                && (!query.unreviewed || kinds.contains(.brokeGlass) && !kinds.contains(.reviewed))
        }
        return recorded.dropFirst(query.offset).prefix(query.limit).map { PlanSummary($0, at: time) }
    }

    func record(_ decision: Decision, on name: PlanName) async throws(StoreError) -> DecisionResult {
        if failing.contains(.decide) { throw Self.full }
        guard decision.kind != .brokeGlass else { throw StoreError(.other, "glass is broken by a claim only") }
        guard let stored = stored(name) else { return .notRecorded }
        var decision = decision
        decision.time = time(atLeast: decision.time)
        let (person, content) = (decision.caller.person, stored.plan.content)
        let isPrepared = stored.state == .prepared
        let isSameDigest = decision.digest == stored.digest
        let isAnother = person != stored.preparer && person != content.requestedBy
        let earlier = stored.decisions.contains {
            $0.kind == decision.kind && $0.caller.person == person && $0.digest == decision.digest
        }
        if earlier, decision.kind == .reviewed || (decision.kind == .approved && isPrepared) {
            return .repeated(receipt(of: entry(of: decision, on: name)))
        }
        let isAllowed =
            switch decision.kind {
            case .approved:
                isPrepared && isSameDigest && isAnother && stored.status(at: decision.time) != .expired
                    && content.review.map { decision.time < $0.approvableUntil } == true
            case .rejected: isPrepared && isSameDigest && decision.time < lastDeadline(of: stored)
            case .cancelled:
                isPrepared && (decision.digest == nil || isSameDigest) && decision.caller.account == content.account
                    && decision.time < lastDeadline(of: stored)
            case .reviewed:
                stored.state.hasEnded && isSameDigest && isAnother
                    && stored.decisions.contains { $0.kind == .brokeGlass }
            case .brokeGlass: false
            }
        guard isAllowed else { return .notRecorded }
        let state: PlanState =
            switch decision.kind {
            case .rejected: .ended(.rejected, at: decision.time, outcomes: [:])
            case .cancelled: .ended(.cancelled, at: decision.time, outcomes: [:])
            case .approved, .reviewed, .brokeGlass: stored.state
            }
        put(stored, state, stored.decisions + [decision])
        let receipt = append(.decided(decision, on: AuditedPlan(stored)), at: decision.time)
        if dyingAfter.contains(.decide) { throw Self.full }
        return .recorded(receipt)
    }

    private func entry(of decision: Decision, on name: PlanName) -> Int {
        let index = events.lastIndex { entry in
            guard case .decided(let earlier, let plan) = entry.event else { return false }
            return plan.name == name && earlier.kind == decision.kind
                && earlier.caller.person == decision.caller.person
        }
        return (index ?? -1) + 1
    }

    /// When nobody can approve or commit it any more, whatever the configuration.
    private func lastDeadline(of stored: StoredPlan) -> UnixTime {
        let (content, review) = (stored.plan.content, stored.plan.content.review)
        var times = [review?.approvableUntil ?? content.expiresAt]
        if (review?.required ?? 0) == 0 { times.append(content.expiresAt) }
        times += stored.approvals.map { $0.time.advanced(bySeconds: review?.commitWithin ?? 0) }
        return times.max() ?? content.expiresAt
    }

    func claim(_ name: PlanName, _ claim: PlanClaim) async throws(StoreError) -> ClaimResult {
        if failing.contains(.claim) { throw Self.full }
        guard let stored = stored(name), stored.state == .prepared, stored.digest == claim.digest else {
            return .notClaimed
        }
        var claim = claim
        claim.time = time(atLeast: claim.time)
        let valid = stored.approvals.filter { approval in
            claim.approvals.contains { $0.caller.person == approval.caller.person }
        }
        switch stored.outline.standing(validApprovals: valid, required: claim.required, at: claim.time) {
        case .expired(let since):
            put(stored, .ended(.expired, at: since, outcomes: [:]))
            _ = append(.expired(AuditedPlan(stored)), at: claim.time)
            return .expired
        case .waiting where claim.breakGlass == nil: return .notClaimed
        case .waiting, .notNeeded, .approved: break
        }
        try requireThreads(claim.intended, of: stored)
        guard Set(claim.intended).count == claim.intended.count else {
            throw StoreError(.other, "a thread is named twice")
        }
        var decisions = stored.decisions
        if var glass = claim.breakGlass {
            glass.time = claim.time
            decisions.append(glass)
            _ = append(.decided(glass, on: AuditedPlan(stored)), at: claim.time)
        }
        put(stored, .committing(since: claim.time, intended: Set(claim.intended)), decisions)
        let required = max(claim.required, stored.plan.content.review?.required ?? 0)
        let receipt = append(.claimed(claim, on: AuditedPlan(stored), required: required), at: claim.time)
        if dyingAfter.contains(.claim) { throw Self.full }
        await afterClaim()
        return .claimed(receipt)
    }

    @discardableResult
    func finish(
        _ name: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> AuditReceipt? {
        if failing.contains(.finish) { throw Self.full }
        guard let stored = stored(name) else { throw StoreError(.other, "there is no such plan") }
        switch ending {
        case .rejected, .cancelled, .expired: throw StoreError(.other, "that is no end of a Commit")
        case .committed where stored.state == .prepared: throw StoreError(.other, "nobody has claimed the plan")
        case .committed, .stale, .abandoned: break
        }
        if case .ended = stored.state { return nil }
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
        let receipt = append(.finished(ending, outcomes: outcomes, on: AuditedPlan(stored)), at: time)
        if dyingAfter.contains(.finish) { throw Self.full }
        return receipt
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
        _ = append(.taskCreated(task), at: task.createdAt)
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
        _ = append(.taskEnded(name, ending), at: time)
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
        _ = append(.sessionTaskCreated(task, threads: sessions.map(\.id)), at: task.createdAt)
        if dyingAfter.contains(.insertSessionTask) { throw Self.full }
    }

    func end(
        _ id: SessionTaskID, as ending: SessionTaskEnding, _ sessions: [TaskedSession], at time: UnixTime
    ) async throws(StoreError) -> Bool {
        if failing.contains(.endSessionTask) { throw Self.full }
        guard let stored = sessionTasks[id], stored.state == .running else { return false }
        sessionTasks[id] = StoredSessionTask(task: stored.task, state: .ended(ending, at: time), sessions: sessions)
        _ = append(.sessionTaskEnded(id, ending, outcomes: []), at: time)
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
            preparer: stored.preparer, state: stored.state, decisions: stored.decisions)
    }

    private func requireThreads(_ threads: some Sequence<ThreadID>, of stored: StoredPlan) throws(StoreError) {
        guard Set(threads).isSubset(of: stored.plan.content.threads.map(\.id)) else {
            throw StoreError(.other, "the plan lacks some of \(threads)")
        }
    }

    private func stored(_ name: PlanName) -> StoredPlan? { ticketsByName[name].flatMap { plans[$0] } }

    private func put(_ stored: StoredPlan, _ state: PlanState, _ decisions: [Decision]? = nil) {
        plans[stored.plan.sqlExecID] = StoredPlan(
            plan: stored.plan, digest: stored.digest, preparer: stored.preparer, state: state,
            decisions: decisions ?? stored.decisions)
    }
}

extension PlanState {
    fileprivate var hasEnded: Bool { if case .ended = self { true } else { false } }
}

extension AuditedPlan {
    fileprivate init(_ stored: StoredPlan) {
        self.init(name: stored.plan.name, instance: stored.plan.content.instance, digest: stored.digest)
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
            stored.outline, preparedAt: content.preparedAt, reason: content.reason, endedAt: endedAt,
            threadCount: content.threads.count, outcomes: counts, at: time)
    }
}
