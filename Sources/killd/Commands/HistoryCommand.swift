import DBbrainAPI

/// `killd history`: the plans that were, latest first.
struct HistoryCommand: Command {
    static let name = "history"
    static let summary = "lists plans and what became of their sessions, latest first"
    static let usage = "[--instance ID] [--limit N] [--offset N]"
    static let options = [
        (spelling: "--instance ID", meaning: "default: all instances that the account may see"),
        (spelling: "--limit N", meaning: "how many plans, at most 100; default 20"),
        (spelling: "--offset N", meaning: "how many to skip; default 0"),
    ] + ClientOptions.options

    private let client: ClientOptions
    private let request: DescribeKillPlansRequest

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        request = DescribeKillPlansRequest(
            InstanceId: try arguments.option("--instance"), Limit: try arguments.number("--limit"),
            Offset: try arguments.number("--offset"))
    }

    func run() throws -> ExitStatus {
        let answer = try client.client.call("DescribeKillPlans", request, answer: DescribeKillPlansAnswer.self)
        Terminal.standardOutput.write(client.json ? answer.json + "\n" : Self.table(answer.content.Plans).text)
        return .done
    }

    static func table(_ plans: [KillPlanSummary]) -> Table {
        var table = Table("PLAN", "INSTANCE", "ACCOUNT", "PREPARED", "STATE", "ENDED", "THREADS", "OUTCOMES")
        table.rows = plans.map { plan in
            let outcomes = plan.Outcomes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            return [
                plan.PlanName, plan.InstanceId, plan.Account, plan.PreparedAt, plan.State, plan.EndedAt ?? "",
                String(plan.ThreadCount), outcomes.map { "\($0.value) \($0.key)" }.joined(separator: ", "),
            ]
        }
        return table
    }
}
