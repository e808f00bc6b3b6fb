/// By what a Commit may claim its plan: approvals that suffice by the configuration of now, or the right to do without.
struct CommitClaim {
    private let stored: StoredPlan
    private let policy: CommitPolicy
    private let check: ApprovalCheck
    /// How many approvals are needed for what the sessions would cost that are to be killed.
    private var required: Int
    /// What is recorded in the place of approvals that are missing.
    private var breaking: Decision?

    /// - Parameter instance: as it is configured now.
    init(_ stored: StoredPlan, policy: CommitPolicy, instance: Instance, _ authority: KillAuthority?) {
        self.stored = stored
        self.policy = policy
        // Nobody approves what a task does: where somebody would have to, the authority lets it do nothing.
        check = ApprovalCheck(
            stored.outline, policy: policy.purpose == .commit ? instance.approvals : .none, authority)
        required = check.required
    }

    private var caller: Caller { policy.caller ?? Caller(stored.plan.content.account) }

    /// From when on no KILL is sent any more.
    func deadline(at time: UnixTime) -> UnixTime {
        breaking.map { _ in stored.plan.approvableUntil } ?? check.standing(required: required, at: time).deadline
    }

    /// Requires that the plan's time is not over and that as many approve of it as have to, unless glass can be broken.
    ///
    /// - Throws: ``KillError/expired(at:)``, ``KillError/notApproved(_:)`` or ``KillError/decisionRefused(_:)``.
    func requireApprovals(at time: UnixTime) throws(KillError) {
        switch check.standing(at: time) {
        case .expired(let since): throw .expired(at: since)
        case .notNeeded, .approved: break
        case .waiting(_, let until):
            guard policy.breakGlass != nil else { throw .notApproved(check.gap(until: until)) }
            _ = try glass(at: time)
        }
    }

    /// Whether what suffices for the plan as it was suffices for what the end of the sessions would cost now, in the very
    /// snapshot by which they are killed.
    mutating func covers(_ risk: RiskAssessment?, by policy: ApprovalPolicy, at time: UnixTime) throws(KillError)
        -> Bool
    {
        if let risk, let approved = stored.plan.content.review?.risk?.grade, risk.grade > approved {
            required = max(required, policy.required(for: risk.grade))
        }
        if check.valid.count < required { breaking = try glass(at: time) }
        return check.valid.count >= required || breaking != nil
    }

    /// The same, and has it stored where the plan's time is over: nothing revives what was answered so, no other killd
    /// and no clock.
    func requireApprovals(in store: any PlanStore, at time: UnixTime) async throws {
        guard let refusal = refusal(at: time) else { return }
        if case .expired = refusal { _ = try await store.claim(stored.plan.name, record(of: [], at: time)) }
        throw refusal
    }

    // Not inlined: the optimizer of Swift 6.3 ends in a crash while it splits the function above around it.
    @inline(never)
    private func refusal(at time: UnixTime) -> KillError? {
        do throws(KillError) {
            try requireApprovals(at: time)
            return nil
        } catch {
            return error
        }
    }

    private func glass(at time: UnixTime) throws(KillError) -> Decision? {
        guard let breakGlass = policy.breakGlass else { return nil }
        let obstacle = check.obstacle(
            to: .brokeGlass, by: caller, digest: nil, comment: breakGlass.reason, at: time)
        if let obstacle { throw .decisionRefused(obstacle) }
        return Decision(
            .brokeGlass, by: caller, at: time, comment: breakGlass.reason, digest: stored.digest,
            request: breakGlass.request)
    }

    /// - Parameter intended: who is about to be killed.
    func record(of intended: [ThreadID], at time: UnixTime) -> PlanClaim {
        PlanClaim(
            intended: intended, caller: caller, digest: stored.digest, approvals: check.valid, required: required,
            breakGlass: breaking, time: time)
    }

    /// Why the store did not take the claim.
    ///
    /// - Parameter stored: the plan as it is now.
    static func refusal(_ stored: StoredPlan, _ claim: CommitClaim, at time: UnixTime) -> KillError {
        switch stored.state {
        case .committing: .beingCommitted
        case .ended: KillError(decided: stored) ?? .beingCommitted
        case .prepared: .notApproved(claim.check.gap(required: claim.required, until: claim.deadline(at: time)))
        }
    }
}
