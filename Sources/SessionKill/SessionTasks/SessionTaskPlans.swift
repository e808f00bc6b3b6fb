/// How a session task's plan is made, carried out, and brought to its end after an interruption.
extension KillEngine {
    /// Whom a task is to end, pinned.
    struct PreparedSessionTask: Sendable {
        let plan: KillPlan
        /// Those of the plan and those who are spared.
        let sessions: [TaskedSession]
    }

    /// Pins the sessions that a task is to end, all in one snapshot of the server,
    /// and stores them as a plan.
    ///
    /// - Throws: ``ServerError``, ``StoreError`` or `CryptographyError`; nothing
    ///   is stored then.
    func prepare(
        _ selection: Selection, on instance: Instance, by killer: KillingAccount, for account: AccountName
    ) async throws -> PreparedSessionTask {
        let selected = try await select(selection, on: instance, by: killer)
        let policy = settings.statementPolicy(of: instance)
        let sessions = try selected.candidates.map { candidate in
            TaskedSession(
                id: candidate.id, row: try candidate.session.map { try SessionRow($0, policy) },
                outcome: candidate.exclusion.map(SessionTaskOutcome.init))
        }
        return PreparedSessionTask(
            plan: try await store(selected, on: instance, for: Caller(account)), sessions: sessions)
    }

    /// The instance of a task as it is configured now.
    ///
    /// - Throws: ``KillObstacle``
    func instance(of task: SessionTask, begun: Instance) throws(KillObstacle) -> Instance {
        try gate.instance(
            for: KillAuthority.Request(account: task.account, purpose: .sessionTask, target: task.target), begun: begun)
    }

    /// Ends the plan of a task that cannot go on, and kills nobody.
    ///
    /// The caller's password lives in memory only, so a task that was
    /// interrupted has nothing left to kill with; and what it should kill is
    /// not what anybody expects to die after a restart. Its plan is closed
    /// here, as far as a snapshot of killd's own tells what became of the sessions,
    /// because nobody else has its ticket and it would be `committing` for ever.
    ///
    /// - Returns: what became of the plan's sessions.
    func close(_ name: PlanName, on instance: Instance?, because reason: Outcome.Failure) async throws(StoreError)
        -> [ThreadID: SessionTaskOutcome]
    {
        try await storeFinding(of: name)
        guard var stored = try await store.plan(named: name) else { return [:] }
        if stored.state.isOpen {
            try await close(stored, on: instance, because: reason)
            guard let closed = try await store.plan(named: name) else { return [:] }
            stored = closed
        }
        guard case .ended(let ending, _, let decided, _) = stored.state else { return [:] }
        // A plan becomes stale before anything is sent, also to sessions that live on.
        let presence = ending.staleReason == nil ? [:] : await presence(of: stored.plan, on: instance)
        return stored.plan.content.threads.map(\.id).reduce(into: [:]) { outcomes, id in
            outcomes[id] = .decided(decided[id] ?? (presence[id] == .gone ? .gone : .failed(reason)))
        }
    }

    private func close(
        _ stored: StoredPlan, on instance: Instance?, because reason: Outcome.Failure
    ) async throws(StoreError) {
        if let instance {
            let run = await commit(stored, on: instance, under: .abandoned(.sessionTask, because: reason))
            do {
                _ = try run.report.get()
                return
            } catch KillError.outcomesNotStored(let error) {
                throw error
            } catch KillError.stale {
                return
            } catch {
                // Nobody can see. What is known is all there is to record.
            }
        }
        let outcomes: [ThreadID: Outcome] = stored.plan.content.threads.map(\.id).reduce(into: [:]) { outcomes, id in
            outcomes[id] = stored.state.intended.contains(id) ? .unknown : .failed(reason)
        }
        _ = try await store.finish(stored.plan.name, as: .abandoned, outcomes: outcomes, at: clock.now())
    }

    /// What became of the sessions of a plan that was carried out.
    func outcomes(_ report: CommitReport, on instance: Instance) async -> [ThreadID: SessionTaskOutcome] {
        let isSure = !report.outcomes.values.contains(.unknown)
        let presence = isSure ? [:] : await presence(of: report.plan, on: instance)
        return report.plan.content.threads.map(\.id).reduce(into: [:]) { outcomes, id in
            let outcome = report.outcomes[id] ?? .unknown
            outcomes[id] = .decided(outcome == .unknown && presence[id] == .gone ? .gone : outcome)
        }
    }

    private enum Presence { case present, gone }

    /// Which of a plan's sessions are there and which are proven to be gone; the
    /// others are missing.
    private func presence(of plan: KillPlan, on instance: Instance?) async -> [ThreadID: Presence] {
        guard let instance, let snapshot = try? await instance.lists.observe() else { return [:] }
        var presence: [ThreadID: Presence] = [:]
        let server = server(of: plan)
        switch server.difference(from: snapshot.observation) {
        // No session outlives its server.
        case .serverRestarted? where server.hasEnded(before: snapshot.observation):
            for thread in plan.content.threads { presence[thread.id] = .gone }
        case .anotherServer?, .serverRestarted?, .riskRose?: break
        case nil:
            for thread in plan.content.threads {
                let isThere = if case .pinned = thread.occupant(snapshot.sessions[thread.id]) { true } else { false }
                presence[thread.id] = isThere ? .present : .gone
            }
        }
        return presence
    }
}

extension SessionTaskOutcome {
    /// Of a session that is spared from the start.
    fileprivate init(_ exclusion: Exclusion) {
        self =
            switch exclusion {
            case .protected(let protection): .decided(.protected(protection))
            case .ignoredUser: .ignoredUser
            case .notPinnable: .decided(.failed(.notPinnable))
            case .unknownConnection: .decided(.failed(.unknownConnection))
            }
    }
}
