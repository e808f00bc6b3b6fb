import Synchronization

/// Wakes those who wait for plans to change, as soon as the change is stored.
///
/// Who waits holds no thread. They are bounded in number, all and of each account; each has a deadline of its own.
final class PlanChanges: Sendable {
    private struct Waiter {
        /// `nil` for any.
        let plan: PlanName?
        let account: AccountName
        /// Whether it was woken already.
        var isDue = false
        var continuation: CheckedContinuation<Void, Never>?
    }

    private struct State {
        var waiters: [Int: Waiter] = [:]
        var lastNumber = 0
        var isClosed = false
    }

    /// A small part of the connections that clients may have open.
    static let capacity = 512
    static let capacityOfAccount = 64

    private let state = Mutex(State())

    /// How many wait.
    var count: Int { state.withLock(\.waiters.count) }

    /// Takes a place: what changes from now on wakes it.
    ///
    /// - Returns: `nil` if there is none left, or nobody is to wait any more.
    func enter(_ plan: PlanName?, for account: AccountName) -> Int? {
        state.withLock { state in
            guard !state.isClosed, state.waiters.count < Self.capacity,
                state.waiters.values.count(where: { $0.account == account }) < Self.capacityOfAccount
            else { return nil }
            state.lastNumber += 1
            state.waiters[state.lastNumber] = Waiter(plan: plan, account: account)
            return state.lastNumber
        }
    }

    func leave(_ place: Int) { state.withLock { $0.waiters[place] = nil } }

    /// Returns once the place was woken.
    func wait(_ place: Int) async {
        await withCheckedContinuation { continuation in
            let isDue = state.withLock { state in
                guard state.waiters[place]?.isDue == false else { return true }
                state.waiters[place]?.continuation = continuation
                return false
            }
            if isDue { continuation.resume() }
        }
    }

    func wake(_ place: Int) { wake { number, _ in number == place } }

    /// A plan has changed.
    func note(_ plan: PlanName) { wake { _, waiter in waiter.plan == nil || waiter.plan == plan } }

    /// What somebody may do about any plan may have changed.
    func noteAll() { wake { _, _ in true } }

    /// Wakes everybody; nobody waits from now on.
    func close() {
        state.withLock { $0.isClosed = true }
        noteAll()
    }

    private func wake(_ isMeant: (Int, Waiter) -> Bool) {
        let woken = state.withLock { state in
            var woken: [CheckedContinuation<Void, Never>] = []
            for (number, waiter) in state.waiters where isMeant(number, waiter) {
                state.waiters[number]?.isDue = true
                if let continuation = waiter.continuation {
                    state.waiters[number]?.continuation = nil
                    woken.append(continuation)
                }
            }
            return woken
        }
        for continuation in woken { continuation.resume() }
    }
}

/// A store of which those are told who wait for changes, once these are on disk.
struct WatchedStore: PlanStore {
    let store: any PlanStore
    let changes: PlanChanges

    func insert(_ plan: KillPlan, by caller: Caller) async throws(StoreError) -> AuditReceipt {
        defer { changes.note(plan.name) }
        return try await store.insert(plan, by: caller)
    }

    func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan? {
        try await store.plan(with: sqlExecID)
    }

    func plan(named name: PlanName) async throws(StoreError) -> StoredPlan? { try await store.plan(named: name) }

    func plans(_ query: PlanQuery, at time: UnixTime) async throws(StoreError) -> [PlanSummary] {
        try await store.plans(query, at: time)
    }

    func record(_ decision: Decision, on plan: PlanName) async throws(StoreError) -> DecisionResult {
        defer { changes.note(plan) }
        return try await store.record(decision, on: plan)
    }

    func claim(_ plan: PlanName, _ claim: PlanClaim) async throws(StoreError) -> ClaimResult {
        defer { changes.note(plan) }
        return try await store.claim(plan, claim)
    }

    func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> AuditReceipt? {
        defer { changes.note(plan) }
        return try await store.finish(plan, as: ending, outcomes: outcomes, guards: guards, at: time)
    }

    func receiptOfEnd(of plan: PlanName) async throws(StoreError) -> AuditReceipt? {
        try await store.receiptOfEnd(of: plan)
    }

    func revision() async throws(StoreError) -> Int64 { try await store.revision() }
}
