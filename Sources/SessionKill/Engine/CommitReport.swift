/// What a Commit answers, the first time and every time after.
public struct CommitReport: Hashable, Sendable {
    public let plan: KillPlan
    public let outcomes: [ThreadID: Outcome]
    /// Of the plan's end; `nil` if that was before there was an audit.
    public let audit: AuditReceipt?

    public init(plan: KillPlan, outcomes: [ThreadID: Outcome], audit: AuditReceipt? = nil) {
        self.plan = plan
        self.outcomes = outcomes
        self.audit = audit
    }

    /// The threads that Commit's `Threads` lists, in the order of the request.
    public var killed: [ThreadID] { plan.content.threads.map(\.id).filter { outcomes[$0]?.isKilled == true } }
}
