import SessionKill
import Text

/// What stands beside a thread's id is as it was at Prepare, but for the outcome.
public struct KillPlanThread: Codable, Sendable {
    public var Id: ThreadID
    /// Whether a session had the id.
    public var Found: Bool
    public var User: String?
    public var Host: String?
    public var Program: String?
    public var ProcessId: String?
    /// The `proxy_sessid` of a thread of an OceanBase Database Proxy, mostly above 2^53.
    public var ProxySessId: String?
    public var Cluster: String?
    public var Tenant: String?
    /// The `ss_id` of the connection to a database server that is to end in the thread's place.
    public var ServerSessionId: UInt64?
    /// The server to which that connection leads.
    public var ServerAddress: String?
    public var DB: String?
    public var Command: String?
    public var Time: Int64?
    public var State: String?
    public var Info: String?
    /// Length of the whole statement in bytes, if ``Info`` is only its beginning.
    public var InfoLength: Int?
    /// The hash in place of ``Info`` where the instance hides statements.
    public var InfoSha256: String?
    public var Transaction: Transaction?
    /// Whether a prepared XA transaction outlives the session with all its locks; missing if that is not known.
    public var XaPrepared: Bool?
    /// `true` if a prepared XA transaction is nobody's, and may be this session's: the server does not tell.
    public var XaUnknown: Bool?
    /// `true` if its change is committed, and it only waits for a replica to acknowledge it: KILL undoes nothing.
    public var AwaitsReplica: Bool?
    /// `true` if the server may have cut ``Host``, and the port with it, so that two sessions may look alike.
    public var HostCut: Bool?
    /// `own-connection`, `replication`, `system-thread`, `event-scheduler` or `protected-user`.
    public var Protection: String?
    /// What it held that others waited for.
    public var WantedLocks: [WantedLock]?
    /// Sessions that could go on if it alone were gone.
    public var FreedSessions: Int?
    /// What became of it at Commit; missing before.
    public var Outcome: String?
    /// The rows left to undo, why it is protected, why it failed, or what the server said when it denied the KILL.
    public var OutcomeDetail: String?
    /// In ``KillPlanDescription/Now``: whether the session that has the id is the one that was pinned.
    public var SameSession: Bool?
    /// By what it was told from all others when its KILL was sent: `thread-id`, `query-id`, `list` or `list-before`;
    /// missing where no KILL is known to have been accepted.
    public var Guard: String?

    public struct Transaction: Codable, Sendable {
        /// The age in seconds.
        public var Age: Int64
        /// What a rollback has to undo; missing if the server does not tell.
        public var RowsModified: UInt64?
        public var State: String
    }

    public struct WantedLock: Codable, Sendable {
        /// `row`, `metadata` or `user` (GET_LOCK).
        public var Kind: String
        public var Object: String
        public var Index: String?
        public var Mode: String?
        public var Waiters: Int
    }
}

extension KillPlanThread {
    /// As it is now.
    init(_ thread: PinnedThread, presence: PlanNow.Presence) {
        switch presence {
        case .present(let details):
            let session = thread.session.map { PinnedSession(identity: $0.identity, details: details) }
            self.init(session.map { PinnedThread($0) } ?? thread)
            SameSession = true
        case .gone, .replaced:
            self.init(PinnedThread(absent: thread.id))
            Found = presence == .replaced
            SameSession = false
        }
    }

    init(_ thread: PinnedThread, _ outcome: SessionKill.Outcome? = nil, _ guardOfKill: KillGuard? = nil) {
        let identity = thread.session?.identity
        let details = thread.session?.details
        Id = thread.id
        Found = thread.session != nil
        User = identity?.user
        Host = identity?.host
        Program = identity?.client?.programName
        ProcessId = identity?.client?.processID
        ProxySessId = (identity?.proxy).map { String($0.id) }
        Cluster = identity?.proxy?.cluster
        Tenant = identity?.proxy?.tenant
        ServerSessionId = identity?.proxy?.serverSession?.id
        ServerAddress = identity?.proxy?.serverSession?.address
        DB = details?.database
        Command = details?.command
        Time = details?.seconds
        State = details?.state
        switch details?.statement {
        case .shown(let text, let length)?:
            Info = text
            InfoLength = text.utf8.count < length ? length : nil
        case .hidden(let sha256)?: InfoSha256 = sha256
        case nil: break
        }
        self.Transaction = (details?.transaction).map {
            .init(Age: $0.age, RowsModified: $0.rowsModified, State: $0.state)
        }
        switch details?.preparedXA {
        case .absent?: XaPrepared = false
        case .present?: XaPrepared = true
        case .unknown?: XaUnknown = true
        case nil: break
        }
        if details?.awaitsReplica == true { AwaitsReplica = true }
        if identity?.mayLackPort == true { HostCut = true }
        Protection = details?.protection?.rawValue
        WantedLocks = details?.wantedLocks.map {
            .init(
                Kind: $0.lock.kind.rawValue, Object: $0.lock.object, Index: $0.lock.index, Mode: $0.lock.mode,
                Waiters: $0.waiters)
        }
        FreedSessions = details?.freedSessions
        Outcome = outcome?.kind.rawValue
        OutcomeDetail = outcome?.detail
        Guard = guardOfKill?.rawValue
    }
}
