/// A stored plan without its sessions, which may be thousands: all by which is decided who may do what about it.
public struct PlanOutline: Hashable, Sendable {
    public let name: PlanName
    public let account: AccountName
    /// Who stood behind the account when the plan was prepared.
    public let preparer: PersonName
    public let instance: InstanceID
    /// The kill task that made it.
    public let task: KillTaskName?
    /// For whom the account says that it asks.
    public let requestedBy: PersonName?
    public let recordHistory: Bool
    public let expiresAt: UnixTime
    /// `nil` in plans of tasks, and of a killd that did not know of approvals.
    public let terms: Terms?
    public let digest: String
    /// As it is stored.
    public let state: PlanStatus
    /// In the order in which they were recorded.
    public var decisions: [Decision]

    /// What the plan asks for, without what its approvers are shown.
    public struct Terms: Hashable, Sendable {
        /// `nil` where nothing was looked at that could tell.
        public let grade: RiskGrade?
        public let required: Int
        public let approvableUntil: UnixTime
        public let commitWithin: Int

        public init(grade: RiskGrade?, required: Int, approvableUntil: UnixTime, commitWithin: Int) {
            self.grade = grade
            self.required = required
            self.approvableUntil = approvableUntil
            self.commitWithin = commitWithin
        }
    }

    public init(
        name: PlanName, account: AccountName, preparer: PersonName, instance: InstanceID, task: KillTaskName?,
        requestedBy: PersonName?, recordHistory: Bool, expiresAt: UnixTime, terms: Terms?, digest: String,
        state: PlanStatus, decisions: [Decision]
    ) {
        self.name = name
        self.account = account
        self.preparer = preparer
        self.instance = instance
        self.task = task
        self.requestedBy = requestedBy
        self.recordHistory = recordHistory
        self.expiresAt = expiresAt
        self.terms = terms
        self.digest = digest
        self.state = state
        self.decisions = decisions
    }
}

extension PlanOutline {
    /// Those of the plan as it is, whether they are still valid or not.
    public var approvals: [Decision] { decisions.filter { $0.kind == .approved && $0.digest == digest } }

    /// From this instant on nobody can approve it, nor commit it by breaking glass.
    public var approvableUntil: UnixTime { terms?.approvableUntil ?? expiresAt }

    /// Whether it was committed by the right to do without approvals.
    public var brokeGlass: Bool { decisions.contains { $0.kind == .brokeGlass } }

    /// Whether somebody looked at that afterwards.
    public var isReviewed: Bool { decisions.contains { $0.kind == .reviewed } }

    /// Whether somebody can decide about it: about a task's plan nobody can, nor about one of a killd that did not know of
    /// approvals.
    var isReviewable: Bool { terms != nil && task == nil }

    /// Whether its Commit has not come to its end.
    var isOpen: Bool { state == .prepared || state == .committing }

    /// How the plan's approvals stand.
    ///
    /// - Parameters:
    ///   - validApprovals: those that are valid now.
    ///   - required: how many persons the configuration of now asks for. If the plan asks for more, those count.
    public func standing(validApprovals: [Decision], required: Int, at time: UnixTime) -> ReviewStanding {
        ReviewStanding(
            required: max(required, terms?.required ?? 0), approvedAt: validApprovals.map(\.time),
            approvableUntil: approvableUntil, commitWithin: terms?.commitWithin ?? 0, expiresAt: expiresAt, at: time)
    }

    /// How far the plan got by a time, by what it asks for itself.
    public func status(at time: UnixTime) -> PlanStatus {
        guard state == .prepared else { return state }
        return PlanStatus(standing(validApprovals: approvals, required: 0, at: time))
    }
}
