/// One run of a Commit on one connection to one server process.
///
/// If a caller's account kills, a second connection is there for that. What
/// decides and proves is read on killd's own all the same: the caller's account
/// may see a part of the sessions only, and a list with holes proves nobody's
/// death. On the caller's, the fingerprint is read before, and each KILL looks
/// at its session's identity in the same packet.
struct Commit {
    let engine: KillEngine
    let plan: KillPlan
    /// As the store has it.
    let state: PlanState
    let instance: Instance
    /// Of killd's account.
    let connection: any ServerConnection
    let purpose: KillAuthority.Purpose
    /// Of a kill task's plan, or of one that is only to be closed.
    let mandate: TaskMandate?
    /// Where KILLs are sent; `nil` for ``connection``.
    let caller: CallersConnection?
    let witness: @Sendable (ServerObservation) -> Void

    func run() async throws -> CommitReport {
        let observation = try await connection.observe(.transactions)
        // Whoever waited for a connection, or in a queue, may have outlived the configuration or the plan.
        let instance = try instanceOfNow()
        if mayKillAnybody, state == .prepared, engine.hasExpired(plan) {
            throw KillError.expired(at: plan.content.expiresAt)
        }
        let callersView = try await caller?.connection.observe(.server)
        if caller == nil, mayKillAnybody { try observation.requireKillPrivilege() }
        let seen = [observation.fingerprint] + (callersView.map { [$0.fingerprint] } ?? [])
        if let reason = seen.lazy.compactMap(plan.content.fingerprint.difference).first {
            // No session outlives its server. Of another server's nobody here can tell.
            let fate: Outcome = reason == .serverRestarted ? .ended : .unknown
            try await finish(.stale(reason), outcomes: state.intended.reduce(into: [:]) { $0[$1] = fate })
            throw KillError.stale(reason, afterInterruption: !state.intended.isEmpty)
        }

        witness(observation)

        var outcomes: [ThreadID: Outcome] = [:]
        var victims: [Session] = []
        var dying: [Session] = []
        var vanished = VanishedSessions()
        for (thread, verdict) in judge(observation, on: instance) {
            switch verdict {
            case .kill(let session) where !mayKill(session, callersView): outcomes[thread] = .denied(.ownSessionsOnly)
            case .kill(let session): victims.append(session)
            case .watch(let session): dying.append(session)
            case .vanished(let session, let isReplaced): vanished.add(session, isReplaced: isReplaced)
            case .spare(let outcome): outcomes[thread] = outcome
            }
        }

        if case .prepared = state, !victims.isEmpty {
            let claimed = try await engine.store.claim(
                plan.name, intending: victims.map(\.id), at: engine.clock.now())
            guard claimed else { throw KillError.beingCommitted }
        }
        var answers: [(Session, KillResponse)] = []
        switch await kill(victims, seenIn: observation) {
        case .answers(let sent, let spared):
            answers = sent
            outcomes.merge(spared.mapValues(Outcome.protected)) { first, _ in first }
        case .withheld(let reason):
            for session in victims { outcomes[session.id] = .failed(reason) }
        }
        var unknownToServer: [UnknownSession] = []
        var guards: [ThreadID: KillGuard] = [:]
        for (session, answer) in answers {
            switch answer {
            case .accepted(let guardOfKill):
                dying.append(session)
                guards[session.id] = guardOfKill
            case .noSuchThread: unknownToServer.append(UnknownSession(session: session, wasSentKill: true))
            case .notFound: unknownToServer.append(UnknownSession(session: session, wasSentKill: false))
            case .notPermitted(let message): outcomes[session.id] = .denied(.byServer(message: message))
            case .refused(let code, let message):
                outcomes[session.id] = .failed(.refused(ServerMessage(code: code, text: message)))
            case .lost: outcomes[session.id] = .unknown
            case .notSent: outcomes[session.id] = .failed(.connectionBroke)
            }
        }
        outcomes.merge(await explain(unknownToServer, &vanished)) { first, _ in first }
        if !vanished.isEmpty { vanished.find(try? await connection.transactions()) }
        let watch = DeathWatch(
            dying + vanished.perhapsListed, offTheList: vanished.offTheList, after: observation.transactionReading)
        outcomes.merge(vanished.conclude(await self.watch(watch))) { first, _ in first }
        return try await finish(mayKillAnybody ? .committed : .abandoned, outcomes: outcomes, guards: guards)
    }

