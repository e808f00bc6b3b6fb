import SessionKill

/// A kill plan without the `SqlExecId`: whoever looks at a plan by its name must
/// not be able to commit it.
public struct KillPlanDescription: Codable, Sendable {
    public var PlanName: String
    public var InstanceId: String
    /// The name of the account that prepared it, or created its task.
    public var Account: String
    /// The kill task that made it, if one did.
    public var Task: String?
    /// `prepared`, `approved`, `rejected`, `cancelled`, `expired`, `committing`, `committed`, `stale` or `abandoned`.
    public var State: String
    /// The reason why a plan is stale: `server-restarted`, `another-server` or `risk-rose`.
    public var StateReason: String?
    /// SHA-256 over everything that Prepare pinned.
    public var Digest: String
    /// ISO 8601, like all times here.
    public var PreparedAt: String
    /// The last moment at which it could be committed, whenever it is approved.
    public var ExpiresAt: String
    public var EndedAt: String?
    /// For whom the account said that it asks.
    public var RequestedBy: String?
    /// Why, in the words of whoever asked.
    public var Reason: String?
    /// Missing if the plan was not graded.
    public var Risk: KillPlanRisk?
    /// How many persons have to approve, by the plan or by the configuration of now, whichever is more.
    public var Required: Int
    /// In the order in which they were given.
    public var Approvals: [KillPlanApproval]
    /// The persons who could approve and have not.
    public var CouldApprove: [String]
    /// Until when somebody can; missing where nobody has to.
    public var ApprovableUntil: String?
    /// Until when the plan can be committed, or could have been; missing while it lacks approvals.
    public var CommittableUntil: String?
    /// By whom it was rejected or cancelled.
    public var Decision: KillPlanDecision?
    /// By whom it was committed without the approvals that it needs.
    public var BreakGlass: KillPlanDecision?
    /// Who has looked at that since.
    public var Reviews: [KillPlanDecision]
    /// What the caller may do about it.
    public var You: KillPlanRights
    public var RecordHistory: Bool
    public var Server: Server
    /// Sessions outside the plan that could go on once all of it is gone; missing without history.
    public var FreedSessions: Int?
    /// Sessions that wait for a lock whose holder the server did not tell; missing without history.
    public var UnexplainedWaiters: Int?
    /// Who waited for whom, as far as the plan's sessions were part of it.
    public var WaitEdges: [KillPlanWaitEdge]
    /// How many more there were; missing if none.
    public var MoreWaitEdges: Int?
    /// The threads in the order of the request.
    public var Threads: [KillPlanThread]
    /// What they do now, if that was asked for.
    public var Now: KillPlanNow?
    /// While this killd is at its Commit.
    public var Progress: KillPlanProgress?

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

extension KillPlanDescription {
    init(_ stored: StoredPlan, _ review: PlanReview) {
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
        State = (stored.state == .prepared ? PlanStatus(review.standing) : stored.state.status).rawValue
        Digest = stored.digest
        PreparedAt = content.preparedAt.text
        ExpiresAt = content.expiresAt.text
        RequestedBy = content.requestedBy?.rawValue
        Reason = content.reason
        self.Risk = (content.review?.risk).map(KillPlanRisk.init)
        Required = review.required
        Approvals = stored.approvals.map { KillPlanApproval($0, isValid: review.valid.contains($0)) }
        CouldApprove = review.couldApprove.map(\.rawValue)
        if Required > 0 { ApprovableUntil = content.review?.approvableUntil.text }
        CommittableUntil = review.committableUntil?.text
        func decisions(_ kinds: Set<SessionKill.Decision.Kind>) -> [KillPlanDecision] {
            stored.decisions.filter { kinds.contains($0.kind) }.map(KillPlanDecision.init)
        }
        self.Decision = decisions([.rejected, .cancelled]).last
        self.BreakGlass = decisions([.brokeGlass]).last
        Reviews = decisions([.reviewed])
        You = KillPlanRights(review.you)
        RecordHistory = content.recordHistory
        self.Server = .init(content.fingerprint)
        FreedSessions = content.impact?.freedSessions
        UnexplainedWaiters = content.impact?.unexplainedWaiters
        WaitEdges = (content.review?.waits ?? []).map(KillPlanWaitEdge.init)
        if let omitted = content.review?.omittedWaits, omitted > 0 { MoreWaitEdges = omitted }
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
