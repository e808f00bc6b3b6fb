import DBbrainAPI
import FoundationEssentials
import Text

/// What there is to say of a plan as a whole: how it stands, what it costs, who asked, who agreed and who could.
struct PlanFacts {
    private let plan: KillPlanDescription
    private let now: Date

    init(_ plan: KillPlanDescription, seenAt now: Date) {
        self.plan = plan
        self.now = now
    }

    var table: Table {
        let server = plan.Server
        var facts = Table("Plan", plan.PlanName)
        facts.rows = [["State", state]]
        if let progress { facts.rows.append(["So far", progress]) }
        if let risk = plan.Risk {
            facts.rows.append(["Risk", ([risk.Grade] + [risk.Reasons.joined(separator: "; ")]).joined(separator: ": ")])
        }
        facts.rows.append(["Instance", "\(plan.InstanceId): \(server.Version) on \(server.Hostname):\(server.Port)"])
        facts.rows.append(["Asked", asked])
        if let task = plan.Task { facts.rows.append(["Task", task]) }
        for (index, approval) in plan.Approvals.enumerated() {
            facts.rows.append([index == 0 ? "Approved" : "", Self.text(approval)])
        }
        if let can { facts.rows.append(["Can", can]) }
        if let glass = plan.BreakGlass {
            facts.rows.append(["Glass", "broken " + Self.text(glass)])
            if plan.Reviews.isEmpty { facts.rows.append(["", "nobody has looked at that since"]) }
        }
        for review in plan.Reviews { facts.rows.append(["", "looked at " + Self.text(review)]) }
        facts.rows.append(["Digest", plan.Digest])
        return facts
    }

    /// How many approvals count.
    var approvals: Int { plan.Approvals.count(where: \.Valid) }

    /// How it stands, in a line.
    var state: String {
        let until = Date.deadline(plan.CommittableUntil ?? plan.ExpiresAt, seenAt: now)
        switch plan.State {
        case "prepared" where plan.Required == 0: return "prepared; can be committed until \(until)"
        case "prepared":
            let missing = max(0, plan.Required - approvals)
            return
                "waits for \(missing.counted("more approval")) (has \(approvals) of \(plan.Required)); "
                + "until \(Date.deadline(plan.ApprovableUntil, seenAt: now))"
        case "approved": return "approved by \(approvals) of \(plan.Required); can be committed until \(until)"
        case "rejected", "cancelled": return plan.State + (plan.Decision.map { " " + Self.text($0) } ?? "")
        case "expired":
            let lastMoment = approvals < plan.Required ? plan.ApprovableUntil : plan.CommittableUntil
            return "expired at \(plan.EndedAt ?? lastMoment ?? plan.ExpiresAt); nothing was killed"
        case "stale": return "stale (\(plan.StateReason ?? "")) at \(plan.EndedAt ?? ""); prepare again"
        case "committing" where plan.Progress != nil: return "committing"
        case "committing": return "committing, or interrupted while committing; commit again to finish it"
        default: return "\(plan.State) at \(plan.EndedAt ?? "")"
        }
    }

    /// How far its Commit has come: `812 of 1,000 ended, 3 rolling back, 1,203,004 rows left`.
    var progress: String? { plan.Progress?.text }

    private var asked: String {
        let requester = plan.RequestedBy.map { ", for \($0) (as \(plan.Account) says)" } ?? ""
        return "\(plan.PreparedAt) by \(plan.Account)\(requester)" + (plan.Reason.map { ": \($0)" } ?? "")
    }

    /// Who could approve it; `nil` where nobody has to any more.
    private var can: String? {
        guard plan.Required > 0, plan.State == "prepared" || plan.State == "approved" else { return nil }
        let others = plan.CouldApprove.isEmpty ? "nobody" : plan.CouldApprove.joined(separator: ", ")
        return others + (plan.You.MayApprove ? "; you can" : "; not you: \(plan.You.reasons)")
    }

    private static func text(_ approval: KillPlanApproval) -> String {
        "\(approval.Person) at \(approval.At)" + (approval.Address.map { " from \($0)" } ?? "")
            + (approval.Comment.map { ": \"\($0)\"" } ?? "") + (approval.Valid ? "" : " (does not count any more)")
    }

    private static func text(_ decision: KillPlanDecision) -> String {
        "by \(decision.Person) at \(decision.At)" + (decision.Reason.map { ": \"\($0)\"" } ?? "")
    }
}

extension KillPlanProgress {
    var text: String {
        var parts = ["\(Ended.grouped) of \(Total.grouped) ended"]
        if RollingBack > 0 { parts.append("\(RollingBack.grouped) rolling back") }
        if let RowsLeft { parts.append("\(RowsLeft.counted("row")) left") }
        return parts.joined(separator: ", ")
    }
}

extension KillPlanRights {
    /// Why the caller may not approve, in words.
    var reasons: String {
        Why.map { code in
            switch code {
            case "own-plan": "you prepared it"
            case "requested-by-you": "you asked for it"
            case "already-approved": "you have already"
            case "not-permitted": "your account may not approve there"
            case "too-late": "it is too late for that"
            case "not-prepared": "it is decided already"
            case "not-needed": "it needs no approval"
            case "not-kept": "what it would end was not kept"
            default: code
            }
        }.joined(separator: ", ")
    }
}
