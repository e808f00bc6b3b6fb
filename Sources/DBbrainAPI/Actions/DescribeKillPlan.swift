import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors
import Text

/// A kill plan: what it pinned, how far it got, and what became of each thread.
///
/// An action of killd's own; the vendor has none like it.
public struct DescribeKillPlanRequest: Codable, Sendable {
    /// What Prepare responded. This or ``PlanName`` is needed.
    public var SqlExecId: String?
    /// The plan's public name. Knowing it does not let anybody commit.
    public var PlanName: String?

    public init(SqlExecId: String? = nil, PlanName: String? = nil) {
        self.SqlExecId = SqlExecId
        self.PlanName = PlanName
    }
}

public struct DescribeKillPlanResponse: Codable, Sendable {
    public var Plan: KillPlanDescription
}

/// A kill plan without the `SqlExecId`: whoever looks at a plan by its name must
/// not be able to commit it.
public struct KillPlanDescription: Codable, Sendable {
    public var PlanName: String
    public var InstanceId: String
    /// The name of the account that prepared it, or created its task.
    public var Account: String
    /// The kill task that made it, if one did.
    public var Task: String?
    /// `prepared`, `expired`, `committing`, `committed` or `stale`.
    public var State: String
    /// The reason why a plan is stale: `server-restarted` or `another-server`.
    public var StateReason: String?
    /// SHA-256 over everything that Prepare pinned.
    public var Digest: String
    /// ISO 8601, like all times here.
    public var PreparedAt: String
    public var ExpiresAt: String
    public var EndedAt: String?
    public var RecordHistory: Bool
    public var Server: Server
    /// Sessions outside the plan that could go on once all of it is gone; missing without history.
    public var FreedSessions: Int?
    /// Sessions that wait for a lock whose holder the server did not tell; missing without history.
    public var UnexplainedWaiters: Int?
    /// The threads in the order of the request.
    public var Threads: [KillPlanThread]

    public struct Server: Codable, Sendable {
        public var Version: String
        public var Hostname: String
        public var Port: Int
        public var ServerId: UInt64
        /// `server_uuid` or `server_uid`.
        public var UniqueId: String?
        /// Missing for a proxy, which does not tell.
        public var StartedAt: String?
    }
}

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

extension DBbrain {
    func describeKillPlan(_ request: DescribeKillPlanRequest, _ call: Call) async throws -> DescribeKillPlanResponse {
        let stored: StoredPlan?
        let notFound: TencentCloudError
        switch (request.SqlExecId, request.PlanName) {
        case (let ticket?, nil):
            stored = try await inDialect { try await engine.plan(with: SqlExecID(rawValue: ticket)) }
            notFound = .planNotFound
        case (nil, let name?):
            stored = try await inDialect { try await engine.plan(named: PlanName(rawValue: name)) }
            notFound = .planNameNotFound
        case (nil, nil): throw TencentCloudError.missingParameter("SqlExecId")
        case (_?, _?): throw TencentCloudError.conflictingParameters("SqlExecId", "PlanName")
        }
        // A plan on an instance that the account may not see is rejected like one that never was.
        guard let stored, let managed = visibleInstance(stored.plan.content.instance, for: call) else { throw notFound }
        if stored.plan.content.account != call.accountName {
            try call.require(.list, on: managed.resource(for: call.account))
        }
        return DescribeKillPlanResponse(Plan: KillPlanDescription(stored, status: engine.status(of: stored)))
    }
}

extension KillPlanDescription {
    init(_ stored: StoredPlan, status: PlanStatus) {
        let content = stored.plan.content
        var outcomes: [ThreadID: Outcome] = [:]
        var guards: [ThreadID: KillGuard] = [:]
        if case .ended(let ending, let time, let ended, let guardsOfKills) = stored.state {
            outcomes = ended
            guards = guardsOfKills
            EndedAt = time.text
            if case .stale(let reason) = ending { StateReason = reason.rawValue }
        }
        PlanName = stored.plan.name.rawValue
        InstanceId = content.instance.rawValue
        Account = content.account.rawValue
        Task = content.task?.rawValue
        State = status.rawValue
        Digest = stored.digest
        PreparedAt = content.preparedAt.text
        ExpiresAt = content.expiresAt.text
        RecordHistory = content.recordHistory
        self.Server = .init(content.fingerprint)
        FreedSessions = content.impact?.freedSessions
        UnexplainedWaiters = content.impact?.unexplainedWaiters
        Threads = content.threads.map { KillPlanThread($0, outcomes[$0.id], guards[$0.id]) }
    }
}

extension KillPlanDescription.Server {
    fileprivate init(_ fingerprint: ServerFingerprint) {
        Version = fingerprint.version
        Hostname = fingerprint.hostname
        Port = fingerprint.port
        ServerId = fingerprint.serverID
        UniqueId = fingerprint.uniqueID
        StartedAt = fingerprint.startedAt.flatMap { UnixTime(seconds: $0) }?.text
    }
}

extension KillPlanThread {
    fileprivate init(_ thread: PinnedThread, _ outcome: SessionKill.Outcome?, _ guardOfKill: KillGuard?) {
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
