import Text

/// Prepares and commits kill plans by the laws of the design:
///
/// 1. No record, no kill: intents are on disk before the KILLs are sent.
/// 2. Only what was pinned: server and sessions are identified again on the
///    connection that kills.
/// 3. Only a ``ThreadID`` reaches SQL.
/// 4. Some sessions are never killed: ``ProtectionRules``.
/// 5. Once: however often a plan is committed, each session is ended at most
///    once and every caller gets the same answer.
/// 6. OK is not death: a session counts as killed when it was seen to be gone.
/// 7. A crash loses nothing: a repeated Commit takes up where the first ended.
/// 8. Refuse rather than guess.
public struct KillEngine: Sendable {
    let store: any PlanStore
    private(set) var settings: Settings
    let clock: Clock
    let unstored = UnstoredOutcomes()
    let gate = KillGate()
    private let commitsInProgress = CommitsInProgress()

    public struct Settings: Hashable, Sendable {
        /// How long after its Prepare a plan can be committed, in seconds.
        public var planLifetime: Int
        /// How long a Commit watches for the sessions to be gone.
        public var killWait: Duration
        /// How much of each statement a plan keeps, in bytes.
        public var maximumStatementBytes: Int

        public init(planLifetime: Int, killWait: Duration, maximumStatementBytes: Int = 1_024) {
            self.planLifetime = planLifetime
            self.killWait = killWait
            self.maximumStatementBytes = maximumStatementBytes
        }
    }

    /// The two things the engine wants from time.
    public struct Clock: Sendable {
        public var now: @Sendable () -> UnixTime
        public var sleep: @Sendable (Duration) async throws -> Void

        public init(
            now: @escaping @Sendable () -> UnixTime, sleep: @escaping @Sendable (Duration) async throws -> Void
        ) {
            self.now = now
            self.sleep = sleep
        }
    }

    public init(store: any PlanStore, settings: Settings, clock: Clock) {
        self.store = store
        self.settings = settings
        self.clock = clock
    }

    /// The same engine with other settings. A Commit that either of them has
    /// begun is in progress for both: of one plan there is still one at a time.
    public func with(_ settings: Settings) -> KillEngine {
        var engine = self
        engine.settings = settings
        return engine
    }

    /// Pins the sessions that have these ids now and stores them as a plan.
    ///
    /// An id without a session is pinned as absent: whoever has it at Commit is
    /// left alone.
    ///
    /// - Parameters:
    ///   - threads: an id that occurs twice is pinned once.
    ///   - recordHistory: whether to keep what people want to know of the
    ///     sessions, and not only what tells them apart.
    /// - Throws: ``ServerError``, ``StoreError`` or `CryptographyError`; nothing
    ///   is stored then.
    public func prepare(
        _ threads: [ThreadID], on instance: Instance, for account: String, recordHistory: Bool
    ) async throws -> KillPlan {
        let snapshot = try await (recordHistory ? instance.detailedSnapshots : instance.lists).observe()
        try snapshot.observation.requireKillPrivilege()
        var seen: Set<ThreadID> = []
        let sessions = try threads.map(snapshot.session(named:)).filter { seen.insert($0).inserted }
        try snapshot.requirePinnable(sessions)
        return try await store(
            sessions, from: snapshot, on: instance, for: account, task: nil, recordHistory: recordHistory)
    }

    /// Pins the sessions that have these ids in a look at the server and stores
    /// them as a plan.
    ///
    /// - Parameter threads: each id once.
    func store(
        _ threads: [ThreadID], from snapshot: IndexedObservation, on instance: Instance, for account: String,
        task: KillTaskName?, recordHistory: Bool, serverSessions: [ThreadID: ServerSession] = [:]
    ) async throws -> KillPlan {
        try snapshot.observation.requireUnmistakableStart()
        let preparation = Preparation(
            snapshot: snapshot, instance: instance, settings: settings, serverSessions: serverSessions)
        let now = clock.now()
        let plan = KillPlan(
            name: try .random(), sqlExecID: try .random(),
            content: KillPlan.Content(
                account: account, instance: instance.id, task: task, preparedAt: now,
                expiresAt: now.advanced(bySeconds: settings.planLifetime), recordHistory: recordHistory,
                fingerprint: snapshot.observation.fingerprint,
                threads: try threads.map { try preparation.pin($0, withDetails: recordHistory) },
                impact: recordHistory ? preparation.impact(of: Set(threads)) : nil))
        try await store.insert(plan)
        return plan
    }

    /// Ends the sessions of a plan, or repeats what an earlier Commit of it
    /// answered.
    ///
    /// - Throws: ``KillError``, ``ServerError``, ``StoreError`` or
    ///   `CryptographyError`. No KILL was sent, except where
    ///   ``KillError/outcomesNotStored(_:)`` says so.
    public func commit(
        _ sqlExecID: SqlExecID, on instance: Instance, for account: String
    ) async throws -> CommitReport {
        // With account and instance: nobody hears the answer to a Commit that would be refused to them.
        let key = CommitsInProgress.Key(sqlExecID: sqlExecID, account: account, instance: instance.id)
        return try await commitsInProgress.join(key) {
            try await commit(try await find(sqlExecID, on: instance, for: account), on: instance, as: nil)
        }
    }

