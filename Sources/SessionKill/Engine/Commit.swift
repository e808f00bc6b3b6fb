/// One run of a Commit on one connection to one server process.
///
/// If a delegated login sends the KILLs, a second connection is there for that.
/// What decides and proves is read on killd's own all the same: the delegated
/// account may see a part of the sessions only, and a list with holes proves
/// nobody's death. On the delegated one the fingerprint is read before, and each
/// KILL looks at its session's identity in the same packet.
struct Commit {
    /// What a Commit needs beside the plan.
    struct Environment: Sendable {
        let store: any PlanStore
        let clock: KillEngine.Clock
        let settings: KillEngine.Settings
        /// Asked right before the KILLs.
        let gate: KillGate
        /// Where is kept what could not be stored.
        let unstored: UnstoredOutcomes
        /// Where is told how far it has come.
        let seen: CommitsSeen
    }

    /// The plan as the store has it.
    let stored: StoredPlan
    /// On which it was made.
    let server: PlannedServer
    let policy: CommitPolicy
    let instance: Instance
    /// Of killd's account.
    let connection: any ServerConnection
    /// Where KILLs are sent; `nil` for ``connection``.
    let delegatedLogin: DelegatedLogin?
    let environment: Environment

    /// Why nobody is killed; `nil` if the sessions are to be.
    private var abandonment: Outcome.Failure? { policy.abandonment(of: state) }

    private var plan: KillPlan { stored.plan }
    private var state: PlanState { stored.state }

    func run() async -> CommitRun {
        defer { environment.seen.forget(plan.name) }
        var observation: ServerObservation?
        let report: Result<CommitReport, any Error>
        do {
            report = .success(try await carryOut(&observation))
        } catch {
            report = .failure(error)
        }
        return CommitRun(observation: observation, report: report)
    }

    private func carryOut(_ observed: inout ServerObservation?) async throws -> CommitReport {
        var observation = try await connection.observe(wantsRisk(on: instance) ? .locks : .transactions)
        // Whoever waited for a connection, or in a queue, may have outlived the configuration or the plan.
        let instance = try instanceOfNow()
        if wantsRisk(on: instance), !wantsRisk(on: self.instance) {
            observation = try await connection.observe(.locks)
        }
        var claim = CommitClaim(stored, policy: policy, instance: instance, environment.gate.authority)
        if isFirst { try await claim.requireApprovals(in: environment.store, at: now) }
        let delegatedView = try await delegatedLogin?.connection.observe(.server)
        if delegatedLogin == nil, abandonment == nil { try observation.requireKillPrivilege() }
        try await requireSameServer(observation, delegatedView)
        observed = observation

        var outcomes: [ThreadID: Outcome] = [:]
        var victims: [Session] = []
        var dying: [Session] = []
        var vanished = VanishedSessions()
        let judgement = CommitJudgement(
            plan: plan, state: state, policy: policy, rules: instance.protectionRules(observation),
            // A Commit that crashed may be repeated days later; by then nobody expects kills.
            hasExpired: now >= stored.lastMoment)
        for (thread, verdict) in judgement.verdicts(on: IndexedObservation(observation).sessions) {
            switch verdict {
            case .kill(let session) where !mayKill(session, delegatedView): outcomes[thread] = .denied(.ownSessionsOnly)
            case .kill(let session): victims.append(session)
            case .watch(let session): dying.append(session)
            case .vanished(let session, let isReplaced): vanished.add(session, isReplaced: isReplaced)
            case .spare(let outcome): outcomes[thread] = outcome
            }
        }

        if isFirst {
            let risk =
                wantsRisk(on: instance)
                ? RiskRules(thresholds: instance.approvals.thresholds).assess(
                    victims, in: observation, protecting: judgement.rules) : nil
            try await take(&claim, victims, risk, by: instance.approvals)
        }
        let toEnd = CommitProgress(total: victims.count + dying.count)
        environment.seen.note(toEnd, of: plan.name)
        var unlisted = UnlistedSessions(intended: state.intended)
        var guards: [ThreadID: KillGuard] = [:]
        switch await kill(victims, seenIn: observation, until: claim.deadline(at: now)) {
        case .responses(let sent, let spared):
            outcomes.merge(spared.mapValues(Outcome.protected)) { first, _ in first }
            for (session, response) in sent {
                switch response {
                case .accepted(let guardOfKill):
                    dying.append(session)
                    guards[session.id] = guardOfKill
                case .noSuchThread: unlisted.add(session, wasSentKill: true)
                case .notFound: unlisted.add(session, wasSentKill: false)
                case .notPermitted(let message): outcomes[session.id] = .denied(.byServer(message: message))
                case .rejected(let code, let message):
                    outcomes[session.id] = .failed(.refused(ServerMessage(code: code, text: message)))
                case .lost: outcomes[session.id] = .unknown
                case .notSent: outcomes[session.id] = .failed(.connectionBroke)
                }
            }
        case .withheld(let reason):
            for session in victims { outcomes[session.id] = .failed(reason) }
        }
        if !unlisted.isEmpty {
            let present = try? await connection.present(among: unlisted.identities)
            // Who has the ids of those that are not: between the snapshot and the KILL one may have changed hands.
            let now = try? await IndexedObservation(connection.observe(.sessions)).sessions
            outcomes.merge(unlisted.explain(present: present, now: now, &vanished)) { first, _ in first }
        }
        if !vanished.isEmpty { vanished.find(try? await connection.transactions()) }
        let watch = DeathWatch(
            dying + vanished.perhapsListed, offTheList: vanished.offTheList, after: observation.transactionReading)
        outcomes.merge(vanished.conclude(await self.watch(watch, toEnd))) { first, _ in first }
        return try await finish(abandonment == nil ? .committed : .abandoned, outcomes: outcomes, guards: guards)
    }

