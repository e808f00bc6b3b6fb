/// Where plans are kept, with what was decided about them and an audit of both.
///
/// Every method that writes returns only when the write would survive a power failure, and appends to the audit in the
/// same transaction: what is not on record there did not happen.
public protocol PlanStore: Sendable {
    /// Stores a new plan in state `prepared`.
    ///
    /// - Parameter caller: who asks for it.
    @discardableResult
    func insert(_ plan: KillPlan, by caller: Caller) async throws(StoreError) -> AuditReceipt

    /// The plan with that ticket and how far it got.
    func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan?

    /// The plan with that name and how far it got.
    func plan(named name: PlanName) async throws(StoreError) -> StoredPlan?

    /// Plans that are recorded for the history, the latest first.
    ///
    /// - Parameter time: by which a plan has expired or not.
    func plans(_ query: PlanQuery, at time: UnixTime) async throws(StoreError) -> [PlanSummary]

    /// Records what somebody decided about a plan, if the plan is in a state that allows it.
    ///
    /// - Returns: ``DecisionResult/notRecorded``, with nothing changed, if it is not: the plan tells why.
    func record(_ decision: Decision, on plan: PlanName) async throws(StoreError) -> DecisionResult

    /// Moves a plan that may be committed from `prepared` to `committing` and records whom it is about to kill, in one
    /// transaction; moves one whose time is over to `expired`.
    ///
    /// What the claim says is compared with the plan in the statement that moves it, so that nothing comes between.
    func claim(_ plan: PlanName, _ claim: PlanClaim) async throws(StoreError) -> ClaimResult

    /// Ends a plan and records the outcomes, and by which guards KILLs were sent, in one transaction: as committed one
    /// that is `committing`, as stale or abandoned also one that is `prepared`.
    ///
    /// - Returns: `nil`, with nothing changed, if the plan has ended already.
    /// - Throws: also if there is no such plan, or nobody claimed what is to be committed; and if the ending is that of
    ///   a decision or of time, which nobody else brings about.
    @discardableResult
    func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> AuditReceipt?

    /// Where the audit has the end of a plan; `nil` if it has not ended, or ended before there was an audit.
    func receiptOfEnd(of plan: PlanName) async throws(StoreError) -> AuditReceipt?

    /// Grows with everything that changes: the number of the audit's last entry.
    func revision() async throws(StoreError) -> Int64
}

extension PlanStore {
    /// Ends a plan of which no KILL is known to have been accepted.
    @discardableResult
    public func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], at time: UnixTime
    ) async throws(StoreError) -> AuditReceipt? {
        try await finish(plan, as: ending, outcomes: outcomes, guards: [:], at: time)
    }
}

/// What has to hold for a plan to be committed, and what is recorded if it does.
public struct PlanClaim: Hashable, Sendable {
    /// Who is about to be killed.
    public var intended: [ThreadID]
    public var caller: Caller
    /// Of the plan, as whoever commits it knows it.
    public var digest: String
    /// The plan's approvals that are valid now; no others count.
    public var approvals: [Decision]
    /// How many persons the configuration of now asks for. If the plan asks for more, those count.
    public var required: Int
    /// In place of the approvals: the right and the reason to do without.
    public var breakGlass: Decision?
    public var time: UnixTime

    public init(
        intended: [ThreadID], caller: Caller, digest: String, approvals: [Decision] = [], required: Int = 0,
        breakGlass: Decision? = nil, time: UnixTime
    ) {
        self.intended = intended
        self.caller = caller
        self.digest = digest
        self.approvals = approvals
        self.required = required
        self.breakGlass = breakGlass
        self.time = time
    }
}

public enum ClaimResult: Hashable, Sendable {
    case claimed(AuditReceipt)
    /// The plan's time is over, which is on record now: nothing revives it.
    case expired
    /// Nothing was changed: the plan tells why.
    case notClaimed
}

public enum DecisionResult: Hashable, Sendable {
    case recorded(AuditReceipt)
    /// The same person had decided the same before, which is what stays on record.
    case repeated(AuditReceipt)
    case notRecorded
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