    /// - Parameter mandate: of a task's plan; `nil` if somebody asked for the
    ///   Commit.
    func commit(
        _ stored: StoredPlan, on instance: Instance, as mandate: TaskMandate?
    ) async throws -> CommitReport {
        var stored = stored
        do {
            if try await storeFinding(of: stored.plan.name), let now = try await store.plan(named: stored.plan.name) {
                stored = now
            }
        } catch {
            throw KillError.outcomesNotStored(error)
        }
        switch stored.state {
        case .ended(.committed, _, let outcomes, _), .ended(.abandoned, _, let outcomes, _):
            return CommitReport(plan: stored.plan, outcomes: outcomes)
        case .ended(.stale(let reason), _, let outcomes, _):
            throw KillError.stale(reason, afterInterruption: !outcomes.isEmpty)
        case .prepared where hasExpired(stored.plan): throw KillError.expired(at: stored.plan.content.expiresAt)
        case .prepared, .committing: break
        }
        guard try stored.plan.digest() == stored.digest else { throw KillError.planAltered }
        return try await instance.server.withConnection { [stored] connection in
            try await Commit(
                engine: self, plan: stored.plan, state: stored.state, instance: instance, connection: connection,
                purpose: mandate == nil ? .commit : .killTask, mandate: mandate, caller: nil, witness: { _ in }
            ).run()
        }
    }

    func hasExpired(_ plan: KillPlan) -> Bool { clock.now() >= plan.content.expiresAt }

    /// A plan and how far it got, for whoever may see it.
    public func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan? {
        try await store.plan(with: sqlExecID)
    }

    public func plan(named name: PlanName) async throws(StoreError) -> StoredPlan? {
        try await store.plan(named: name)
    }

    /// The recorded plans of some instances, the latest first.
    public func history(
        of instances: Set<InstanceID>, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [PlanSummary] {
        try await store.history(of: instances, at: clock.now(), skipping: offset, limit: limit)
    }

    /// How far a plan got by now.
    public func status(of stored: StoredPlan) -> PlanStatus {
        stored.state.status.asOf(clock.now(), expiresAt: stored.plan.content.expiresAt)
    }

    /// Somebody else's ticket is answered like one that never was, and so is a
    /// task's: only the task may commit it, by its rule.
    private func find(_ sqlExecID: SqlExecID, on instance: Instance, for account: String) async throws -> StoredPlan {
        guard let stored = try await store.plan(with: sqlExecID), stored.plan.content.account.isSame(as: account),
            stored.plan.content.instance == instance.id, stored.plan.content.task == nil
        else { throw KillError.planNotFound }
        return stored
    }
}

/// What a Commit answers, the first time and every time after.
public struct CommitReport: Hashable, Sendable {
    public let plan: KillPlan
    public let outcomes: [ThreadID: Outcome]

    public init(plan: KillPlan, outcomes: [ThreadID: Outcome]) {
        self.plan = plan
        self.outcomes = outcomes
    }

    /// The threads that Commit's `Threads` lists, in the order of the request.
    public var killed: [ThreadID] { plan.content.threads.map(\.id).filter { outcomes[$0]?.isKilled == true } }
}

/// Why a plan was not committed. This Commit killed nobody, if not said otherwise.
public enum KillError: Error, Hashable, Sendable {
    /// No plan has that ticket, or it belongs to another account or instance.
    case planNotFound
    case expired(at: UnixTime)
    /// - Parameter afterInterruption: whether an earlier Commit may have killed
    ///   some of its sessions before it was interrupted.
    case stale(StaleReason, afterInterruption: Bool)
    /// The configuration was changed while the Commit waited.
    case notPermitted(KillObstacle)
    /// The stored plan does not have its digest any more: somebody changed the store.
    case planAltered
    /// Another killd that shares the store is at it.
    case beingCommitted
    /// KILLs were sent, but what became of the sessions could not be stored. A
    /// repeated Commit tells, or finds out if killd was started anew meanwhile.
    case outcomesNotStored(StoreError)
}

/// Lets Commits of one plan that come at the same time share one run.
private actor CommitsInProgress {
    struct Key: Hashable {
        let sqlExecID: SqlExecID
        @Exact var account: String
        let instance: InstanceID
    }

    private var running: [Key: Task<CommitReport, any Error>] = [:]

    func join(
        _ key: Key, _ commit: @escaping @Sendable () async throws -> CommitReport
    ) async throws -> CommitReport {
        if let task = running[key] { return try await task.value }
        // A task of its own: the caller that happens to be first may go away, the others still wait.
        let task = Task { try await commit() }
        running[key] = task
        defer { running[key] = nil }
        return try await task.value
    }
}
