/// Under what conditions a plan is carried out. What a Commit does besides is the same for all.
struct CommitPolicy: Sendable {
    /// As what the plan is carried out, which the configuration of now must permit.
    let purpose: KillAuthority.Purpose
    /// Whose account sends the KILLs.
    let killer: KillingAccount
    /// What each session must still match, beside being the one that was pinned.
    let rule: KillRule?
    /// By which the KILLs can be called off while they wait.
    let gate: RevocationGate?
    /// Whether a Commit that was interrupted goes on killing. If not, it only finds out what became of the sessions.
    let resumes: Bool
    /// Why nobody is killed, where all that is wanted is what became of the sessions.
    let abandonment: Outcome.Failure?
    /// Who asks; `nil` for the plan's account.
    var caller: Caller?
    /// In the place of approvals, if they do not suffice.
    var breakGlass: BreakGlass?

    /// Of somebody who has looked at the plan and holds its ticket, or knows its digest.
    static func requested(by caller: Caller, _ breakGlass: BreakGlass? = nil) -> CommitPolicy {
        CommitPolicy(
            purpose: .commit, killer: .killd, rule: nil, gate: nil, resumes: true, abandonment: nil, caller: caller,
            breakGlass: breakGlass)
    }

    /// Of a kill task, whose sessions nobody has named: narrower than that of somebody who has looked at the plan.
    static func killTask(_ rule: KillRule, _ gate: RevocationGate) -> CommitPolicy {
        // A kill task that still runs sees for itself whom an interrupted Commit missed.
        CommitPolicy(purpose: .killTask, killer: .killd, rule: rule, gate: gate, resumes: false, abandonment: nil)
    }

    /// Of a session task.
    static func sessionTask(by killer: KillingAccount) -> CommitPolicy {
        CommitPolicy(purpose: .sessionTask, killer: killer, rule: nil, gate: nil, resumes: false, abandonment: nil)
    }

    /// Of a task that cannot go on: nobody is killed any more.
    static func abandoned(_ purpose: KillAuthority.Purpose, because reason: Outcome.Failure) -> CommitPolicy {
        CommitPolicy(purpose: purpose, killer: .killd, rule: nil, gate: nil, resumes: false, abandonment: reason)
    }

    /// Why a plan in this state is only closed; `nil` if its sessions are to be killed.
    func abandonment(of state: PlanState) -> Outcome.Failure? {
        if let abandonment { return abandonment }
        if case .committing = state, !resumes { return .taskInterrupted }
        return nil
    }
}
