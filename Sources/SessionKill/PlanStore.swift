/// Where plans are kept. Every method that writes returns only when the write
/// would survive a power failure.
public protocol PlanStore: Sendable {
    /// Stores a new plan in state `prepared`.
    func insert(_ plan: KillPlan) async throws(StoreError)

    /// The plan with that ticket and how far it got.
    func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan?

    /// Moves a plan from `prepared` to `committing` and records the intent to
    /// kill `threads`, in one transaction.
    ///
    /// - Returns: false, with nothing changed, if the plan is not `prepared`.
    func claim(_ plan: PlanName, intending threads: [ThreadID], at time: UnixTime) async throws(StoreError) -> Bool

    /// Ends a plan that is `prepared` or `committing` and records the outcomes
    /// in one transaction.
    ///
    /// - Returns: false, with nothing changed, if the plan has ended already.
    func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], at time: UnixTime
    ) async throws(StoreError) -> Bool
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
    case ended(PlanEnding, at: UnixTime, outcomes: [ThreadID: Outcome])
}

/// How a plan ends.
public enum PlanEnding: Hashable, Sendable {
    case committed
    case stale(StaleReason)
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
