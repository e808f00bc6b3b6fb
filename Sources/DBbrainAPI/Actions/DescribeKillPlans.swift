import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// The history of kill plans, the latest first.
///
/// An action of killd's own; the vendor has none like it. Plans that were
/// prepared with `RecordHistory` false are not in it.
public typealias DescribeKillPlansRequest = PageRequest

public struct DescribeKillPlansResponse: Codable, Sendable {
    public var Plans: [KillPlanSummary]
}

public struct KillPlanSummary: Codable, Sendable {
    public var PlanName: String
    public var InstanceId: String
    public var Account: String
    /// The kill task that made it, if one did.
    public var Task: String?
    /// The state, as in ``KillPlanDescription/State``.
    public var State: String
    public var PreparedAt: String
    public var EndedAt: String?
    public var ThreadCount: Int
    /// How many threads had each outcome, e.g. `{"killed": 2, "gone": 1}`.
    public var Outcomes: [String: Int]

    init(_ summary: PlanSummary) {
        PlanName = summary.name.rawValue
        InstanceId = summary.instance.rawValue
        Account = summary.account.rawValue
        Task = summary.task?.rawValue
        State = summary.status.rawValue
        PreparedAt = summary.preparedAt.text
        EndedAt = summary.endedAt?.text
        ThreadCount = summary.threadCount
        Outcomes = summary.outcomes.reduce(into: [:]) { $0[$1.key.rawValue] = $1.value }
    }
}

extension DBbrain {
    func describeKillPlans(_ request: DescribeKillPlansRequest, _ call: Call) async throws -> DescribeKillPlansResponse
    {
        let page = try Page(request)
        let listed = try listableInstances(request.InstanceId, for: call)
        let plans = try await inDialect {
            try await engine.history(of: listed, skipping: page.offset, limit: page.limit)
        }
        return DescribeKillPlansResponse(Plans: plans.map(KillPlanSummary.init))
    }
}
