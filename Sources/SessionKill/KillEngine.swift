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
    let settings: Settings
    let clock: Clock
    private let commitsInProgress = CommitsInProgress()

    public struct Settings: Hashable, Sendable {
        /// How long after its Prepare a plan can be committed, in seconds.
        public var planLifetime: Int
        /// How long a Commit watches for the sessions to be gone.
        public var killWait: Duration

        public init(planLifetime: Int, killWait: Duration) {
            self.planLifetime = planLifetime
            self.killWait = killWait
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

    /// Pins the sessions that have these ids now and stores them as a plan.
    ///
    /// An id without a session is pinned as absent: whoever has it at Commit is
    /// left alone.
    ///
    /// - Parameter threads: an id that occurs twice is pinned once.
    /// - Throws: ``ServerError``, ``StoreError`` or `CryptographyError`; nothing
    ///   is stored then.
    public func prepare(
        _ threads: [ThreadID], on instance: Instance, for account: String, recordHistory: Bool
    ) async throws -> KillPlan {
        let look = try await instance.look.observe()
        var seen: Set<ThreadID> = []
        let pinned = threads.filter { seen.insert($0).inserted }.map { id in
            look.sessions[id].map(PinnedThread.init) ?? PinnedThread(absent: id)
        }
        let now = clock.now()
        let plan = KillPlan(
            name: try .random(), sqlExecID: try .random(),
            content: KillPlan.Content(
                account: account, instance: instance.id, preparedAt: now,
                expiresAt: now.advanced(bySeconds: settings.planLifetime), recordHistory: recordHistory,
                fingerprint: look.observation.fingerprint, threads: pinned))
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
        let stored = try await find(sqlExecID, on: instance, for: account)
        return try await commitsInProgress.join(stored.plan.name) {
            // Read again: another Commit may have come to its end since.
            let stored = try await find(sqlExecID, on: instance, for: account)
            switch stored.state {
            case .ended(.committed, _, let outcomes): return CommitReport(plan: stored.plan, outcomes: outcomes)
            case .ended(.stale(let reason), _, _): throw KillError.stale(reason)
            case .prepared where hasExpired(stored.plan): throw KillError.expired
            case .prepared, .committing: break
            }
            guard try stored.plan.digest() == stored.digest else { throw KillError.planAltered }
            return try await instance.server.withConnection { connection in
                try await Commit(engine: self, stored: stored, instance: instance, connection: connection).run()
            }
        }
    }

    func hasExpired(_ plan: KillPlan) -> Bool { clock.now() >= plan.content.expiresAt }

    /// Somebody else's ticket is answered like one that never was.
    private func find(_ sqlExecID: SqlExecID, on instance: Instance, for account: String) async throws -> StoredPlan {
        guard let stored = try await store.plan(with: sqlExecID), stored.plan.content.account == account,
            stored.plan.content.instance == instance.id
        else { throw KillError.planNotFound }
        return stored
    }
}

/// A server as the configuration knows it.
public struct Instance: Sendable {
    public let id: InstanceID
    public let server: any DatabaseServer
    public let protectedUsers: Set<String>
    let look: SharedObservation

    public init(id: InstanceID, server: any DatabaseServer, protectedUsers: Set<String>) {
        self.id = id
        self.server = server
        self.protectedUsers = protectedUsers
        look = SharedObservation(of: server)
    }

    /// What the server shows now; calls at the same time share a look.
    public func observe() async throws -> ServerObservation { try await look.observe().observation }
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

/// Why a plan was not committed.
public enum KillError: Error, Hashable, Sendable {
    /// No plan has that ticket, or it belongs to another account or instance.
    case planNotFound
    case expired
    case stale(StaleReason)
    /// The stored plan does not have its digest any more: somebody changed the store.
    case planAltered
    /// Another killd that shares the store is at it.
    case beingCommitted
    /// KILLs were sent, but what became of the sessions could not be stored. A
    /// repeated Commit finds out.
    case outcomesNotStored(StoreError)
}

/// Lets Commits of one plan that come at the same time share one run.
private actor CommitsInProgress {
    private var running: [PlanName: Task<CommitReport, any Error>] = [:]

    func join(
        _ plan: PlanName, _ commit: @escaping @Sendable () async throws -> CommitReport
    ) async throws -> CommitReport {
        if let task = running[plan] { return try await task.value }
        // A task of its own: the caller that happens to be first may go away, the others still wait.
        let task = Task { try await commit() }
        running[plan] = task
        defer { running[plan] = nil }
        return try await task.value
    }
}
