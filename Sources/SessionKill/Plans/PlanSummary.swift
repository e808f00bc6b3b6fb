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

/// A plan in a list: its sessions are only counted.
public struct PlanSummary: Hashable, Sendable {
    public var outline: PlanOutline
    public var preparedAt: UnixTime
    /// For those who decide about it, in the words of whoever asked.
    @Exact public var reason: String?
    public var status: PlanStatus
    /// When it was committed, became stale, was abandoned, rejected or cancelled, or expired, if that is on record.
    public var endedAt: UnixTime?
    public var threadCount: Int
    public var outcomes: [Outcome.Kind: Int]

    /// - Parameter time: by which the plan has expired or not.
    public init(
        _ outline: PlanOutline, preparedAt: UnixTime, reason: String?, endedAt: UnixTime?, threadCount: Int,
        outcomes: [Outcome.Kind: Int], at time: UnixTime
    ) {
        self.outline = outline
        self.preparedAt = preparedAt
        self.reason = reason
        self.status = outline.status(at: time)
        self.endedAt = endedAt
        self.threadCount = threadCount
        self.outcomes = outcomes
    }

    public var name: PlanName { outline.name }
}
