import SessionKill
import Text

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
        let plan = summary.outline
        PlanName = plan.name.rawValue
        InstanceId = plan.instance.rawValue
        Account = plan.account.rawValue
        Task = plan.task?.rawValue
        PreparedAt = summary.preparedAt.text
        EndedAt = summary.endedAt?.text
        ThreadCount = summary.threadCount
        Outcomes = summary.outcomes.reduce(into: [:]) { $0[$1.key.rawValue] = $1.value }
        self.Risk = plan.terms?.grade?.rawValue
        RequestedBy = plan.requestedBy?.rawValue
        Reason = summary.reason
        BrokeGlass = plan.brokeGlass
        Reviewed = plan.isReviewed
        Required = review?.required ?? plan.terms?.required ?? 0
        if Required > 0 { ApprovableUntil = plan.terms?.approvableUntil.text }
        // What is decided is told by what counts now, and what is over by what counted then.
        let isPrepared = plan.state == .prepared
        State = (isPrepared ? review.map { PlanStatus($0.standing) } ?? summary.status : summary.status).rawValue
        Approvals = (isPrepared ? review?.valid ?? plan.approvals : plan.approvals).map(\.caller.person.rawValue)
        if isPrepared { CommittableUntil = review?.committableUntil?.text }
        You = KillPlanRights(review?.you ?? .none(of: summary.status))
    }
}

extension KillPlanSummary {
    /// The same as an encoder writes.
    var members: JSONMembers {
        var members = JSONMembers()
        members.add("Account", Account)
        members.add("ApprovableUntil", ApprovableUntil)
        members.add("Approvals", Approvals)
        members.add("BrokeGlass", BrokeGlass)
        members.add("CommittableUntil", CommittableUntil)
        members.add("EndedAt", EndedAt)
        members.add("InstanceId", InstanceId)
        var outcomes = JSONMembers()
        for (outcome, count) in Outcomes.sorted(by: { $0.key < $1.key }) { outcomes.add(outcome, Int64(count)) }
        members.add("Outcomes", outcomes)
        members.add("PlanName", PlanName)
        members.add("PreparedAt", PreparedAt)
        members.add("Reason", Reason)
        members.add("RequestedBy", RequestedBy)
        members.add("Required", Int64(Required))
        members.add("Reviewed", Reviewed)
        members.add("Risk", self.Risk)
        members.add("State", State)
        members.add("Task", Task)
        members.add("ThreadCount", Int64(ThreadCount))
        members.add("You", You.members)
        return members
    }
}

extension PlanSummary {
    /// Whether there may be somebody who can approve, reject, cancel or commit it, or look at it after glass was broken.
    var isOpenToDecisions: Bool {
        switch status {
        case .prepared, .approved, .committing: true
        // By what is stored; an approval that does not count now may have made it so.
        case .expired: endedAt == nil && !outline.approvals.isEmpty
        case .rejected, .cancelled, .committed, .stale, .abandoned: outline.brokeGlass && !outline.isReviewed
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

extension KillPlanRights {
    fileprivate var members: JSONMembers {
        var members = JSONMembers()
        members.add("MayApprove", MayApprove)
        members.add("MayCancel", MayCancel)
        members.add("MayCommit", MayCommit)
        members.add("MayReject", MayReject)
        members.add("Why", Why)
        return members
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
