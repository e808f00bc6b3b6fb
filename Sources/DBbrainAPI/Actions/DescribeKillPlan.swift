import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors
import Text

/// A kill plan: what it pinned, who has agreed to it, how far it got, and what became of each thread.
///
/// An action of killd's own; the vendor has none like it.
public struct DescribeKillPlanRequest: Codable, Sendable {
    /// What Prepare responded. This or ``PlanName`` is needed.
    public var SqlExecId: String?
    /// The plan's public name. Knowing it does not let anybody commit.
    public var PlanName: String?
    /// Whether to look at the sessions again, for ``KillPlanDescription/Now``.
    public var Now: Bool?
    /// The `Revision` of an earlier response.
    public var KnownRevision: Int64?
    /// How long to wait for a change since ``KnownRevision``, in seconds; at most 20.
    public var WaitSeconds: UInt64?

    public init(
        SqlExecId: String? = nil, PlanName: String? = nil, Now: Bool? = nil, KnownRevision: Int64? = nil,
        WaitSeconds: UInt64? = nil
    ) {
        self.SqlExecId = SqlExecId
        self.PlanName = PlanName
        self.Now = Now
        self.KnownRevision = KnownRevision
        self.WaitSeconds = WaitSeconds
    }
}

public struct DescribeKillPlanResponse: Codable, Sendable {
    public var Plan: KillPlanDescription
    /// Grows with everything that changes plans.
    public var Revision: Int64
}

extension DBbrain {
    func describeKillPlan(_ request: DescribeKillPlanRequest, _ call: Call) async throws -> DescribeKillPlanResponse {
        if let wait = try RevisionWait(request.KnownRevision, seconds: request.WaitSeconds) {
            let (stored, managed) = try await plan(of: request, for: call)
            try await inDialect {
                try await engine.waitForChange(
                    of: stored, on: managed.instance, after: wait.known, atMost: wait.limit, for: call.caller)
            }
        }
        // Before the plan: what changes between the two is told once more, and never left out.
        let revision = try await inDialect { try await engine.revision() }
        let (stored, managed) = try await plan(of: request, for: call)
        var description = KillPlanDescription(
            stored, engine.review(of: stored.outline, for: call.caller, on: managed.instance))
        if request.Now == true {
            description.Now = KillPlanNow(
                try await inDialect { try await engine.now(of: stored.plan, on: managed.instance) }, of: stored.plan)
        }
        if case .committing = stored.state {
            description.Progress = engine.progress(of: stored.plan.name).map(KillPlanProgress.init)
        }
        return DescribeKillPlanResponse(Plan: description, Revision: revision)
    }

    /// The plan that a request names, if its account may see it.
    private func plan(
        of request: DescribeKillPlanRequest, for call: Call
    ) async throws -> (StoredPlan, ManagedInstance) {
        let stored: StoredPlan?
        let notFound: TencentCloudError
        switch (request.SqlExecId, request.PlanName) {
        case (let ticket?, nil):
            notFound = .planNotFound
            // Bounded before it is hashed: a string's hash is quadratic in its combining marks.
            guard ticket.canBeName else { throw notFound }
            stored = try await inDialect { try await engine.plan(with: SqlExecID(rawValue: ticket)) }
        case (nil, let name?):
            notFound = .planNameNotFound
            guard name.canBeName else { throw notFound }
            stored = try await inDialect { try await engine.plan(named: PlanName(rawValue: name)) }
        case (nil, nil): throw TencentCloudError.missingParameter("SqlExecId")
        case (_?, _?): throw TencentCloudError.conflictingParameters("SqlExecId", "PlanName")
        }
        // A plan on an instance that the account may not see is rejected like one that never was.
        guard let stored, let managed = visibleInstance(stored.plan.content.instance, for: call) else { throw notFound }
        if stored.plan.content.account != call.accountName {
            // Who may approve plans may see them.
            try call.require(.list, or: .approve, on: managed.resource(for: call.account))
        }
        return (stored, managed)
    }
}

/// What a client that knows some revision wants to wait for.
struct RevisionWait {
    let known: Int64
    let limit: Duration

    /// The longest wait, in seconds.
    static let longest: UInt64 = 20

    /// `nil` where nobody is to wait.
    init?(_ known: Int64?, seconds: UInt64?) throws(TencentCloudError) {
        guard let seconds else { return nil }
        guard seconds <= Self.longest else { throw .invalidValue(String(seconds), of: "WaitSeconds") }
        guard let known else { throw .missingParameter("KnownRevision") }
        self.known = known
        limit = .seconds(seconds)
    }
}
