import SessionKill

/// Changes of plans, each with its entry in the audit: all of it is in the transaction of whoever calls it.
extension Tables {
    /// - Parameter event: that the plan was prepared.
    borrowing func insert(_ rows: PlanRows, _ event: WrittenEvent) throws -> AuditReceipt {
        try plans.insert(rows)
        return try audit.append(event, at: UnixTime(milliseconds: rows.preparedAt))
    }

    borrowing func record(_ decision: Decision, on plan: PlanName) throws -> DecisionResult {
        let head = try audit.head()
        var decision = decision
        decision.time = head.time(atLeast: decision.time)
        if let entry = try plans.decisions.entry(of: decision, on: plan) { return .repeated(try audit.receipt(entry)) }
        guard let audited = try plans.decisions.record(decision, on: plan, entry: head.sequence + 1) else {
            return .notRecorded
        }
        return .recorded(try audit.append(.decided(decision, on: audited), at: decision.time))
    }

    borrowing func claim(_ name: PlanName, _ claim: PlanClaim) throws -> ClaimResult {
        let head = try audit.head()
        var claim = claim
        claim.time = head.time(atLeast: claim.time)
        switch try plans.claim(name, claim) {
        case nil: return .notClaimed
        case .expired(let plan)?:
            try audit.append(.expired(plan), at: claim.time)
            return .expired
        case .claimed(let plan, let id, let required)?:
            if var decision = claim.breakGlass {
                decision.time = claim.time
                try plans.decisions.insert(decision, of: id, entry: head.sequence + 1)
                try audit.append(.decided(decision, on: plan), at: claim.time)
            }
            return .claimed(try audit.append(.claimed(claim, on: plan, required: required), at: claim.time))
        }
    }

    borrowing func finish(
        _ name: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) throws -> AuditReceipt? {
        guard let plan = try plans.finish(name, as: ending, outcomes: outcomes, guards: guards, at: time) else {
            return nil
        }
        return try audit.append(.finished(ending, outcomes: outcomes, on: plan), at: time)
    }
}