    // MARK: By what it may be claimed

    private var now: UnixTime { environment.clock.now() }

    /// Whether nobody has claimed the plan before and its sessions are to be killed.
    private var isFirst: Bool { state == .prepared && abandonment == nil }

    /// Whether it matters what the death of the sessions would cost.
    private func wantsRisk(on instance: Instance) -> Bool {
        guard isFirst, policy.purpose == .commit else { return false }
        return instance.approvals.asks || (plan.content.review?.required ?? 0) > 0
    }

    /// Claims the plan and records whom the KILLs are about to be sent to, also if they are none: nobody ends a plan
    /// that he has not claimed.
    private func take(
        _ claim: inout CommitClaim, _ victims: [Session], _ risk: RiskAssessment?, by approvals: ApprovalPolicy
    ) async throws {
        let time = now
        try await claim.requireApprovals(in: environment.store, at: time)
        guard try claim.covers(risk, by: approvals, at: time) else {
            try await finish(.stale(.riskRose), outcomes: [:])
            throw KillError.stale(.riskRose, afterInterruption: false)
        }
        switch try await environment.store.claim(plan.name, claim.record(of: victims.map(\.id), at: time)) {
        case .claimed: break
        case .expired: throw KillError.expired(at: claim.deadline(at: time))
        case .notClaimed:
            guard let found = try await environment.store.plan(named: plan.name) else { throw KillError.planNotFound }
            throw CommitClaim.refusal(found, claim, at: time)
        }
    }

    // MARK: Who may be killed

    private var request: KillAuthority.Request {
        KillAuthority.Request(account: plan.content.account, purpose: policy.purpose, target: instance.target)
    }

    private func instanceOfNow() throws -> Instance {
        guard abandonment == nil else { return instance }
        do throws(KillObstacle) {
            let current = try environment.gate.instance(for: request, begun: instance)
            guard current.hasSameServer(as: instance) else { throw .anotherServer }
            return current
        } catch {
            throw KillError.notPermitted(error)
        }
    }

    /// - Throws: ``KillError/stale(_:afterInterruption:)``, once it is stored that the plan is.
    private func requireSameServer(
        _ observation: ServerObservation, _ delegatedView: ServerObservation?
    ) async throws {
        // With the server that killd's own connection leads to the other one has to agree.
        let reason =
            server.difference(from: observation)
            ?? delegatedView.flatMap { observation.fingerprint.difference(from: $0.fingerprint) }
        guard let reason else { return }
        // No session outlives its server. Of another server's nobody here can tell.
        let hasEnded = server.hasEnded(before: observation)
        let outcome: Outcome = hasEnded ? .ended : .unknown
        try await finish(.stale(reason), outcomes: state.intended.reduce(into: [:]) { $0[$1] = outcome })
        throw KillError.stale(reason, afterInterruption: !state.intended.isEmpty)
    }

