import Text

/// Decides what the approvals of a plan are worth by the configuration of now.
///
/// An approval counts if its account still exists and still belongs to the same person, if it may still approve, if the
/// request that was kept of it verifies, and if the person neither prepared the plan nor had it prepared.
struct ApprovalCheck {
    let plan: PlanOutline
    /// `nil` if nobody is configured who could approve anything.
    let authority: KillAuthority?
    /// How many persons have to approve, at the least.
    let required: Int
    /// One of each person.
    let valid: [Decision]

    /// - Parameter policy: of the plan's instance as it is configured now.
    init(_ plan: PlanOutline, policy: ApprovalPolicy, _ authority: KillAuthority?) {
        self.plan = plan
        self.authority = authority
        required = max(plan.terms?.required ?? 0, policy.required(for: plan.terms?.grade))
        let involved = Self.involved(in: plan, authority)
        var persons: Set<PersonName> = []
        valid = plan.approvals.filter { approval in
            guard let authority, !involved.contains(approval.caller.person), authority.isValid(approval, of: plan)
            else { return false }
            return persons.insert(approval.caller.person).inserted
        }
    }

    /// The persons who may not approve: those who prepared it, or had it prepared.
    private static func involved(in plan: PlanOutline, _ authority: KillAuthority?) -> Set<PersonName> {
        Set([plan.preparer, plan.requestedBy, authority?.person(of: plan.account)].compactMap { $0 })
    }

    func standing(required: Int? = nil, at time: UnixTime) -> ReviewStanding {
        plan.standing(validApprovals: valid, required: required ?? self.required, at: time)
    }

    var couldApprove: [PersonName] {
        let others = Self.involved(in: plan, authority).union(valid.map(\.caller.person))
        return (authority?.approvers(of: plan.instance) ?? []).filter { !others.contains($0) }
    }

    func gap(required: Int? = nil, until: UnixTime) -> ApprovalGap {
        ApprovalGap(
            required: required ?? self.required, approvedBy: valid.map(\.caller.person), couldApprove: couldApprove,
            until: until, plan: plan.name)
    }

    // MARK: What somebody may do

    func review(for caller: Caller, at time: UnixTime) -> PlanReview {
        func isPossible(_ kind: Decision.Kind) -> Bool {
            obstacle(to: kind, by: caller, digest: plan.digest, comment: "-", at: time) == nil
        }
        let mayCommit = plan.task == nil && plan.account == caller.account && may(.commit, caller)
        let approval: Decision.Kind = isOverByBreakingGlass ? .reviewed : .approved
        var obstacles = [obstacle(to: approval, by: caller, digest: plan.digest, comment: nil, at: time)]
        let standing = standing(at: time)
        if obstacles == [nil], approval == .approved {
            if plan.approvals.contains(where: { $0.caller.person == caller.person }) {
                obstacles.append(.alreadyApproved)
            } else if case .notNeeded = standing {
                obstacles.append(.notNeeded)
            }
        }
        let why = obstacles.compactMap { $0 }
        let isOpen =
            switch standing {
            case .notNeeded, .approved: plan.isOpen
            case .waiting, .expired: plan.state == .committing
            }
        guard plan.isReviewable else {
            return PlanReview(
                required: required, valid: [], standing: standing, couldApprove: [],
                you: PlanReview.Rights(
                    mayApprove: false, mayReject: false, mayCancel: false, mayCommit: isOpen && mayCommit,
                    why: [.notNeeded]))
        }
        return PlanReview(
            required: required, valid: valid, standing: standing, couldApprove: couldApprove,
            you: PlanReview.Rights(
                mayApprove: why.isEmpty, mayReject: isPossible(.rejected), mayCancel: isPossible(.cancelled),
                mayCommit: isOpen && mayCommit, why: why))
    }

    /// Whether glass was broken for it and what was to be done is done, so that all that is left is to look at it.
    var isOverByBreakingGlass: Bool { !plan.isOpen && plan.brokeGlass }

    private func may(_ right: KillAuthority.AccountRights.Right, _ caller: Caller) -> Bool {
        authority?.may(right, caller.account, on: plan.instance) == true
    }

    /// What keeps somebody from deciding something, if anything does. That they decided the same before does not: they
    /// are answered as before.
    func obstacle(
        to kind: Decision.Kind, by caller: Caller, digest: String?, comment: String?, at time: UnixTime
    ) -> ReviewObstacle? {
        switch kind {
        case .approved, .reviewed, .rejected:
            guard may(.approve, caller) else { return .notPermitted }
            guard digest?.isSame(as: plan.digest) == true else { return .otherDigest }
        case .cancelled:
            guard plan.account == caller.account else { return .notYourPlan }
            guard may(.prepare, caller) else { return .notPermitted }
            guard digest?.isSame(as: plan.digest) != false else { return .otherDigest }
        case .brokeGlass:
            guard plan.account == caller.account else { return .notYourPlan }
            guard may(.breakGlass, caller), may(.commit, caller) else { return .notPermitted }
            guard (comment?.unicodeScalars.count ?? 0) >= BreakGlass.shortestReason, !ReviewText.isBlank(comment)
            else { return .reasonTooShort(least: BreakGlass.shortestReason) }
        }
        if let comment, let obstacle = ReviewText.obstacle(in: comment) { return obstacle }
        if kind == .rejected, ReviewText.isBlank(comment) { return .reasonMissing }
        if kind == .approved || kind == .reviewed {
            if caller.person == plan.requestedBy { return .requestedByYou }
            if Self.involved(in: plan, authority).contains(caller.person) { return .ownPlan }
        }
        if kind == .reviewed { return isOverByBreakingGlass ? nil : .notBroken }
        if kind == .approved, !plan.recordHistory { return .notKept }
        return obstacleOfState(to: kind, at: time)
    }

    private func obstacleOfState(to kind: Decision.Kind, at time: UnixTime) -> ReviewObstacle? {
        guard plan.state == .prepared else { return .notPrepared(plan.state) }
        if case .expired(let since) = standing(at: time) { return .tooLate(since: since) }
        guard kind == .approved || kind == .brokeGlass else { return nil }
        let limit = plan.approvableUntil
        return time < limit ? nil : .tooLate(since: limit)
    }
}
