import DBbrainAPI

/// `killd cancel`: takes back a plan of one's own.
struct CancelCommand: Command {
    static let name = "cancel"
    static let summary = "takes back a plan that you prepared"
    static let usage = "[--reason TEXT] PLAN"
    static let options =
        [
            (spelling: "PLAN", meaning: "a plan's name (plan-…), or its SqlExecId"),
            (spelling: "--reason TEXT", meaning: "for whoever looks at the plan"),
            (spelling: "--yes", meaning: "asks nothing"),
        ] + ClientOptions.options

    private let client: ClientOptions
    private let plan: PlanReference
    private let reason: String?
    private let isSure: Bool

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        reason = try arguments.option("--reason")
        isSure = arguments.flag("--yes")
        plan = try PlanReference(&arguments)
    }

    func run() throws -> ExitStatus {
        let name = try PlanQuestion.cancel.ask(about: plan, isSure: isSure, client)
        let response = try client.call(
            "CancelKillPlan", CancelKillPlanRequest(PlanName: name, Reason: reason),
            response: EndedKillPlanResponse.self,
            ifResponseIsLost: "It may be cancelled. To see it: killd show \(name)")
        client.show(response) { "Cancelled \($0.PlanName).  \($0.Audit.text)\n" }
        return .done
    }
}
