import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// Approves of a kill plan as it was looked at, as one of the persons who have to agree.
///
/// An action of killd's own, as are all that decide about plans. Of a plan that was committed without its approvals it
/// records that somebody has looked at that.
public struct ApproveKillPlanRequest: Codable, Sendable {
    public var PlanName: String
    /// Of the plan as it was looked at: ``KillPlanDescription/Digest``.
    public var Digest: String
    public var Comment: String?

    public init(PlanName: String, Digest: String, Comment: String? = nil) {
        self.PlanName = PlanName
        self.Digest = Digest
        self.Comment = Comment
    }
}

public struct ApproveKillPlanResponse: Codable, Sendable {
    public var PlanName: String
    /// The state, as in ``KillPlanDescription/State``.
    public var State: String
    /// How many persons have to approve.
    public var Required: Int
    /// The persons whose approvals count now.
    public var Approvals: [String]
    /// Missing while approvals are missing.
    public var CommittableUntil: String?
    public var Audit: AuditEntry
}

extension DBbrain {
    func approveKillPlan(_ request: ApproveKillPlanRequest, _ call: Call) async throws -> ApproveKillPlanResponse {
        let plan = try await namedPlan(request.PlanName, for: call)
        try plan.require(.approve, for: call)
        try requireReadable(request.Comment, as: "Comment")
        let report = try await decide(.approved, on: plan, digest: request.Digest, comment: request.Comment, call)
        let review = engine.review(of: report.stored.outline, for: call.caller, on: plan.managed.instance)
        guard report.stored.state != .prepared || review.valid.contains(where: { $0.isOf(call.caller) }) else {
            // What was given before counts no more, by another key or for another person.
            throw TencentCloudError.operationDenied(.alreadyApproved)
        }
        var committableUntil: UnixTime?
        if report.stored.state == .prepared, case .approved(let time) = review.standing { committableUntil = time }
        return ApproveKillPlanResponse(
            PlanName: request.PlanName, State: engine.status(of: report.stored).rawValue, Required: review.required,
            Approvals: review.valid.map(\.caller.person.rawValue), CommittableUntil: committableUntil?.text,
            Audit: AuditEntry(report.audit))
    }
}

extension Decision {
    fileprivate func isOf(_ caller: Caller) -> Bool { self.caller.person == caller.person }
}
