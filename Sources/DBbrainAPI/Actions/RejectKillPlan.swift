import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// Says no to a kill plan, approved or not: nobody commits it any more.
public struct RejectKillPlanRequest: Codable, Sendable {
    public var PlanName: String
    /// Of the plan as it was looked at: ``KillPlanDescription/Digest``.
    public var Digest: String
    public var Reason: String

    public init(PlanName: String, Digest: String, Reason: String) {
        self.PlanName = PlanName
        self.Digest = Digest
        self.Reason = Reason
    }
}

/// The response to what ends a plan before its Commit.
public struct EndedKillPlanResponse: Codable, Sendable {
    public var PlanName: String
    /// The state, as in ``KillPlanDescription/State``.
    public var State: String
    public var Audit: AuditEntry
}

extension DBbrain {
    func rejectKillPlan(_ request: RejectKillPlanRequest, _ call: Call) async throws -> EndedKillPlanResponse {
        let plan = try await namedPlan(request.PlanName, for: call)
        try plan.require(.approve, for: call)
        try requireReadable(request.Reason, as: "Reason")
        let report = try await decide(.rejected, on: plan, digest: request.Digest, comment: request.Reason, call)
        return EndedKillPlanResponse(
            PlanName: request.PlanName, State: report.stored.state.status.rawValue, Audit: AuditEntry(report.audit))
    }
}
