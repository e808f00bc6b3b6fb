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
    private let connections = PlanConnections()
    let changes = PlanChanges()
    let commitsSeen = CommitsSeen()
    private let commitsInProgress = CommitsInProgress()

    public struct Settings: Hashable, Sendable {
        /// How long after its Prepare a plan can be committed, in seconds.
        public var planLifetime: Int
        /// How long a Commit watches for the sessions to be gone.
        public var killWait: Duration
        /// How much of each statement a plan keeps, in bytes.
        public var maximumStatementBytes: Int

        /// Those of a killd whose configuration says nothing of them.
        public static let usual = Settings(planLifetime: 600, killWait: .seconds(3))

        public init(planLifetime: Int, killWait: Duration, maximumStatementBytes: Int = 1_024) {
            self.planLifetime = planLifetime
            self.killWait = killWait
            self.maximumStatementBytes = maximumStatementBytes
        }

        /// What is kept of the statements that an instance's sessions run.
        func statementPolicy(of instance: Instance) -> RecordedStatement.Policy {
            instance.hidesStatements ? .hidden : .cut(bytes: maximumStatementBytes)
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
        self.store = WatchedStore(store: store, changes: changes)
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

    // MARK: Prepare

    /// Pins whom a selection covers now and stores them as a plan.
    ///
    /// - Throws: ``PreparationError`` if one that is named cannot be pinned, or nobody could approve the plan,
    ///   ``ServerError``, ``StoreError`` or `CryptographyError`; nothing is stored
    ///   then.
    public func prepare(
        _ selection: Selection, on instance: Instance, for caller: Caller, asking terms: PrepareTerms = PrepareTerms()
    ) async throws -> KillPlan {
        // Where somebody may have to agree, what dying would cost has to be known.
        let selected = try await select(
            selection, on: instance, withDetails: terms.recordHistory || instance.approvals.asks)
        try selected.requireAllPinnable()
        return try await store(selected, on: instance, for: caller, asking: terms)
    }

    /// The same for an account that asks for nothing special.
    public func prepare(
        _ selection: Selection, on instance: Instance, for account: AccountName, recordHistory: Bool
    ) async throws -> KillPlan {
        try await prepare(
            selection, on: instance, for: Caller(account), asking: PrepareTerms(recordHistory: recordHistory))
    }

    /// Finds out whom a selection covers.
    ///
    /// - Parameters:
    ///   - killer: if it is killd, its account must be allowed to kill. What a
    ///     delegated login's may do is seen when it has logged in.
    ///   - withDetails: whether to read transactions and locks too, which costs the
    ///     server more.
    /// - Throws: ``PreparationError`` or ``ServerError``.
    func select(
        _ selection: Selection, on instance: Instance, by killer: KillingAccount = .killd, withDetails: Bool = true
    ) async throws -> SelectedSessions {
        @Sendable func selected(in snapshot: IndexedObservation) throws -> SelectedSessions {
            if case .killd = killer { try snapshot.observation.requireKillPrivilege() }
            return SelectedSessions(
                snapshot: snapshot,
                candidates: selection.candidates(
                    in: snapshot, protecting: instance.protectionRules(snapshot.observation), at: clock.now()))
        }
        switch selection.scope {
        case .serverSessions(let names):
            return try await instance.server.withConnection { connection in
                let snapshot = IndexedObservation(try await connection.observe(withDetails ? .locks : .sessions))
                var selected = try selected(in: snapshot)
                for (thread, serverSession) in try await snapshot.serverSessions(names, over: connection) {
                    selected.serverSessions[thread] = serverSession
                }
                return selected
            }
        case .matching:
            let listed = try selected(in: try await instance.lists.observe())
            // Only now what costs the server more.
            return listed.pinned.isEmpty
                ? listed : try selected(in: try await instance.detailedSnapshots.observe())
        case .threads, .all:
            return try selected(in: try await (withDetails ? instance.detailedSnapshots : instance.lists).observe())
        }
    }

    /// Pins the sessions selected and stores them as a plan.
    ///
    /// - Parameters:
    ///   - task: the kill task that makes it.
    ///   - terms: `nil` for a plan of a task, which nobody reviews.
    /// - Throws: ``ServerError`` if the server could not be told from its
    ///   successor, ``PreparationError``, ``StoreError`` or `CryptographyError`; nothing is stored then.
    func store(
        _ selected: SelectedSessions, on instance: Instance, for caller: Caller, task: KillTaskName? = nil,
        asking terms: PrepareTerms? = nil
    ) async throws -> KillPlan {
        let recordHistory = terms?.recordHistory ?? true
        let observation = selected.snapshot.observation
        try observation.requireUnmistakableStart()
        let preparation = Preparation(
            of: selected, protecting: instance.protectionRules(observation),
            keeping: settings.statementPolicy(of: instance))
        let (now, threads) = (clock.now(), selected.pinned)
        let review = terms.map { _ in
            preparation.review(by: instance.approvals, ofDetails: recordHistory || instance.approvals.asks, at: now)
        }
        let needsApproval = (review?.required ?? 0) > 0
        if needsApproval, !recordHistory { throw PreparationError.historyNeeded }
        // The last moment at which it could be committed, whenever it is approved.
        let lifetime =
            needsApproval ? instance.approvals.approvableFor + instance.approvals.commitWithin : settings.planLifetime
        let plan = KillPlan(
            name: try .random(), sqlExecID: try .random(),
            content: KillPlan.Content(
                account: caller.account, instance: instance.id, task: task, preparedAt: now,
                expiresAt: now.advanced(bySeconds: lifetime), recordHistory: recordHistory,
                fingerprint: observation.fingerprint,
                threads: try threads.map { try preparation.pin($0, withDetails: recordHistory) },
                impact: recordHistory ? preparation.impact(of: Set(threads)) : nil,
                requestedBy: (terms?.requestedBy).map { gate.authority?.person(meantBy: $0) ?? $0 },
                reason: terms?.reason, review: review))
        try await store.insert(plan, by: caller)
        connections.note(observation.connection, of: plan.name)
        return plan
    }

    // MARK: Commit

    /// Ends the sessions of a plan, or repeats what an earlier Commit of it
    /// answered.
    ///
    /// Somebody else's ticket is answered like one that never was, and so is a
    /// task's: only the task may commit it, by its rule.
    ///
    /// - Throws: ``KillError``, ``ServerError``, ``StoreError`` or
    ///   `CryptographyError`. No KILL was sent, except where
    ///   ``KillError/outcomesNotStored(_:)`` says so.
    public func commit(
        _ key: PlanKey, on instance: Instance, for caller: Caller, breakGlass: BreakGlass? = nil
    ) async throws -> CommitReport {
        let sqlExecID: SqlExecID
        switch key {
        case .ticket(let ticket): sqlExecID = ticket
        case .named(let name, let digest): sqlExecID = try await ticket(of: name, digest, for: caller, on: instance)
        }
        // With account and instance: nobody hears the answer to a Commit that would be refused to them.
        let key = CommitsInProgress.Key(
            sqlExecID: sqlExecID, account: caller.account, instance: instance.id, breaksGlass: breakGlass != nil)
        return try await commitsInProgress.join(key) {
            try await commit(sqlExecID, on: instance, under: .requested(by: caller, breakGlass)) { plan in
                plan.content.account == caller.account && plan.content.task == nil
            }.report.get()
        }
    }

    /// The same by the ticket alone.
    public func commit(
        _ sqlExecID: SqlExecID, on instance: Instance, for account: AccountName
    ) async throws -> CommitReport {
        try await commit(.ticket(sqlExecID), on: instance, for: Caller(account))
    }

    /// The ticket of a plan that is committed by its name, for the account that prepared it: whoever has not seen the
    /// plan as it is does not know its digest.
    private func ticket(
        of name: PlanName, _ digest: String, for caller: Caller, on instance: Instance
    ) async throws -> SqlExecID {
        guard let stored = try await store.plan(named: name), stored.plan.content.instance == instance.id,
            stored.plan.content.account == caller.account, stored.plan.content.review != nil
        else { throw KillError.planNotFound }
        guard stored.digest.isSame(as: digest) else { throw KillError.decisionRefused(.otherDigest) }
        return stored.plan.sqlExecID
    }

    /// Carries out the plan with a ticket as a policy says.
    ///
    /// - Parameter mayCommit: whether the ticket is that of whoever shows it.
    func commit(
        _ sqlExecID: SqlExecID, on instance: Instance, under policy: CommitPolicy,
        if mayCommit: @Sendable (KillPlan) -> Bool
    ) async -> CommitRun {
        do throws(StoreError) {
            guard let stored = try await store.plan(with: sqlExecID), stored.plan.content.instance == instance.id,
                mayCommit(stored.plan)
            else { return CommitRun(report: .failure(KillError.planNotFound)) }
            return await commit(stored, on: instance, under: policy)
        } catch {
            return CommitRun(report: .failure(error))
        }
    }

    /// The same of a plan as the store has it.
    func commit(_ stored: StoredPlan, on instance: Instance, under policy: CommitPolicy) async -> CommitRun {
        do {
            let stored = try await withFinding(stored)
            if let report = try await requireOpen(stored, on: instance, under: policy) {
                return CommitRun(report: .success(report))
            }
            let server = server(of: stored.plan)
            let run = try await withKiller(policy.killer, on: instance) { delegatedLogin in
                try await instance.server.withConnection(preferring: server.connection) { connection in
                    await Commit(
                        stored: stored, server: server, policy: policy, instance: instance, connection: connection,
                        delegatedLogin: delegatedLogin,
                        environment: Commit.Environment(
                            store: store, clock: clock, settings: settings, gate: gate, unstored: unstored,
                            seen: commitsSeen)
                    ).run()
                }
            }
            if run.endsPlan { connections.forget(stored.plan.name) }
            return run
        } catch {
            return CommitRun(report: .failure(error))
        }
    }

    /// The plan as it is once what an earlier Commit saw and could not store is stored.
    private func withFinding(_ stored: StoredPlan) async throws -> StoredPlan {
        do {
            guard try await storeFinding(of: stored.plan.name) else { return stored }
            return try await store.plan(named: stored.plan.name) ?? stored
        } catch {
            throw KillError.outcomesNotStored(error)
        }
    }

    /// Whether a plan can be carried out.
    ///
    /// - Returns: what an earlier Commit answered, if it has been already.
    private func requireOpen(
        _ stored: StoredPlan, on instance: Instance, under policy: CommitPolicy
    ) async throws -> CommitReport? {
        if case .ended(let ending, let time, let outcomes, _) = stored.state {
            switch ending {
            case .committed, .abandoned:
                return CommitReport(
                    plan: stored.plan, outcomes: outcomes, audit: try await store.receiptOfEnd(of: stored.plan.name))
            case .stale(let reason): throw KillError.stale(reason, afterInterruption: !outcomes.isEmpty)
            case .expired: throw KillError.expired(at: time)
            case .rejected, .cancelled:
                throw KillError(decided: stored) ?? KillError.decided(ending.status, at: time, by: nil)
            }
        }
        guard try stored.plan.digest() == stored.digest else { throw KillError.planAltered }
        if stored.state == .prepared, policy.abandonment == nil {
            // Before anybody waits for a connection; decided again on it.
            let claim = CommitClaim(stored, policy: policy, instance: instance, gate.authority)
            try await claim.requireApprovals(in: store, at: clock.now())
        }
        return nil
    }

    /// Runs `body` with the connection on which the KILLs are sent, if that is none of killd's own account.
    ///
    /// - Throws: ``DelegatedLoginRefused``
    private func withKiller(
        _ killer: KillingAccount, on instance: Instance,
        _ body: @Sendable (DelegatedLogin?) async throws -> CommitRun
    ) async throws -> CommitRun {
        guard case .login(let login) = killer else { return try await body(nil) }
        // Whose login was refused must be told apart: killd's own account can be refused as well.
        let result: Result<CommitRun, any Error>
        do {
            result = try await instance.server.withConnection(as: login) { connection in
                do {
                    return .success(try await body(DelegatedLogin(user: login.user, connection: connection)))
                } catch {
                    return .failure(error)
                }
            }
        } catch let error as ServerError where error.reason == .loginRefused {
            throw DelegatedLoginRefused(cause: error)
        }
        return try result.get()
    }

    // MARK: What is known of plans

    /// The server process that a plan was made on.
    func server(of plan: KillPlan) -> PlannedServer {
        PlannedServer(fingerprint: plan.content.fingerprint, connection: connections[plan.name])
    }

    /// A plan and how far it got, for whoever may see it.
    public func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan? {
        try await store.plan(with: sqlExecID)
    }

    public func plan(named name: PlanName) async throws(StoreError) -> StoredPlan? {
        try await store.plan(named: name)
    }

    /// The plans that a query asks for, the latest first.
    public func plans(_ query: PlanQuery) async throws(StoreError) -> [PlanSummary] {
        try await store.plans(query, at: clock.now())
    }

    /// How far a plan got by now.
    public func status(of stored: StoredPlan) -> PlanStatus {
        stored.status(at: clock.now())
    }

    // MARK: When plans change

    /// Grows with everything that changes plans.
    public func revision() async throws(StoreError) -> Int64 { try await store.revision() }

    /// Returns once plans have changed since a revision, or after a time; at once if too many wait already, all or of
    /// the account.
    public func waitForChange(
        after revision: Int64, atMost limit: Duration, for account: AccountName
    ) async throws(StoreError) {
        try await waitForChange(after: revision, of: nil, atMost: limit, for: account)
    }

    /// The same for changes of one plan: it also changes when its time is over, without anybody's doing.
    ///
    /// - Parameter instance: the plan's.
    public func waitForChange(
        of stored: StoredPlan, on instance: Instance, after revision: Int64, atMost limit: Duration, for caller: Caller
    ) async throws(StoreError) {
        var limit = limit
        let now = clock.now()
        switch check(stored.outline, on: instance).standing(at: now) {
        case .notNeeded(let until), .waiting(_, let until), .approved(let until):
            if stored.state == .prepared { limit = min(limit, now.duration(to: until)) }
        case .expired: break
        }
        try await waitForChange(after: revision, of: stored.plan.name, atMost: limit, for: caller.account)
    }

    private func waitForChange(
        after revision: Int64, of plan: PlanName?, atMost limit: Duration, for account: AccountName
    ) async throws(StoreError) {
        guard let place = changes.enter(plan, for: account) else { return }
        defer { changes.leave(place) }
        // Read with a place taken: no change comes between the two.
        guard try await store.revision() == revision else { return }
        guard limit > .zero else { return }
        let timer = Task { [clock, changes] in
            try await clock.sleep(limit)
            changes.wake(place)
        }
        await changes.wait(place)
        timer.cancel()
    }

    /// Lets nobody wait for a change any more.
    public func endWaiting() { changes.close() }
}
