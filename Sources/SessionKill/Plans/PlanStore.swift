/// Where plans are kept. Every method that writes returns only when the write
/// would survive a power failure.
public protocol PlanStore: Sendable {
    /// Stores a new plan in state `prepared`.
    func insert(_ plan: KillPlan) async throws(StoreError)

    /// The plan with that ticket and how far it got.
    func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan?

    /// The plan with that name and how far it got.
    func plan(named name: PlanName) async throws(StoreError) -> StoredPlan?

    /// The plans of `instances` that are recorded for the history, the latest first.
    ///
    /// - Parameter time: by which a plan has expired or not.
    func history(
        of instances: Set<InstanceID>, at time: UnixTime, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [PlanSummary]

    /// Moves a plan from `prepared` to `committing` and records the intent to
    /// kill `threads`, in one transaction.
    ///
    /// - Returns: false, with nothing changed, if the plan is not `prepared`.
    func claim(_ plan: PlanName, intending threads: [ThreadID], at time: UnixTime) async throws(StoreError) -> Bool

    /// Ends a plan that is `prepared` or `committing` and records the outcomes,
    /// and by which guards KILLs were sent, in one transaction.
    ///
    /// - Returns: false, with nothing changed, if the plan has ended already.
    /// - Throws: also if there is no such plan: nobody ends what nobody prepared.
    func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> Bool
}

extension PlanStore {
    /// Ends a plan of which no KILL is known to have been accepted.
    public func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], at time: UnixTime
    ) async throws(StoreError) -> Bool {
        try await finish(plan, as: ending, outcomes: outcomes, guards: [:], at: time)
    }
}

/// A plan and what has happened to it.
public struct StoredPlan: Hashable, Sendable {
    public let plan: KillPlan
    /// The digest as it was when the plan was stored.
    public let digest: String
    public let state: PlanState

    public init(plan: KillPlan, digest: String, state: PlanState) {
        self.plan = plan
        self.digest = digest
        self.state = state
    }
}

/// How far a plan got. That a prepared plan has expired follows from the time and is not stored.
public enum PlanState: Hashable, Sendable {
    case prepared
    /// A Commit recorded that it was about to kill these and did not come to its end yet.
    case committing(since: UnixTime, intended: Set<ThreadID>)
    /// - Parameter guards: of those whose KILL the server accepted, if that is known.
    case ended(PlanEnding, at: UnixTime, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard] = [:])
}

/// How far a plan got, in one word.
public enum PlanStatus: String, Hashable, Sendable {
    case prepared
    /// Never committed, and too late for it now.
    case expired
    case committing
    case committed
    /// Its server was restarted or replaced, so that nothing was killed.
    case stale
    /// Its task could not go on, so that nobody was killed any more.
    case abandoned
}

extension PlanStatus {
    /// What became of a plan that only time can have changed.
    ///
    /// - Parameter expiresAt: of the plan.
    public func asOf(_ time: UnixTime, expiresAt: UnixTime) -> PlanStatus {
        self == .prepared && time >= expiresAt ? .expired : self
    }
}

extension PlanState {
    /// Whether its Commit has not come to its end.
    var isOpen: Bool { if case .ended = self { false } else { true } }

    /// As it is stored: that a prepared plan has expired follows from the time.
    public var status: PlanStatus {
        switch self {
        case .prepared: .prepared
        case .committing: .committing
        case .ended(let ending, _, _, _): ending.status
        }
    }
}

/// A plan in the history: all but its threads, which are only counted.
public struct PlanSummary: Hashable, Sendable {
    public var name: PlanName
    public var account: AccountName
    public var instance: InstanceID
    /// The kill task that made it.
    public var task: KillTaskName?
    public var preparedAt: UnixTime
    public var status: PlanStatus
    /// When it was committed, became stale or was abandoned.
    public var endedAt: UnixTime?
    public var threadCount: Int
    public var outcomes: [Outcome.Kind: Int]

    public init(
        name: PlanName, account: AccountName, instance: InstanceID, task: KillTaskName? = nil, preparedAt: UnixTime,
        status: PlanStatus, endedAt: UnixTime?, threadCount: Int, outcomes: [Outcome.Kind: Int]
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
    }
}

/// How a plan ends.
public enum PlanEnding: Hashable, Sendable {
    case committed
    case stale(StaleReason)
    /// Its task could not go on. The outcomes tell what became of the sessions, as far as it could be seen.
    case abandoned
}

extension PlanEnding {
    /// The same in one word.
    public var status: PlanStatus {
        switch self {
        case .committed: .committed
        case .stale: .stale
        case .abandoned: .abandoned
        }
    }
}

/// The store could not do what was asked; nothing was changed.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// Full disk, read-only file system, no permission.
        case cannotWrite
        /// Another process holds the store.
        case busy
        /// The file is no store of killd's, or damaged.
        case damaged
        case other
    }

    public let reason: Reason
    /// For the log: what was attempted and what the store said.
    public let description: String

    public init(_ reason: Reason, _ description: String) {
        self.reason = reason
        self.description = description
    }
}
