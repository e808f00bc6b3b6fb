import SessionKill

/// A plan in a list.
public struct KillPlanSummary: Codable, Sendable {
    public var PlanName: String
    public var InstanceId: String
    public var Account: String
    /// The kill task that made it, if one did.
    public var Task: String?
    /// The state, as in ``KillPlanDescription/State``.
    public var State: String
    public var PreparedAt: String
    public var EndedAt: String?
    public var ThreadCount: Int
    /// How many threads had each outcome, e.g. `{"killed": 2, "gone": 1}`.
    public var Outcomes: [String: Int]
    /// `low`, `medium` or `high`; missing if the plan was not graded.
    public var Risk: String?
    /// How many persons have to approve.
    public var Required: Int
    /// The persons who have approved, in the order in which they did.
    public var Approvals: [String]
    /// Until when somebody can; missing where nobody has to.
    public var ApprovableUntil: String?
    /// Until when the plan can be committed; missing while it lacks approvals, and once it has ended.
    public var CommittableUntil: String?
    /// For whom the account said that it asks.
    public var RequestedBy: String?
    /// Why, in the words of whoever asked.
    public var Reason: String?
    /// Whether it was committed by the right to do without approvals.
    public var BrokeGlass: Bool
    /// Whether somebody has looked at that since.
    public var Reviewed: Bool
    public var You: KillPlanRights
}

extension KillPlanSummary {
    /// - Parameter review: `nil` for a plan about which nobody can decide anything any more.
    init(_ summary: PlanSummary, _ review: PlanReview?) {
        PlanName = summary.name.rawValue
        InstanceId = summary.instance.rawValue
        Account = summary.account.rawValue
        Task = summary.task?.rawValue
        PreparedAt = summary.preparedAt.text
        EndedAt = summary.endedAt?.text
        ThreadCount = summary.threadCount
        Outcomes = summary.outcomes.reduce(into: [:]) { $0[$1.key.rawValue] = $1.value }
        self.Risk = summary.risk?.rawValue
        RequestedBy = summary.requestedBy?.rawValue
        Reason = summary.reason
        BrokeGlass = summary.brokeGlass
        Reviewed = summary.reviewed
        Required = review?.required ?? summary.required
        if Required > 0 { ApprovableUntil = summary.approvableUntil?.text }
        // What is decided is told by what counts now, and what is over by what counted then.
        let isPrepared = summary.endedAt == nil && summary.status != .committing
        State = (isPrepared ? review.map { PlanStatus($0.standing) } ?? summary.status : summary.status).rawValue
        Approvals = (isPrepared ? review?.valid.map(\.caller.person) ?? summary.approvals : summary.approvals)
            .map(\.rawValue)
        if isPrepared { CommittableUntil = review?.committableUntil?.text }
        You = KillPlanRights(review?.you ?? .none(of: summary.status))
    }
}

extension PlanSummary {
    /// Whether there may be somebody who can approve, reject, cancel or commit it, or look at it after glass was broken.
    var isOpenToDecisions: Bool {
        switch status {
        case .prepared, .approved, .committing: true
        // By what is stored; an approval that does not count now may have made it so.
        case .expired: endedAt == nil && !approvals.isEmpty
        case .rejected, .cancelled, .committed, .stale, .abandoned: brokeGlass && !reviewed
        }
    }
}

/// What the caller may do about a plan as it stands: no client has to work it out.
public struct KillPlanRights: Codable, Sendable {
    /// Approve it, or look at it after glass was broken for it.
    public var MayApprove: Bool
    public var MayReject: Bool
    public var MayCancel: Bool
    public var MayCommit: Bool
    /// Why the caller may not approve; empty if they may.
    ///
    /// `own-plan`, `requested-by-you`, `already-approved`, `not-prepared`, `too-late`, `not-permitted`, `not-kept`,
    /// `not-needed`.
    public var Why: [String]

    init(_ rights: PlanReview.Rights) {
        MayApprove = rights.mayApprove
        MayReject = rights.mayReject
        MayCancel = rights.mayCancel
        MayCommit = rights.mayCommit
        Why = rights.why.map(\.code)
    }
}

extension ReviewObstacle {
    /// The same in a word.
    fileprivate var code: String {
        switch self {
        case .ownPlan: "own-plan"
        case .requestedByYou: "requested-by-you"
        case .alreadyApproved: "already-approved"
        case .otherDigest: "other-digest"
        case .notPrepared: "not-prepared"
        case .tooLate: "too-late"
        case .notPermitted: "not-permitted"
        case .notKept: "not-kept"
        case .notYourPlan: "not-your-plan"
        case .notBroken: "not-broken"
        case .reasonMissing: "reason-missing"
        case .reasonTooShort: "reason-too-short"
        case .reasonTooLong: "reason-too-long"
        case .reasonUnreadable: "reason-unreadable"
        case .notNeeded: "not-needed"
        }
    }
}
