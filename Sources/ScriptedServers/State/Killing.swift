import SessionKill
import Text

extension ScriptedServerState {
    /// What the server says to KILLs, each guarded by the strongest guard that it can run.
    ///
    /// - Returns: one response for each session, in the same order.
    public mutating func kill(
        _ identities: [SessionIdentity], on number: UInt64, at now: UnixTime
    ) -> [KillResponse] {
        settle(at: now)
        guard let connection = try? use(number, at: now) else { return identities.map { _ in .notSent } }
        return identities.map { kill($0, on: connection, at: now) }
    }

    private mutating func kill(
        _ identity: SessionIdentity, on connection: OwnConnection, at now: UnixTime
    ) -> KillResponse {
        let isOwn = connection.account.user.isSame(as: identity.user)
        if self.isOwn(identity.id) {
            return script.kind == .oceanBaseODP
                ? .notPermitted(message: "it is a connection of killd's own") : killOwn(identity, on: connection)
        }
        guard let live = sessions[identity.id], identity.isSameSession(as: self.identity(of: live)),
            live.reaction != .unguardable, isOwn || connection.account.seesAll
        else { return .notFound }
        if let held = identity.proxy?.serverSession { return end(held, of: live) }
        guard isOwn || connection.account.privileges.contains(.connectionAdmin) else {
            return .notPermitted(message: "You are not owner of thread \(identity.id)")
        }
        switch live.reaction {
        case .unguardable: return .notFound
        case .unkillable: return .noSuchThread
        case .refuses(let error): return KillResponse(error)
        case .dies, .rollsBack, .survives:
            if live.killed == nil { sessions[live.id]?.killed = LiveSession.Kill(time: now, looks: looks) }
            // Whoever dies at once is gone before anybody looks.
            settle(at: now)
            return .accepted(by: guardOfKill(of: identity))
        }
    }

    private mutating func killOwn(_ identity: SessionIdentity, on connection: OwnConnection) -> KillResponse {
        guard let own = connections.values.first(where: { $0.threadID == identity.id }),
            own.account.user.isSame(as: identity.user), own.host.isSame(as: identity.host)
        else { return .notFound }
        disconnect(own.number)
        return own.number == connection.number ? .lost : .accepted(by: guardOfKill(of: identity))
    }

    /// By what it is told from others: without its THREAD_ID, by the next weaker guard.
    private func guardOfKill(of identity: SessionIdentity) -> KillGuard {
        script.strongestGuard == .threadID && identity.performanceSchemaThreadID == nil ? .list : script.strongestGuard
    }

    private mutating func end(_ held: ServerSession, of live: LiveSession) -> KillResponse {
        guard live.proxy?.serverSessions.contains(held) == true else { return .notFound }
        sessions[live.id]?.proxy?.serverSessions.removeAll { $0 == held }
        return .accepted(by: .listBefore)
    }
}

extension KillResponse {
    /// As the same error of a real server is taken.
    fileprivate init(_ error: Seed.Reaction.ServerError) {
        self =
            switch error.code {
            case 1_094: .noSuchThread
            case 1_095, 1_227, 1_979: .notPermitted(message: error.message)
            default: .rejected(code: error.code, message: error.message)
            }
    }
}
