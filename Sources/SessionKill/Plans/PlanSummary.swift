import Text

/// Which plans are asked for.
public struct PlanQuery: Hashable, Sendable {
    public var instances: Set<InstanceID>
    /// `nil` for plans in any state.
    public var states: Set<PlanStatus>?
    /// Only those for which glass was broken and that nobody has looked at since.
    public var unreviewed: Bool
    public var offset: Int
    public var limit: Int

    public init(
        instances: Set<InstanceID>, states: Set<PlanStatus>? = nil, unreviewed: Bool = false, offset: Int = 0,
        limit: Int
    ) {
        self.instances = instances
        self.states = states
        self.unreviewed = unreviewed
        self.offset = offset
        self.limit = limit
    }
}

/// A plan in a list: all but its threads, which are only counted.
public struct PlanSummary: Hashable, Sendable {
    public var name: PlanName
    public var account: AccountName
    public var instance: InstanceID
    /// The kill task that made it.
    public var task: KillTaskName?
    public var preparedAt: UnixTime
    public var status: PlanStatus
    /// When it was committed, became stale, was abandoned, rejected or cancelled, or expired, if that is on record.
    public var endedAt: UnixTime?
    public var threadCount: Int
    public var outcomes: [Outcome.Kind: Int]

    /// For whom the account says that it asks.
    public var requestedBy: PersonName?
    @Exact public var reason: String?
    public var risk: RiskGrade?
    /// How many persons have to approve, by the plan.
    public var required: Int
    /// Who has, in the order in which they did.
    public var approvals: [PersonName]
    /// Until when somebody can; `nil` if the plan is none that could be approved.
    public var approvableUntil: UnixTime?
    /// When the plan expires if nothing happens; `nil` if it has not expired and cannot any more.
    public var deadline: UnixTime?
    /// Whether it was committed by the right to do without approvals.
    public var brokeGlass: Bool
    /// Whether somebody looked at that afterwards.
    public var reviewed: Bool

    public init(
        name: PlanName, account: AccountName, instance: InstanceID, task: KillTaskName? = nil, preparedAt: UnixTime,
        status: PlanStatus, endedAt: UnixTime?, threadCount: Int, outcomes: [Outcome.Kind: Int],
        requestedBy: PersonName? = nil, reason: String? = nil, risk: RiskGrade? = nil, required: Int = 0,
        approvals: [PersonName] = [], approvableUntil: UnixTime? = nil, deadline: UnixTime? = nil,
        brokeGlass: Bool = false, reviewed: Bool = false
    ) {
        self.name = name
        self.account = account
        self.instance = instance
        self.task = task
        self.preparedAt = preparedAt
        self.status = status
        self.endedAt = endedAt
        self.threadCount = threadCount
        self.outcomes = outcomes
        self.requestedBy = requestedBy
        self.reason = reason
        self.risk = risk
        self.required = required
        self.approvals = approvals
        self.approvableUntil = approvableUntil
        self.deadline = deadline
        self.brokeGlass = brokeGlass
        self.reviewed = reviewed
    }
}
