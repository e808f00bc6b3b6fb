/// What the sessions of a plan do now, for whoever decides about it and has seen what they did when it was made.
public struct PlanNow: Hashable, Sendable {
    public enum Presence: Hashable, Sendable {
        /// The session that was pinned.
        case present(PinnedDetails)
        case gone
        /// Another one has its id.
        case replaced
    }

    public let time: UnixTime
    /// Why nothing can be said of the sessions: the plan is of another server, or of one from before a restart.
    public var stale: StaleReason?
    /// Empty where nothing can be said.
    public var threads: [ThreadID: Presence]
    /// What it would cost if those died that are there.
    public var risk: RiskAssessment?
}

extension KillEngine {
    /// - Parameter instance: the plan's.
    /// - Throws: ``ServerError`` or `CryptographyError`.
    public func now(of plan: KillPlan, on instance: Instance) async throws -> PlanNow {
        let time = clock.now()
        let snapshot = try await instance.detailedSnapshots.observe()
        if let reason = server(of: plan).difference(from: snapshot.observation) {
            return PlanNow(time: time, stale: reason, threads: [:], risk: nil)
        }
        let rules = instance.protectionRules(snapshot.observation)
        let preparation = Preparation(
            of: SelectedSessions(snapshot: snapshot, candidates: []), protecting: rules,
            keeping: settings.statementPolicy(of: instance))
        var now = PlanNow(time: time, stale: nil, threads: [:], risk: nil)
        var present: [Session] = []
        for thread in plan.content.threads {
            switch thread.occupant(snapshot.sessions[thread.id]) {
            case .nobody: now.threads[thread.id] = .gone
            case .other: now.threads[thread.id] = .replaced
            case .pinned(let session, _):
                present.append(session)
                let details = try preparation.pin(thread.id, withDetails: true).session?.details
                now.threads[thread.id] = details.map { .present($0) } ?? .gone
            }
        }
        now.risk = RiskRules(thresholds: instance.approvals.thresholds).assess(
            present, in: snapshot.observation, protecting: rules)
        return now
    }
}
