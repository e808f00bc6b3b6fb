import SessionKill

/// A store whose writes are counted and timed, and told of.
struct ObservedStore: PlanStore {
    let store: any PlanStore
    let metrics: ServiceMetrics
    /// Called after each change of a plan.
    let changed: @Sendable () -> Void
    /// Throws while nothing may be begun.
    let requireWitness: @Sendable () throws(StoreError) -> Void

    @discardableResult
    func insert(_ plan: KillPlan, by caller: Caller) async throws(StoreError) -> AuditReceipt {
        let receipt = try await observe(.insert) { () async throws(StoreError) in
            try requireWitness()
            return try await store.insert(plan, by: caller)
        }
        metrics.count(.prepared)
        return receipt
    }

    func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan? {
        try await store.plan(with: sqlExecID)
    }

    func plan(named name: PlanName) async throws(StoreError) -> StoredPlan? { try await store.plan(named: name) }

    func plans(_ query: PlanQuery, at time: UnixTime) async throws(StoreError) -> [PlanSummary] {
        try await store.plans(query, at: time)
    }

    func receiptOfEnd(of plan: PlanName) async throws(StoreError) -> AuditReceipt? {
        try await store.receiptOfEnd(of: plan)
    }

    func revision() async throws(StoreError) -> Int64 { try await store.revision() }

    func record(_ decision: Decision, on plan: PlanName) async throws(StoreError) -> DecisionResult {
        let result = try await observe(.decision) { () async throws(StoreError) in
            try await store.record(decision, on: plan)
        }
        switch (result, decision.kind) {
        case (.recorded, .rejected): metrics.count(.rejected)
        case (.recorded, .cancelled): metrics.count(.cancelled)
        default: break
        }
        return result
    }

    func claim(_ plan: PlanName, _ claim: PlanClaim) async throws(StoreError) -> ClaimResult {
        let result = try await observe(.claim) { () async throws(StoreError) in
            try requireWitness()
            return try await store.claim(plan, claim)
        }
        switch result {
        case .claimed:
            metrics.count(.committing)
            if claim.breakGlass != nil { metrics.countBreakingGlass() }
        case .expired: metrics.count(.expired)
        case .notClaimed: break
        }
        return result
    }

    @discardableResult
    func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> AuditReceipt? {
        let receipt = try await observe(.finish) { () async throws(StoreError) in
            try await store.finish(plan, as: ending, outcomes: outcomes, guards: guards, at: time)
        }
        if receipt != nil {
            metrics.count(ending.status)
            metrics.count(outcomes.values)
        }
        return receipt
    }

    private func observe<Answer>(
        _ write: ServiceMetrics.StoreWrite, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        let start = ContinuousClock.now
        do {
            let answer = try await body()
            metrics.count(write, took: start.duration(to: .now))
            changed()
            return answer
        } catch {
            metrics.countFailure(of: write)
            throw error
        }
    }
}
