import Cryptography

/// Turns what one look at a server saw into what a plan keeps.
struct Preparation {
    private let look: IndexedObservation
    private let rules: ProtectionRules
    private let policy: RecordedStatement.Policy
    /// What is to be ended in place of a session.
    private let serverSessions: [ThreadID: ServerSession]

    init(
        look: IndexedObservation, instance: Instance, settings: KillEngine.Settings,
        serverSessions: [ThreadID: ServerSession]
    ) {
        self.look = look
        self.serverSessions = serverSessions
        rules = instance.protectionRules(look.observation)
        policy = instance.hidesStatements ? .hidden : .cut(bytes: settings.maximumStatementBytes)
    }

    /// - Throws: `CryptographyError` if a statement is to be hidden and OpenSSL refuses.
    func pin(_ thread: ThreadID, withPicture: Bool) throws(CryptographyError) -> PinnedThread {
        guard let session = look.sessions[thread] else { return PinnedThread(absent: thread) }
        var identity = session.identity
        identity.proxy?.serverSession = serverSessions[thread]
        return PinnedThread(PinnedSession(identity: identity, picture: withPicture ? try picture(of: session) : nil))
    }

    func impact(of threads: Set<ThreadID>) -> PlanImpact {
        // Who is protected is not going to die.
        let dying = threads.filter { look.sessions[$0].map { rules.protection(of: $0) == nil } == true }
        return PlanImpact(
            freedSessions: look.waitGraph.freed(by: dying).count,
            unexplainedWaiters: look.observation.lockWaits.unexplained.subtracting(dying).count)
    }

    private func picture(of session: Session) throws(CryptographyError) -> PinnedPicture {
        let seen = session.picture
        return PinnedPicture(
            database: seen.database, command: seen.command, seconds: seen.seconds, state: seen.state,
            statement: try RecordedStatement(of: seen, policy), transaction: seen.transaction,
            preparedXA: seen.preparedXA,
            protection: rules.protection(of: session),
            wantedLocks: look.waitGraph.locksWanted(from: session.id),
            freedSessions: look.waitGraph.freed(by: [session.id]).count)
    }
}