    /// Whether it makes sense to send the KILL. To a caller's account that sees its own sessions only, or may kill no
    /// others, the server would say that there is no such thread, or refuse.
    private func mayKill(_ session: Session, _ callersView: ServerObservation?) -> Bool {
        guard let caller, let callersView else { return true }
        let mayKillOthers = callersView.seesAllSessions && callersView.missingKillPrivilege == nil
        return mayKillOthers || session.identity.user.utf8.elementsEqual(caller.user.utf8)
    }

    private var request: KillAuthority.Request {
        KillAuthority.Request(account: plan.content.account, purpose: purpose, place: instance.place)
    }

    private func instanceOfNow() throws -> Instance {
        guard mayKillAnybody else { return instance }
        do throws(KillObstacle) {
            let current = try engine.gate.instance(for: request, begun: instance)
            guard current.hasSameServer(as: instance) else { throw .anotherServer }
            return current
        } catch {
            throw KillError.notPermitted(error)
        }
    }

    private enum Sending {
        case answers([(Session, KillResponse)], spared: [ThreadID: Protection])
        /// Nothing was sent.
        case withheld(because: Outcome.Failure)
    }

    private func kill(_ sessions: [Session], seenIn observation: ServerObservation) async -> Sending {
        guard !sessions.isEmpty else { return .answers([], spared: [:]) }
        if state == .prepared, engine.hasExpired(plan) {
            return .withheld(because: .planExpired)
        }
        let killer = caller?.connection ?? connection
        do throws(KillObstacle) {
            let (selection, answers) = try await engine.gate.pass(
                sessions, in: observation, for: request, on: instance
            ) { sessions -> [KillResponse]? in
                let identities = sessions.map(\.identity)
                return switch mandate {
                case nil: await killer.kill(identities)
                case .end(_, let permit)?: await permit { await killer.kill(identities) }
                case .findOut?: nil
                }
            }
            guard let answers else { return .withheld(because: .taskRevoked) }
            return .answers(Array(zip(selection.sessions, answers)), spared: selection.spared)
        } catch {
            return .withheld(because: .notPermitted(error))
        }
    }

    private var mayKillAnybody: Bool { if case .findOut? = mandate { false } else { true } }

    private enum Verdict {
        case kill(Session)
        /// An earlier run of this Commit sent the KILL already.
        case watch(Session)
        /// An earlier run was about to kill it, and it is not listed any more.
        case vanished(PinnedSession, isReplaced: Bool)
        case spare(Outcome)
    }

    private func judge(_ observation: ServerObservation, on instance: Instance) -> [(ThreadID, Verdict)] {
        let sessions = IndexedObservation(observation).sessions
        let rules = instance.protectionRules(observation)
        // A Commit that crashed may be repeated days later; by then nobody expects kills.
        let mayKill = !engine.hasExpired(plan)
        let isResumed = state != .prepared
        return plan.content.threads.map { thread in
            let wasIntended = state.intended.contains(thread.id)
            guard var session = sessions[thread.id] else {
                guard wasIntended, let pinned = thread.session else { return (thread.id, .spare(.gone)) }
                return (thread.id, .vanished(pinned, isReplaced: false))
            }
            guard let pinned = thread.session, pinned.identity.isSameSession(as: session.identity) else {
                guard wasIntended, let pinned = thread.session else { return (thread.id, .spare(.replaced)) }
                return (thread.id, verdict(on: pinned, replacedBy: session))
            }
            if let protection = rules.protection(of: session) { return (thread.id, .spare(.protected(protection))) }
            session.identity.proxy?.serverSession = pinned.identity.proxy?.serverSession
            if isResumed {
                if !wasIntended { return (thread.id, .spare(.failed(.sparedByInterruptedCommit))) }
                if session.details.isBeingKilled { return (thread.id, .watch(session)) }
                if case .end? = mandate { return (thread.id, .spare(.failed(.taskInterrupted))) }
                if mayKillAnybody, !mayKill { return (thread.id, .spare(.failed(.planExpired))) }
            }
            switch mandate {
            case .end(let rule, _)? where !rule.selects(session):
                return (thread.id, .spare(.failed(.noLongerMatched)))
            case .findOut(let reason)?: return (thread.id, .spare(.failed(reason)))
            case .end?, nil: return (thread.id, .kill(session))
            }
        }
    }

