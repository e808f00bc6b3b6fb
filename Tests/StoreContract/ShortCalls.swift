public import SessionKill

// For tests of what needs no approvals.
extension PlanStore {
    /// By the plan's own account.
    @discardableResult
    public func insert(_ plan: KillPlan) async throws(StoreError) -> AuditReceipt {
        try await insert(plan, by: Caller(plan.content.account))
    }

    /// By the plan's own account and with its digest.
    public func claim(
        _ plan: PlanName, intending threads: [ThreadID], at time: UnixTime
    ) async throws(StoreError) -> Bool {
        guard let stored = try await self.plan(named: plan) else { return false }
        let result = try await claim(
            plan,
            PlanClaim(
                intended: threads, caller: Caller(stored.plan.content.account), digest: stored.digest, time: time))
        return if case .claimed = result { true } else { false }
    }

    public func history(
        of instances: Set<InstanceID>, at time: UnixTime, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [PlanSummary] {
        try await plans(PlanQuery(instances: instances, offset: offset, limit: limit), at: time)
    }
}
