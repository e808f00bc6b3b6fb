import APIClient
import DBbrainAPI
import FoundationEssentials
import Text

/// A plan that somebody decides about: they have seen it, here or before.
struct SeenPlan {
    let name: String
    /// Of the plan as it was seen.
    let digest: String
}

/// What a command asks before it decides about a plan.
enum PlanQuestion: String {
    case approve, reject, cancel, commit

    /// For who has no terminal to be asked at.
    private var gerund: VisibleText {
        switch self {
        case .approve: "approving"
        case .reject: "rejecting"
        case .cancel: "cancelling"
        case .commit: "committing"
        }
    }

    /// Whether sessions end by the answer, at once or later.
    private var endsSessions: Bool { self == .approve || self == .commit }

    private func mayAnswer(_ rights: KillPlanRights) -> Bool {
        switch self {
        case .approve: rights.MayApprove
        case .reject: rights.MayReject
        case .cancel: rights.MayCancel
        // Whoever waits for approval may be asked before it is there; the server decides.
        case .commit: true
        }
    }

    static let digest = (
        spelling: "--digest DIGEST",
        meaning: "of the plan as you have seen it, as `killd show` prints it: nothing is asked then"
    )

    /// Shows the plan on standard error and asks, unless the digest proves that it was seen.
    ///
    /// - Throws: ``UsageError`` where nobody can be asked, ``CommandFailure`` for a no.
    func ask(about plan: PlanReference, _ digest: String?, _ client: ClientOptions) throws -> SeenPlan {
        if let digest, case .name(let name) = plan { return SeenPlan(name: name, digest: digest) }
        guard digest != nil || Terminal.canAsk else {
            throw UsageError("\(gerund) without a terminal needs --digest, as `killd show` prints it")
        }
        let plan = try client.call(
            "DescribeKillPlan", plan.request(), response: DescribeKillPlanResponse.self
        ).content.Plan
        if let digest { return SeenPlan(name: plan.PlanName, digest: digest) }
        try ask(about: plan)
        return SeenPlan(name: plan.PlanName, digest: plan.Digest)
    }

    /// The same where no digest is needed.
    ///
    /// - Parameter isSure: whether nothing is asked.
    func ask(about plan: PlanReference, isSure: Bool, _ client: ClientOptions) throws -> String {
        if isSure, case .name(let name) = plan { return name }
        guard isSure || Terminal.canAsk else { throw UsageError("\(gerund) without a terminal needs --yes") }
        let plan = try client.call(
            "DescribeKillPlan", plan.request(), response: DescribeKillPlanResponse.self
        ).content.Plan
        if !isSure { try ask(about: plan) }
        return plan.PlanName
    }

    private func ask(about plan: KillPlanDescription) throws {
        Terminal.standardError.write("\(ShowCommand.text(plan))\n")
        guard mayAnswer(plan.You) else {
            let reasons = self == .approve ? plan.You.reasons : PlanFacts(plan, seenAt: Date()).state
            throw CommandFailure("you cannot \(rawValue) \(plan.PlanName): \(reasons)")
        }
        let sessions = plan.sessionsToEnd
        let what: VisibleText = "\(sessions.counted("session")) on \(plan.InstanceId)"
        let answer: String?
        let isYes: Bool
        if !plan.isOpen {
            answer = Terminal.ask("Say that you have looked at it? [y/N] ")
            isYes = answer.isYes
        } else if endsSessions, plan.Risk?.Grade.isSame(as: "high") == true {
            answer = Terminal.ask("End \(what)? Type \(sessions) to \(rawValue): ")
            isYes = answer?.isSame(as: String(sessions)) == true
        } else {
            answer = Terminal.ask(
                endsSessions ? "End \(what)? [y/N] " : "\(rawValue) the plan to end \(what)? [y/N] ")
            isYes = answer.isYes
        }
        guard isYes else { throw CommandFailure("nothing was done") }
    }
}

extension String? {
    fileprivate var isYes: Bool { ["y", "Y", "yes"].contains { self?.isSame(as: $0) == true } }
}
