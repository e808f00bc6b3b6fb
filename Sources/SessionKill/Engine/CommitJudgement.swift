/// Decides what a Commit does with each thread of its plan, from what a snapshot of the server shows.
struct CommitJudgement {
    enum Verdict {
        case kill(Session)
        /// An earlier run of this Commit sent the KILL already.
        case watch(Session)
        /// An earlier run was about to kill it, and it is not listed any more.
        case vanished(PinnedSession, isReplaced: Bool)
        case spare(Outcome)
    }

    let plan: KillPlan
    let state: PlanState
    let policy: CommitPolicy
    /// Of the instance as it is configured now.
    let rules: ProtectionRules
    let hasExpired: Bool

    /// One verdict for each thread, in the order of the plan.
    ///
    /// - Parameter sessions: all that the server lists.
    func verdicts(on sessions: [ThreadID: Session]) -> [(ThreadID, Verdict)] {
        plan.content.threads.map { ($0.id, verdict(on: $0, sessions[$0.id])) }
    }

    private func verdict(on thread: PinnedThread, _ listed: Session?) -> Verdict {
        let wasIntended = state.intended.contains(thread.id)
        switch thread.occupant(listed) {
        case .nobody:
            guard wasIntended, let pinned = thread.session else { return .spare(.gone) }
            return .vanished(pinned, isReplaced: false)
        case .other(let session):
            guard wasIntended, let pinned = thread.session else { return .spare(.replaced) }
            return verdict(on: pinned, replacedBy: session)
        case .pinned(var session, let pinned):
            if let protection = rules.protection(of: session) { return .spare(.protected(protection)) }
            session.identity.proxy?.serverSession = pinned.identity.proxy?.serverSession
            if state != .prepared {
                if !wasIntended { return .spare(.failed(.sparedByInterruptedCommit)) }
                if session.details.isBeingKilled { return .watch(session) }
            }
            if let abandonment = policy.abandonment(of: state) { return .spare(.failed(abandonment)) }
            if state != .prepared, hasExpired { return .spare(.failed(.planExpired)) }
            if let rule = policy.rule, !rule.selects(session) { return .spare(.failed(.noLongerMatched)) }
            return .kill(session)
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
}

extension PinnedThread {
    /// Who has a thread's id now.
    enum Occupant {
        case nobody
        /// The session that was pinned.
        case pinned(Session, PinnedSession)
        /// Another one, or one where none was pinned: nobody ever agreed to its end.
        case other(Session)
    }

    /// - Parameter listed: the session that the server lists under the id.
    func occupant(_ listed: Session?) -> Occupant {
        guard let listed else { return .nobody }
        guard let session, session.identity.isSameSession(as: listed.identity) else { return .other(listed) }
        return .pinned(listed, session)
    }
}
