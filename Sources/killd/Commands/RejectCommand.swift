import DBbrainAPI

/// `killd reject`: says no to a plan.
struct RejectCommand: Command {
    static let name = "reject"
    static let summary = "says no to a plan, approved or not: nobody commits it any more"
    static let usage = "--reason TEXT PLAN"
    static let options =
        [
            (spelling: "PLAN", meaning: "a plan's name (plan-…), as `killd plans` shows it"),
            (spelling: "--reason TEXT", meaning: "why; needed"), PlanQuestion.digest,
        ] + ClientOptions.options

    private let client: ClientOptions
    private let plan: PlanReference
    private let digest: String?
    private let reason: String

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        digest = try arguments.option("--digest")
        guard let reason = try arguments.option("--reason") else { throw UsageError("--reason is needed") }
        self.reason = reason
        plan = try PlanReference(&arguments)
    }

    func run() throws -> ExitStatus {
        let seen = try PlanQuestion.reject.ask(about: plan, digest, client)
        let response = try client.call(
            "RejectKillPlan", RejectKillPlanRequest(PlanName: seen.name, Digest: seen.digest, Reason: reason),
            response: EndedKillPlanResponse.self,
            ifResponseIsLost: "It may be rejected. To see it: killd show \(seen.name)")
        client.show(response) { "Rejected \($0.PlanName).  \($0.Audit.text)\n" }
        return .done
    }
}
