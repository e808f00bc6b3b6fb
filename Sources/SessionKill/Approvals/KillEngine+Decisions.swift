import Text

/// How persons decide about plans.
extension KillEngine {
    /// Records that somebody approves of a plan, rejects it, takes it back, or has looked at it after glass was broken.
    ///
    /// An approval of a plan for which glass was broken, and that has ended, is a look at it. Whoever repeats what they
    /// decided is answered as before.
    ///
    /// - Parameter digest: of the plan as the caller saw it.
    /// - Throws: ``KillError`` or ``StoreError``; nothing has changed then.
    public func decide(
        _ kind: Decision.Kind, on name: PlanName, digest: String?, comment: String?, by caller: Caller,
        request: KeptRequest?, instance: Instance
    ) async throws -> DecisionReport {
        let stored = try await reviewable(name, on: instance)
        let check = check(stored.outline, on: instance)
        let kind = kind == .approved && check.isOverByBreakingGlass ? .reviewed : kind
        let now = clock.now()
        if let obstacle = check.obstacle(to: kind, by: caller, digest: digest, comment: comment, at: now) {
            throw refusal(obstacle, of: stored)
        }
        // Who has changed the plan in the store has changed what is approved.
        guard try stored.plan.digest() == stored.digest else { throw KillError.planAltered }
        let decision = Decision(
            kind, by: caller, at: now, comment: comment, digest: digest ?? stored.digest, request: request)
        let result = try await store.record(decision, on: name)
        let after = try await reviewable(name, on: instance)
        switch result {
        case .recorded(let receipt), .repeated(let receipt):
            return DecisionReport(
                stored: after, standing: self.check(after.outline, on: instance).standing(at: clock.now()),
                audit: receipt)
        case .notRecorded:
            // Somebody else was first, or the time is over meanwhile.
            let obstacle = self.check(after.outline, on: instance).obstacle(
                to: kind, by: caller, digest: digest, comment: comment, at: clock.now())
            throw refusal(obstacle ?? .notPrepared(after.status(at: clock.now())), of: after)
        }
    }

    /// How the approvals of a plan stand, and what somebody may do about it.
    ///
    /// - Parameter instance: the plan's.
    public func review(of plan: PlanOutline, for caller: Caller, on instance: Instance) -> PlanReview {
        check(plan, on: instance).review(for: caller, at: clock.now())
    }

    func check(_ plan: PlanOutline, on instance: Instance) -> ApprovalCheck {
        let authority = gate.authority
        let request = KillAuthority.Request(account: plan.account, purpose: .commit, target: instance.target)
        // Of who may not commit, what was configured when the request began.
        let current = (try? authority?.instance(for: request)) ?? instance
        return ApprovalCheck(plan, policy: current.approvals, authority)
    }

    /// A plan that somebody can decide about; a task's is none.
    private func reviewable(_ name: PlanName, on instance: Instance) async throws -> StoredPlan {
        guard let stored = try await store.plan(named: name), stored.plan.content.instance == instance.id,
            stored.outline.isReviewable
        else { throw KillError.planNotFound }
        return stored
    }

    private func refusal(_ obstacle: ReviewObstacle, of stored: StoredPlan) -> KillError {
        if case .notPrepared = obstacle, let decided = KillError(decided: stored) { return decided }
        return .decisionRefused(obstacle)
    }
}

/// What came of a decision.
public struct DecisionReport: Hashable, Sendable {
    public let stored: StoredPlan
    public let standing: ReviewStanding
    public let audit: AuditReceipt
}

extension KillError {
    /// Of a plan that somebody rejected or took back; `nil` for every other.
    init?(decided stored: StoredPlan) {
        guard case .ended(let ending, let time, _, _) = stored.state, ending == .rejected || ending == .cancelled else {
            return nil
        }
        let decision = stored.decisions.last { $0.kind == (ending == .rejected ? .rejected : .cancelled) }
        self = .decided(ending.status, at: time, by: decision?.caller)
    }
}

/// By what a plan is committed.
public enum PlanKey: Hashable, Sendable {
    case ticket(SqlExecID)
    /// - Parameter digest: of the plan as whoever commits it saw it.
    case named(PlanName, digest: String)
}

/// How a plan is to be made.
public struct PrepareTerms: Hashable, Sendable {
    /// Whether to keep what people want to know of the sessions, and not only what tells them apart.
    public var recordHistory: Bool
    /// For whom the caller says that it asks.
    public var requestedBy: PersonName?
    public var reason: String?

    public init(recordHistory: Bool = true, requestedBy: PersonName? = nil, reason: String? = nil) {
        self.recordHistory = recordHistory
        self.requestedBy = requestedBy
        self.reason = reason
    }
}
