import SessionKill

/// A store whose writes are counted and timed.
struct ObservedStore: PlanStore {
    let store: any PlanStore
    let metrics: ServiceMetrics

    func insert(_ plan: KillPlan) async throws(StoreError) {
        try await observe(.insert) { () async throws(StoreError) in try await store.insert(plan) }
        metrics.count(.prepared)
    }

    func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan? {
        try await store.plan(with: sqlExecID)
    }

    func plan(named name: PlanName) async throws(StoreError) -> StoredPlan? { try await store.plan(named: name) }

    func history(
        of instances: Set<InstanceID>, at time: UnixTime, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [PlanSummary] {
        try await store.history(of: instances, at: time, skipping: offset, limit: limit)
    }

    func claim(_ plan: PlanName, intending threads: [ThreadID], at time: UnixTime) async throws(StoreError) -> Bool {
        let claimed = try await observe(.claim) { () async throws(StoreError) in
            try await store.claim(plan, intending: threads, at: time)
        }
        if claimed { metrics.count(.committing) }
        return claimed
    }

    func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> Bool {
        let finished = try await observe(.finish) { () async throws(StoreError) in
            try await store.finish(plan, as: ending, outcomes: outcomes, guards: guards, at: time)
        }
        if finished {
            metrics.count(ending.status)
            metrics.count(outcomes.values)
        }
        return finished
    }

    private func observe<Answer>(
        _ write: ServiceMetrics.StoreWrite, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        let start = ContinuousClock.now
        do {
            let answer = try await body()
            metrics.count(write, took: start.duration(to: .now))
            return answer
        } catch {
            metrics.countFailure(of: write)
            throw error
        }
    }
}
