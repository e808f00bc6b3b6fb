/// Sessions that were listed a moment before their KILL, and of which the server said then that there is none.
struct UnlistedSessions {
    private struct Unlisted {
        let session: Session
        /// Whether it was the KILL that the server answered with 1094, or the guard that did not find it.
        let wasSentKill: Bool
    }

    private var sessions: [Unlisted] = []
    /// Those whose KILL was on record when an earlier run was interrupted.
    private let intended: Set<ThreadID>

    init(intended: Set<ThreadID>) { self.intended = intended }

    var isEmpty: Bool { sessions.isEmpty }

    var identities: [SessionIdentity] { sessions.map(\.session.identity) }

    mutating func add(_ session: Session, wasSentKill: Bool) {
        sessions.append(Unlisted(session: session, wasSentKill: wasSentKill))
    }

    /// What became of each.
    ///
    /// - Parameters:
    ///   - present: those of them that the server lists or has a thread for; `nil` if it could not be asked.
    ///   - now: who has which id; `nil` as before.
    ///   - vanished: given those that may have died of an earlier run's KILL.
    func explain(
        present: Set<ThreadID>?, now: [ThreadID: Session]?, _ vanished: inout VanishedSessions
    ) -> [ThreadID: Outcome] {
        var outcomes: [ThreadID: Outcome] = [:]
        for each in sessions {
            let session = each.session
            let wasIntended = intended.contains(session.id)
            guard let present, let now else {
                outcomes[session.id] = each.wasSentKill || wasIntended ? .unknown : .failed(.notFoundByGuard)
                continue
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
                vanished.add(session)
            } else {
                outcomes[session.id] = .gone
            }
        }
        return outcomes
    }
}
