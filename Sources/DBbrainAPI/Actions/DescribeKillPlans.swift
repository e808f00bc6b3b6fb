import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors
import Text

/// Kill plans, the latest first.
///
/// An action of killd's own; the vendor has none like it. Plans that were
/// prepared with `RecordHistory` false are not in it.
public struct DescribeKillPlansRequest: Codable, Sendable {
    /// The instance; all that the account may see, if missing.
    public var InstanceId: String?
    /// Only plans in these states, of those that ``KillPlanSummary/State`` knows.
    public var States: [String]?
    /// Whether only those are wanted for which glass was broken and that nobody has looked at since.
    public var Unreviewed: Bool?
    /// As in ``PageRequest``.
    public var Limit: UInt64?
    public var Offset: UInt64?
    /// The `Revision` of an earlier response.
    public var KnownRevision: Int64?
    /// How long to wait for a change since ``KnownRevision``, in seconds; at most 20.
    public var WaitSeconds: UInt64?

    public init(
        InstanceId: String? = nil, States: [String]? = nil, Unreviewed: Bool? = nil, Limit: UInt64? = nil,
        Offset: UInt64? = nil, KnownRevision: Int64? = nil, WaitSeconds: UInt64? = nil
    ) {
        self.InstanceId = InstanceId
        self.States = States
        self.Unreviewed = Unreviewed
        self.Limit = Limit
        self.Offset = Offset
        self.KnownRevision = KnownRevision
        self.WaitSeconds = WaitSeconds
    }
}

public struct DescribeKillPlansResponse: Codable, Sendable {
    public var Plans: [KillPlanSummary]
    /// Grows with everything that changes plans.
    public var Revision: Int64
}

/// Clients ask for the list again and again, and an encoder took more than half of what a page did.
extension DescribeKillPlansResponse: PreparedResponse {
    public func appendMembers(to json: inout [UInt8]) {
        var members = JSONMembers()
        members.add("Plans") { $0.append(jsonArray: Plans) { $0.append($1.members) } }
        members.add("Revision", Revision)
        json += members.bytes
    }
}

extension DBbrain {
    func describeKillPlans(_ request: DescribeKillPlansRequest, _ call: Call) async throws -> DescribeKillPlansResponse
    {
        let page = try Page(limit: request.Limit, offset: request.Offset)
        let states = try request.States.map(Self.states)
        let wait = try RevisionWait(request.KnownRevision, seconds: request.WaitSeconds)
        let listed = try listableInstances(request.InstanceId, for: call, alsoWith: .approve)
        let query = PlanQuery(
            instances: listed, states: states, unreviewed: request.Unreviewed ?? false, offset: page.offset,
            limit: page.limit)
        return try await inDialect {
            if let wait {
                try await engine.waitForChange(after: wait.known, atMost: wait.limit, for: call.accountName)
            }
            // Before the plans: what changes between the two is told once more, and never left out.
            let revision = try await engine.revision()
            let plans = try await engine.plans(query)
            return DescribeKillPlansResponse(
                Plans: plans.map { KillPlanSummary($0, review(of: $0, for: call)) }, Revision: revision)
        }
    }

    /// `nil` for a plan about which nobody can decide anything any more.
    private func review(of summary: PlanSummary, for call: Call) -> PlanReview? {
        let plan = summary.outline
        guard summary.isOpenToDecisions, let instance = instances[plan.instance]?.instance else { return nil }
        return engine.review(of: plan, for: call.caller, on: instance)
    }

    private static func states(_ names: [String]) throws(TencentCloudError) -> Set<PlanStatus> {
        guard !names.isEmpty else { throw .emptyValue(of: "States") }
        var states: Set<PlanStatus> = []
        for name in names {
            guard let state = PlanStatus(rawValue: name) else { throw .invalidValue(name, of: "States") }
            states.insert(state)
        }
        return states
    }
}
