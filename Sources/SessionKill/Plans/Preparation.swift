import Cryptography

/// Turns what one look at a server saw into what a plan keeps.
struct Preparation {
    private let snapshot: IndexedObservation
    private let rules: ProtectionRules
    private let policy: RecordedStatement.Policy
    /// What is to be ended in place of a session.
    private let serverSessions: [ThreadID: ServerSession]

    init(
        snapshot: IndexedObservation, instance: Instance, settings: KillEngine.Settings,
        serverSessions: [ThreadID: ServerSession]
    ) {
        self.snapshot = snapshot
        self.serverSessions = serverSessions
        rules = instance.protectionRules(snapshot.observation)
        policy = instance.hidesStatements ? .hidden : .cut(bytes: settings.maximumStatementBytes)
    }

    /// - Throws: `CryptographyError` if a statement is to be hidden and OpenSSL refuses.
    func pin(_ thread: ThreadID, withDetails: Bool) throws(CryptographyError) -> PinnedThread {
        guard let session = snapshot.sessions[thread] else { return PinnedThread(absent: thread) }
        var identity = session.identity
        identity.proxy?.serverSession = serverSessions[thread]
        return PinnedThread(PinnedSession(identity: identity, details: withDetails ? try details(of: session) : nil))
    }

    func impact(of threads: Set<ThreadID>) -> PlanImpact {
        // Who is protected is not going to die.
        let dying = threads.filter { snapshot.sessions[$0].map { rules.protection(of: $0) == nil } == true }
        return PlanImpact(
            freedSessions: snapshot.waitGraph.freed(by: dying).count,
            unexplainedWaiters: snapshot.observation.lockWaits.unexplained.subtracting(dying).count)
    }

    private func details(of session: Session) throws(CryptographyError) -> PinnedDetails {
        let seen = session.details
        return PinnedDetails(
            database: seen.database, command: seen.command, seconds: seen.seconds, state: seen.state,
            statement: try RecordedStatement(of: seen, policy), transaction: seen.transaction,
            preparedXA: seen.preparedXA,
            protection: rules.protection(of: session),
            wantedLocks: snapshot.waitGraph.locksWanted(from: session.id),
            freedSessions: snapshot.waitGraph.freed(by: [session.id]).count)
    }
}
