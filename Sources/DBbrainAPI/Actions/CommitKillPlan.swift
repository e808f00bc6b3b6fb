import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// Ends what a kill plan pinned, as the Commit of ``KillMySqlThreadsRequest`` does, by its name: for the account that
/// prepared it, which does not have to keep the `SqlExecId`.
public struct CommitKillPlanRequest: Codable, Sendable {
    public var PlanName: String
    /// Of the plan as it was looked at: ``KillPlanDescription/Digest``.
    public var Digest: String
    /// Why, for who commits without the approvals that the plan needs, by the right to do so.
    public var BreakGlassReason: String?

    public init(PlanName: String, Digest: String, BreakGlassReason: String? = nil) {
        self.PlanName = PlanName
        self.Digest = Digest
        self.BreakGlassReason = BreakGlassReason
    }
}

/// The response, without the `SqlExecId`: it is in no answer but that of Prepare.
public struct CommitKillPlanResponse: Codable, Sendable {
    public var PlanName: String
    /// The threads whose kill took effect.
    public var Threads: [ThreadID]
    /// Of the plan's end, however often it is committed; missing if that was before there was an audit.
    public var Audit: AuditEntry?
}

extension DBbrain {
    func commitKillPlan(_ request: CommitKillPlanRequest, _ call: Call) async throws -> CommitKillPlanResponse {
        let plan = try await namedPlan(request.PlanName, for: call)
        try plan.require(.commit, for: call)
        guard plan.isPrepared(by: call) else { throw TencentCloudError.operationDenied(.notYourPlan) }
        let breakGlass = try breakGlass(request.BreakGlassReason, on: plan.managed, call)
        // Name and digest are no secret: only a signature over them may commit.
        _ = try call.keep()
        let report = try await inDialect {
            try await engine.commit(
                .named(plan.name, digest: request.Digest), on: plan.managed.instance, for: call.caller,
                breakGlass: breakGlass)
        }
        return CommitKillPlanResponse(
            PlanName: request.PlanName, Threads: report.killed, Audit: report.audit.map(AuditEntry.init))
    }
}
