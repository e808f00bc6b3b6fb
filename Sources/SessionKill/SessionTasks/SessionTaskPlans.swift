/// How a session task's plan is made, carried out, and brought to its end after an interruption.
extension KillEngine {
    /// Whom a task is to end, pinned.
    struct PreparedSessionTask: Sendable {
        let plan: KillPlan
        /// Those of the plan and those who are spared.
        let sessions: [TaskedSession]
    }

    /// Pins the sessions that a task is to end, all in one look at the server,
    /// and stores them as a plan.
    ///
    /// - Throws: ``ServerError``, ``StoreError`` or `CryptographyError`; nothing
    ///   is stored then.
    func prepare(
        _ selection: SessionSelection, on instance: Instance, by killer: KillingAccount, for account: String
    ) async throws -> PreparedSessionTask {
        let snapshot = try await instance.detailedSnapshots.observe()
        // What a caller's account may do is seen when it has logged in.
        if case .killd = killer { try snapshot.observation.requireKillPrivilege() }
        var ids: [ThreadID] = []
        var unknown: [ThreadID] = []
        let protection: UnnamedProtection?
        switch selection.scope {
        case .all:
            ids = snapshot.observation.sessions.map(\.id).sorted()
            protection = UnnamedProtection(snapshot.observation, instance.protectionRules(snapshot.observation))
        case .threads(let named):
            var seen: Set<ThreadID> = []
            for id in named {
                let session = try? snapshot.session(named: id)
                guard seen.insert(session ?? id).inserted else { continue }
                if let session { ids.append(session) } else { unknown.append(id) }
            }
            protection = nil
        }
        let policy = statementPolicy(of: instance)
        var sessions = unknown.map { id in
            TaskedSession(id: id, row: nil, fate: .decided(.failed(.unknownConnection)))
        }
        var victims: [ThreadID] = []
        for id in ids {
            let session = snapshot.sessions[id]
            var fate: SessionFate?
            if let session {
                if let protection = protection?.protection(of: session) {
                    fate = .decided(.protected(protection))
                } else if session.identity.isOfUser(sparedAs: selection.ignoredUsers) {
                    fate = .ignoredUser
                } else if !session.identity.isPinnable {
                    fate = .decided(.failed(.notPinnable))
                }
            }
            if fate == nil { victims.append(id) }
            sessions.append(TaskedSession(id: id, row: try session.map { try SessionRow($0, policy) }, fate: fate))
        }
        let plan = try await store(
            victims, from: snapshot, on: instance, for: account, task: nil, recordHistory: true)
        return PreparedSessionTask(plan: plan, sessions: sessions)
    }

    /// The instance of a task as it is configured now.
    ///
    /// - Throws: ``KillError/notPermitted(_:)``
    func instance(of task: SessionTask, begun: Instance) throws(KillError) -> Instance {
        do throws(KillObstacle) {
            return try gate.instance(
                for: KillAuthority.Request(account: task.account, purpose: .sessionTask, place: task.place),
                begun: begun)
        } catch {
            throw .notPermitted(error)
        }
    }

    /// Ends the sessions of a task's plan, which was stored a moment ago and
    /// which nobody else has the ticket of.
    ///
    /// - Parameter witness: told what was there right before the KILLs.
    /// - Throws: as ``commit(_:on:for:)``, and ``SessionTaskFailure/loginRefused``.
    func commit(
        _ plan: KillPlan, on instance: Instance, by killer: KillingAccount,
        witness: @escaping @Sendable (ServerObservation) -> Void
    ) async throws -> CommitReport {
        guard !hasExpired(plan) else { throw KillError.expired(at: plan.content.expiresAt) }
        @Sendable func run(_ caller: CallersConnection?) async throws -> CommitReport {
            try await instance.server.withConnection { connection in
                try await Commit(
                    engine: self, plan: plan, state: .prepared, instance: instance, connection: connection,
                    purpose: .sessionTask, mandate: nil, caller: caller, witness: witness
                ).run()
            }
        }
        guard case .login(let login) = killer else { return try await run(nil) }
        // Whose login was refused must be told apart: killd's own account can be refused as well.
        let outcome: Result<CommitReport, any Error>
        do {
            outcome = try await instance.server.withConnection(as: login) { connection in
                do {
                    return .success(try await run(CallersConnection(user: login.user, connection: connection)))
                } catch {
                    return .failure(error)
                }
            }
        } catch let error as ServerError where error.reason == .loginRefused {
            throw SessionTaskFailure.loginRefused(error)
        }
        return try outcome.get()
    }

