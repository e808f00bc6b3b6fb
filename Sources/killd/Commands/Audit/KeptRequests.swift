import Accounts
import ActionDispatch
import AuditTrail
import DBbrainAPI
import RequestSigning
import SQLiteStore
import SessionKill
import Text

/// What the requests prove that are kept with decisions.
struct KeptRequests {
    private let accounts: [ExactText: Account]?

    /// - Parameter configuration: by whose keys they are verified; without one only what they ask for is looked at.
    init(_ configuration: Configuration?) {
        accounts = configuration.map {
            Dictionary($0.accounts.map { (ExactText($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    func standing(of decision: Decision, on plan: StoredPlan) throws -> RequestStanding {
        guard let text = decision.request?.text else {
            return accounts == nil ? .unchecked : .unproven("no request is kept with it")
        }
        guard let kept = KeptSignature(text) else { return .wrong(.unreadable) }
        if let fault = Self.fault(of: kept, decision, plan) { return .wrong(fault) }
        guard let accounts else { return .unchecked }
        guard let account = accounts[ExactText(decision.caller.account.rawValue)] else {
            return .unproven("the configuration has no such account")
        }
        if try kept.verify(secretID: account.secretID, secretKey: account.secretKey, token: account.token) {
            return account.person.isSame(as: decision.caller.person.rawValue)
                ? .verified : .unproven("in the configuration another person acts through the account")
        }
        // With the same key id it would verify, whoever else changed what.
        return kept.secretID?.isSame(as: account.secretID) == true
            ? .wrong(.forged) : .unproven("it is signed with another key than the configuration has")
    }

    /// What is wrong with what it asks for.
    private static func fault(of kept: KeptSignature, _ decision: Decision, _ plan: StoredPlan) -> RequestFault? {
        let asked: (plan: String, digest: String?)?
        switch decision.kind {
        case .approved, .reviewed:
            asked = kept.request(ApproveKillPlanRequest.self, of: "ApproveKillPlan").map { ($0.PlanName, $0.Digest) }
        case .rejected:
            asked = kept.request(RejectKillPlanRequest.self, of: "RejectKillPlan").map { ($0.PlanName, $0.Digest) }
        case .cancelled:
            asked = kept.request(CancelKillPlanRequest.self, of: "CancelKillPlan").map { ($0.PlanName, nil) }
        // By a ticket that only the plan knows, or by name and digest; the reason is in it in any case.
        case .brokeGlass: return nil
        }
        guard let asked else { return .anotherAction }
        guard asked.plan.isSame(as: plan.plan.name.rawValue) else { return .ofAnotherPlan(asked.plan) }
        guard asked.digest?.isSame(as: plan.digest) != false else { return .ofAnotherPlan(nil) }
        return nil
    }
}