    /// Whether it makes sense to send the KILL. To a delegated account that sees its own sessions only, or may kill no
    /// others, the server would say that there is no such thread, or refuse.
    private func mayKill(_ session: Session, _ delegatedView: ServerObservation?) -> Bool {
        guard let delegatedLogin, let delegatedView else { return true }
        let mayKillOthers = delegatedView.seesAllSessions && delegatedView.missingKillPrivilege == nil
        return mayKillOthers || session.identity.user.utf8.elementsEqual(delegatedLogin.user.utf8)
    }

    // MARK: The KILLs

    private enum Sending {
        case responses([(Session, KillResponse)], spared: [ThreadID: Protection])
        /// Nothing was sent.
        case withheld(because: Outcome.Failure)
    }

    private func kill(
        _ sessions: [Session], seenIn observation: ServerObservation, until deadline: UnixTime
    ) async -> Sending {
        guard !sessions.isEmpty else { return .responses([], spared: [:]) }
        if state == .prepared, now >= deadline { return .withheld(because: .planExpired) }
        let killer = delegatedLogin?.connection ?? connection
        do throws(KillObstacle) {
            let (permitted, responses) = try await environment.gate.pass(
                sessions, in: observation, for: request, on: instance
            ) { sessions -> [KillResponse]? in
                let identities = sessions.map(\.identity)
                guard let gate = policy.gate else { return await killer.kill(identities) }
                return await gate { await killer.kill(identities) }
            }
            guard let responses else { return .withheld(because: .taskRevoked) }
            return .responses(Array(zip(permitted.sessions, responses)), spared: permitted.spared)
        } catch {
            return .withheld(because: .notPermitted(error))
        }
    }

    /// However short the wait is, one reading of the transactions belongs to it: without, nobody could tell what is
    /// rolling back. They are read four times a second.
    private var pauseOfReadings: Duration { .milliseconds(250) }
    private var graceForReading: Duration { pauseOfReadings * 2 }

    private func watch(_ watch: DeathWatch, _ progress: CommitProgress) async -> [ThreadID: Outcome] {
        var watch = watch
        let killWait = environment.settings.killWait
        do {
            var waited = Duration.zero
            var pause = Duration.microseconds(500)
            while !watch.isOver {
                watch.sawPresent(try await connection.present(among: watch.listed))
                let isLast = waited >= killWait
                environment.seen.note(watch.progress(of: progress), of: plan.name)
                if watch.wantsTransactions(lastSnapshot: isLast || environment.seen.isAskedFor(plan.name)) {
                    watch.sawTransactions(try await connection.transactions())
                }
                let knowsEnough = watch.hasNewReading || !watch.wantsTransactions(lastSnapshot: true)
                if watch.isOver || isLast && (knowsEnough || waited >= killWait + graceForReading) { break }
                try await environment.clock.sleep(pause)
                waited += pause
                pause = min(pause * 2, pauseOfReadings)
            }
            if !watch.isOver { watch.sawDying(try await connection.dying(among: watch.listed)) }
            return watch.conclude()
        } catch {
            // KILL was accepted, but whether it took effect can no longer be seen.
            return watch.conclude(unseen: .unknown)
        }
    }

    @discardableResult
    private func finish(
        _ ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard] = [:]
    ) async throws -> CommitReport {
        let now = environment.clock.now()
        do {
            let receipt = try await environment.store.finish(
                plan.name, as: ending, outcomes: outcomes, guards: guards, at: now)
            guard let receipt else { throw KillError.beingCommitted }
            return CommitReport(plan: plan, outcomes: outcomes, audit: receipt)
        } catch let error as StoreError {
            environment.unstored.keep(
                UnstoredOutcomes.Finding(ending: ending, outcomes: outcomes, guards: guards, time: now), of: plan.name)
            throw KillError.outcomesNotStored(error)
        }
    }
}

/// What came of one run of a Commit.
struct CommitRun: Sendable {
    /// The server right before the KILLs; `nil` if it did not come to that.
    var observation: ServerObservation?
    let report: Result<CommitReport, any Error>

    /// Whether nothing is left to be carried out.
    var endsPlan: Bool {
        switch report {
        case .success, .failure(KillError.stale): true
        case .failure: false
        }
    }
}