    /// Ends the plan of a task that cannot go on, and kills nobody.
    ///
    /// The caller's password lives in memory only, so a task that was
    /// interrupted has nothing left to kill with; and what it should kill is
    /// not what anybody expects to die after a restart. Its plan is closed
    /// here, as far as a look of killd's own tells what became of the sessions,
    /// because nobody else has its ticket and it would be `committing` for ever.
    ///
    /// - Returns: the fates of the plan's sessions.
    func close(_ name: PlanName, on instance: Instance?, because reason: Outcome.Failure) async throws(StoreError)
        -> [ThreadID: SessionFate]
    {
        try await storeFinding(of: name)
        guard var stored = try await store.plan(named: name) else { return [:] }
        if stored.state.isOpen {
            try await close(stored, on: instance, because: reason)
            guard let closed = try await store.plan(named: name) else { return [:] }
            stored = closed
        }
        guard case .ended(let ending, _, let outcomes, _) = stored.state else { return [:] }
        return stored.plan.content.threads.map(\.id).reduce(into: [:]) { fates, id in
            // A plan becomes stale before anything is sent.
            let untried: Outcome = ending == .stale(.serverRestarted) ? .gone : .failed(reason)
            fates[id] = .decided(outcomes[id] ?? untried)
        }
    }

    private func close(_ stored: StoredPlan, on instance: Instance?, because reason: Outcome.Failure)
        async throws(StoreError)
    {
        do {
            if let instance {
                _ = try await instance.server.withConnection { connection in
                    try await Commit(
                        engine: self, plan: stored.plan, state: stored.state, instance: instance,
                        connection: connection, purpose: .sessionTask, mandate: .findOut(because: reason), caller: nil,
                        witness: { _ in }
                    ).run()
                }
                return
            }
        } catch KillError.outcomesNotStored(let error) {
            throw error
        } catch KillError.stale {
            return
        } catch {
            // Nobody can look. What is known is all there is to record.
        }
        let outcomes: [ThreadID: Outcome] = stored.plan.content.threads.map(\.id).reduce(into: [:]) { outcomes, id in
            outcomes[id] = stored.state.intended.contains(id) ? .unknown : .failed(reason)
        }
        _ = try await store.finish(stored.plan.name, as: .abandoned, outcomes: outcomes, at: clock.now())
    }

    /// What became of the sessions of a plan that was carried out.
    func fates(_ report: CommitReport, on instance: Instance) async -> [ThreadID: SessionFate] {
        let isSure = !report.outcomes.values.contains(.unknown)
        return fates(of: report.plan, report.outcomes, isSure ? [:] : await presence(of: report.plan, on: instance))
    }

    private func fates(
        of plan: KillPlan, _ outcomes: [ThreadID: Outcome], _ presence: [ThreadID: Presence]
    ) -> [ThreadID: SessionFate] {
        plan.content.threads.map(\.id).reduce(into: [:]) { fates, id in
            let outcome = outcomes[id] ?? .unknown
            fates[id] = .decided(outcome == .unknown && presence[id] == .gone ? .gone : outcome)
        }
    }

    private enum Presence { case present, gone }

    /// Which of a plan's sessions are there and which are proven to be gone; the
    /// others are missing.
    private func presence(of plan: KillPlan, on instance: Instance?) async -> [ThreadID: Presence] {
        guard let instance, let snapshot = try? await instance.lists.observe() else { return [:] }
        var presence: [ThreadID: Presence] = [:]
        switch plan.content.fingerprint.difference(from: snapshot.observation.fingerprint) {
        case .anotherServer?: break
        // No session outlives its server.
        case .serverRestarted?: for thread in plan.content.threads { presence[thread.id] = .gone }
        case nil:
            for thread in plan.content.threads {
                let isThere = snapshot.sessions[thread.id].map { session in
                    thread.session?.identity.isSameSession(as: session.identity) == true
                }
                presence[thread.id] = isThere == true ? .present : .gone
            }
        }
        return presence
    }

    func statementPolicy(of instance: Instance) -> RecordedStatement.Policy {
        instance.hidesStatements ? .hidden : .cut(bytes: settings.maximumStatementBytes)
    }
}

/// Why nothing of a task was tried.
enum SessionTaskFailure: Error {
    case loginRefused(ServerError)
}

/// A connection on which somebody is logged in in place of killd's account.
struct CallersConnection: Sendable {
    let user: String
    let connection: any ServerConnection
}
