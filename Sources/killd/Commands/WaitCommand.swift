import APIClient
import DBbrainAPI
import FoundationEssentials

/// `killd wait`: returns once a plan is approved, or has ended.
struct WaitCommand: Command {
    static let name = "wait"
    static let summary = "waits until a plan is approved, or has ended"
    static let usage = "[--for approved|ended] [--timeout SECONDS] PLAN"
    static let options =
        [
            (spelling: "PLAN", meaning: "a plan's name (plan-…), or a SqlExecId"),
            (
                spelling: "--for approved|ended",
                meaning: "until it can be committed (default), or until its Commit has come to its end"
            ), (spelling: "--timeout SECONDS", meaning: "how long at most; default: until the plan expires"),
        ] + ClientOptions.options

    private let watch: PlanWatch
    private let goal: Goal

    /// What is waited for.
    enum Goal: String, CaseIterable {
        case approved, ended

        /// `nil` for a plan that may come to it yet.
        func isReached(by plan: KillPlanDescription) -> Bool? {
            switch (self, plan.State) {
            case (.approved, "prepared"): plan.Required == 0 ? true : nil
            case (.approved, "approved"), (.approved, "committing"), (_, "committed"): true
            case (.ended, "prepared"), (.ended, "approved"), (.ended, "committing"): nil
            default: false
            }
        }
    }

    init(_ arguments: inout Arguments) throws {
        let client = try ClientOptions(&arguments)
        let limit = try arguments.number("--timeout")
        if let text = try arguments.option("--for") {
            guard let goal = Goal(rawValue: text) else {
                throw UsageError("--for: expected approved or ended, found \"\(text)\"")
            }
            self.goal = goal
        } else {
            goal = .approved
        }
        watch = PlanWatch(
            client: client, plan: try PlanReference(&arguments), limit: limit.map { .seconds($0) })
    }

    func run() throws -> ExitStatus {
        let result = try watch.follow(until: { goal.isReached(by: $0) != nil })
        switch result {
        case .reached(let response):
            watch.client.show(response) { Self.line($0.Plan) }
            return goal.isReached(by: response.content.Plan) == true ? .done : .failed
        case .timedOut(let response):
            watch.client.show(response) { Self.line($0.Plan) }
            throw CommandFailure("the time is over, and \(response.content.Plan.PlanName) is not \(goal.rawValue)")
        }
    }

    private static func line(_ plan: KillPlanDescription) -> VisibleText { "\(facts(plan))\n" }

    /// A plan and how it stands.
    static func facts(_ plan: KillPlanDescription) -> VisibleText {
        "\(plan.PlanName)  \(PlanFacts(plan, seenAt: Date()).state)"
    }
}
