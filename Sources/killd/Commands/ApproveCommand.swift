import DBbrainAPI
import Text

/// `killd approve`: agrees to the end of a plan's sessions.
struct ApproveCommand: Command {
    static let name = "approve"
    static let summary =
        "agrees to a plan; of one that was committed without approvals: says that you have looked at it"
    static let usage = "[--comment TEXT] PLAN"
    static let options =
        [
            (spelling: "PLAN", meaning: "a plan's name (plan-…), as `killd plans` shows it"), PlanQuestion.digest,
            (spelling: "--comment TEXT", meaning: "for whoever looks at the plan"),
        ] + ClientOptions.options

    private let client: ClientOptions
    private let plan: PlanReference
    private let digest: String?
    private let comment: String?

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        digest = try arguments.option("--digest")
        comment = try arguments.option("--comment")
        plan = try PlanReference(&arguments)
    }

    func run() throws -> ExitStatus {
        let seen = try PlanQuestion.approve.ask(about: plan, digest, client)
        let response = try client.call(
            "ApproveKillPlan", ApproveKillPlanRequest(PlanName: seen.name, Digest: seen.digest, Comment: comment),
            response: ApproveKillPlanResponse.self,
            ifResponseIsLost: "The approval may be recorded; it is safe to approve again.")
        client.show(response) { Self.text($0) }
        return .done
    }

    static func text(_ approval: ApproveKillPlanResponse) -> VisibleText {
        let isOpen = approval.State == "prepared" || approval.State == "approved"
        guard isOpen else { return "Recorded that you have looked at it.  \(approval.Audit.text)\n" }
        let until: VisibleText = approval.CommittableUntil.map { " Can be committed until \($0)." } ?? ""
        return "Approved: \(approval.Approvals.count) of \(approval.Required).\(until)  \(approval.Audit.text)\n"
    }
}

extension AuditEntry {
    /// Where the audit has it: `(audit 4711 55b443d6…)`.
    var text: VisibleText { "(audit \(Entry) \(Hash.shortened(to: 8)))" }
}