    /// Of a session that an earlier run was about to kill, and under whose id another is listed.
    private func verdict(on pinned: PinnedSession, replacedBy session: Session) -> Verdict {
        if pinned.identity.isGone(since: session.identity) { return .vanished(pinned, isReplaced: true) }
        // Who is logging in or being torn down shows no user: it may be the session itself.
        if !session.identity.isLoggedIn { return .vanished(pinned, isReplaced: false) }
        // The same connection under another user (COM_CHANGE_USER), which no KILL has ended.
        return .spare(session.details.isBeingKilled ? .unknown : .replaced)
    }

    /// A session that was listed a moment ago.
    private struct UnknownSession {
        let session: Session
        /// Whether it was the KILL that the server answered with 1094, or the guard that did not find it.
        let wasSentKill: Bool
    }

    private func explain(
        _ unknown: [UnknownSession], _ vanished: inout VanishedSessions
    ) async -> [ThreadID: Outcome] {
        guard !unknown.isEmpty else { return [:] }
        let present = try? await connection.present(among: unknown.map(\.session.identity))
        // Who has the ids of those that are not: between the look and the KILL one may have changed hands.
        let now = try? await IndexedObservation(connection.observe(.sessions)).sessions
        return unknown.reduce(into: [:]) { outcomes, each in
            let session = each.session
            let wasIntended = state.intended.contains(session.id)
            guard let present, let now else {
                outcomes[session.id] = each.wasSentKill || wasIntended ? .unknown : .failed(.notFoundByGuard)
                return
            }
            // A client's session that is still there says nothing of a server session of its.
            let isServerSession = session.identity.proxy?.serverSession != nil
            let other = now[session.id].flatMap { other in
                isServerSession && session.identity.isSameSession(as: other.identity) ? nil : other
            }
            if present.contains(session.id) || other.map({ session.identity.isSameSession(as: $0.identity) }) == true {
                outcomes[session.id] = .failed(each.wasSentKill ? .unkillable : .notFoundByGuard)
            } else if other != nil, !wasIntended {
                outcomes[session.id] = .replaced
            } else if let other, other.identity.isLoggedIn, !session.identity.isGone(since: other.identity) {
                // Handed to another user (COM_CHANGE_USER), which no KILL has ended.
                outcomes[session.id] = other.details.isBeingKilled ? .unknown : .replaced
            } else if wasIntended {
                // It may have died of the KILL of the Commit that was interrupted.
                vanished.add(session)
            } else {
                outcomes[session.id] = .gone
            }
        }
    }

    /// However short the wait is, one reading of the transactions belongs to it: without, nobody could tell what is
    /// rolling back. They are read four times a second.
    private var pauseOfReadings: Duration { .milliseconds(250) }
    private var graceForReading: Duration { pauseOfReadings * 2 }

    private func watch(_ watch: DeathWatch) async -> [ThreadID: Outcome] {
        var watch = watch
        do {
            var waited = Duration.zero
            var pause = Duration.microseconds(500)
            while !watch.isOver {
                watch.sawPresent(try await connection.present(among: watch.listed))
                let isLastSnapshot = waited >= engine.settings.killWait
                if watch.wantsTransactions(lastSnapshot: isLastSnapshot) {
                    watch.sawTransactions(try await connection.transactions())
                }
                let knowsEnough = watch.hasNewReading || !watch.wantsTransactions(lastSnapshot: true)
                if watch.isOver
                    || isLastSnapshot && (knowsEnough || waited >= engine.settings.killWait + graceForReading)
                {
                    break
                }
                try await engine.clock.sleep(pause)
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
        do {
            let finished = try await engine.store.finish(
                plan.name, as: ending, outcomes: outcomes, guards: guards, at: engine.clock.now())
            guard finished else { throw KillError.beingCommitted }
            return CommitReport(plan: plan, outcomes: outcomes)
        } catch let error as StoreError {
            engine.unstored.keep(
                UnstoredOutcomes.Finding(
                    ending: ending, outcomes: outcomes, guards: guards, time: engine.clock.now()), of: plan.name)
            throw KillError.outcomesNotStored(error)
        }
    }
}

extension PlanState {
    /// The threads that an interrupted Commit was about to kill.
    var intended: Set<ThreadID> {
        if case .committing(_, let intended) = self { intended } else { [] }
    }
}
