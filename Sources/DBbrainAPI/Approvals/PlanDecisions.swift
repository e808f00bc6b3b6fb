import Accounts
import ActionDispatch
import RequestSigning
import SessionKill
import TencentCloudErrors
import Text

/// Where the audit has what was done: whoever keeps it can prove later that the audit was not rewritten.
public struct AuditEntry: Codable, Sendable {
    /// The entry's number.
    public var Entry: Int64
    /// The entry's hash, which binds all entries before it.
    public var Hash: String

    init(_ receipt: AuditReceipt) {
        Entry = receipt.entry
        Hash = receipt.hash
    }
}

/// A plan that a request names, on an instance that its account may see.
struct NamedPlan: Sendable {
    let stored: StoredPlan
    let managed: ManagedInstance

    var name: PlanName { stored.plan.name }

    func require(_ permission: Permission, for call: Call) throws(TencentCloudError) {
        try call.require(permission, on: managed.resource(for: call.account))
    }

    func isPrepared(by call: Call) -> Bool {
        stored.plan.content.account == call.accountName && stored.plan.content.task == nil
    }
}

/// What the actions share by which somebody decides about a plan.
extension DBbrain {
    /// A plan on an instance that the account may not see is rejected like one that never was.
    func namedPlan(_ name: String, for call: Call) async throws -> NamedPlan {
        // Bounded before it is hashed: a string's hash is quadratic in its combining marks.
        guard name.canBeName,
            let stored = try await inDialect({ try await engine.plan(named: PlanName(rawValue: name)) }),
            let managed = visibleInstance(stored.plan.content.instance, for: call)
        else { throw TencentCloudError.planNameNotFound }
        return NamedPlan(stored: stored, managed: managed)
    }

    /// Records a decision together with the request that proves it.
    func decide(
        _ kind: Decision.Kind, on plan: NamedPlan, digest: String?, comment: String?, _ call: Call
    ) async throws -> DecisionReport {
        // Nobody reviews what a task does, nor can what an earlier killd has stored be approved.
        guard plan.stored.plan.content.task == nil, plan.stored.plan.content.review != nil else {
            throw TencentCloudError.operationDenied(.nothingToReview)
        }
        let request = KeptRequest(try call.keep().text)
        return try await inDialect {
            do {
                return try await engine.decide(
                    kind, on: plan.name, digest: digest, comment: comment, by: call.caller, request: request,
                    instance: plan.managed.instance)
            } catch KillError.decisionRefused(.notPrepared(let status)) {
                let since = try await engine.plan(named: plan.name)?.state.since
                throw TencentCloudError.operationDenied(
                    .decided(
                        state: status.rawValue, since: since?.text,
                        by: status.isOfCommit ? plan.stored.preparer.rawValue : nil))
            }
        }
    }

    /// - Parameter reason: `nil` for who commits with approvals.
    func breakGlass(_ reason: String?, on managed: ManagedInstance, _ call: Call) throws -> BreakGlass? {
        guard let reason else { return nil }
        try call.require(.breakGlass, on: managed.resource(for: call.account))
        try requireReadable(reason, as: "BreakGlassReason")
        guard reason.unicodeScalars.count >= BreakGlass.shortestReason else {
            throw TencentCloudError.tooShort("BreakGlassReason", least: BreakGlass.shortestReason)
        }
        return BreakGlass(reason: reason, request: KeptRequest(try call.keep().text))
    }

    /// Requires that a text which people are to decide by says something, and the same to everybody.
    ///
    /// - Parameter limit: in bytes.
    func requireReadable(
        _ text: String?, as parameter: String, limit: Int = ReviewText.longest
    ) throws(TencentCloudError) {
        guard let text else { return }
        guard text.utf8.count <= limit else { throw .tooLong(parameter, limit: limit) }
        guard !ReviewText.isBlank(text) else { throw .emptyValue(of: parameter) }
        guard ReviewText.isReadable(text) else { throw .hiddenCharacter(in: parameter) }
    }
}

extension PlanState {
    /// Since when it is what it is, once it is not only prepared.
    fileprivate var since: UnixTime? {
        switch self {
        case .prepared: nil
        case .committing(let time, _), .ended(_, let time, _, _): time
        }
    }
}

extension PlanStatus {
    /// Whether the preparer's account brought it there.
    fileprivate var isOfCommit: Bool { self == .committing || self == .committed }
}

// MARK: What an approval is worth later

extension Decision {
    /// Whether the request that was kept of an approval is one by which the account approves of just this plan, signed
    /// with the key that the account has now.
    ///
    /// The time of the approval is nothing that the approver signs: it counts only as long as the plan says that it can
    /// be approved.
    public func isProven(by account: Account, of plan: PlanOutline) -> Bool {
        guard kind == .approved, time < plan.approvableUntil,
            let kept = request.flatMap({ KeptSignature($0.text) }),
            // What cannot be verified is not.
            (try? kept.verify(secretID: account.secretID, secretKey: account.secretKey, token: account.token)) == true,
            let asked = kept.request(ApproveKillPlanRequest.self, of: "ApproveKillPlan")
        else { return false }
        return asked.PlanName.isSame(as: plan.name.rawValue) && asked.Digest.isSame(as: plan.digest)
    }
}
