import Synchronization

/// What Commits saw and could not store, for as long as the process lives.
///
/// The disk may be full between the record of the intents and that of the
/// outcomes. A Commit that is repeated stores and answers what was seen, and
/// does not have to find out anew who is gone.
final class UnstoredOutcomes: Sendable {
    struct Finding: Sendable {
        let ending: PlanEnding
        let outcomes: [ThreadID: Outcome]
        let guards: [ThreadID: KillGuard]
        let time: UnixTime
    }

    /// Beyond so many plans none is added: of those a repeated Commit finds out who is gone.
    private static let capacity = 1_000

    private let findings = Mutex<[PlanName: Finding]>([:])

    func keep(_ finding: Finding, of plan: PlanName) {
        findings.withLock { findings in
            guard findings.count < Self.capacity || findings[plan] != nil else { return }
            findings[plan] = finding
        }
    }

    func finding(of plan: PlanName) -> Finding? { findings.withLock { $0[plan] } }

    func forget(_ plan: PlanName) { _ = findings.withLock { $0.removeValue(forKey: plan) } }

    var plans: [PlanName] { findings.withLock { Array($0.keys) } }
}

extension KillEngine {
    /// Tries to store what Commits saw and could not store then.
    ///
    /// - Throws: the first ``StoreError``, after which no other plan was tried.
    public func storeFindings() async throws(StoreError) {
        for plan in unstored.plans { try await storeFinding(of: plan) }
    }

    /// - Returns: whether there was anything to store.
    @discardableResult
    func storeFinding(of plan: PlanName) async throws(StoreError) -> Bool {
        guard let finding = unstored.finding(of: plan) else { return false }
        // Whatever it answers: if the plan has ended already, then as it was first stored.
        _ = try await store.finish(
            plan, as: finding.ending, outcomes: finding.outcomes, guards: finding.guards, at: finding.time)
        unstored.forget(plan)
        return true
    }
}
