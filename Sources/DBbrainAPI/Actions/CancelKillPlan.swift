import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// Takes back a kill plan, by the account that prepared it: nobody commits it any more.
public struct CancelKillPlanRequest: Codable, Sendable {
    public var PlanName: String
    public var Reason: String?

    public init(PlanName: String, Reason: String? = nil) {
        self.PlanName = PlanName
        self.Reason = Reason
    }
}

extension DBbrain {
    func cancelKillPlan(_ request: CancelKillPlanRequest, _ call: Call) async throws -> EndedKillPlanResponse {
        let plan = try await namedPlan(request.PlanName, for: call)
        try plan.require(.prepare, for: call)
        try requireReadable(request.Reason, as: "Reason")
        let report = try await decide(.cancelled, on: plan, digest: nil, comment: request.Reason, call)
        return EndedKillPlanResponse(
            PlanName: request.PlanName, State: report.stored.state.status.rawValue, Audit: AuditEntry(report.audit))
    }
}
