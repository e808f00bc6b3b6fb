import APIClient
import DBbrainAPI
import Text

/// `killd history`: the plans or the kill tasks that were, latest first.
struct HistoryCommand: Command {
    static let name = "history"
    static let summary = "lists plans and what became of their sessions, or kill tasks, latest first"
    static let usage = "[--tasks] [--instance ID] [--limit N] [--offset N]"
    static let options =
        [
            (spelling: "--tasks", meaning: "lists kill tasks in place of plans"),
            (spelling: "--instance ID", meaning: "default: all instances that the account may see"),
            (spelling: "--limit N", meaning: "how many, at most 100; default 20"),
            (spelling: "--offset N", meaning: "how many to skip; default 0"),
        ] + ClientOptions.options

    private let client: ClientOptions
    private let listsTasks: Bool
    private let instance: String?
    private let limit: UInt64?
    private let offset: UInt64?

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        listsTasks = arguments.flag("--tasks")
        instance = try arguments.option("--instance")
        limit = try arguments.number("--limit")
        offset = try arguments.number("--offset")
    }

    func run() throws -> ExitStatus {
        listsTasks ? try listTasks() : try listPlans()
    }

    private func listPlans() throws -> ExitStatus {
        let request = DescribeKillPlansRequest(InstanceId: instance, Limit: limit, Offset: offset)
        let response = try client.call("DescribeKillPlans", request, response: DescribeKillPlansResponse.self)
        client.show(response) { Self.table($0.Plans).text }
        return .done
    }

    private func listTasks() throws -> ExitStatus {
        let request = DescribeKillTasksRequest(InstanceId: instance, Limit: limit, Offset: offset)
        let response = try client.call("DescribeKillTasks", request, response: DescribeKillTasksResponse.self)
        client.show(response) { Self.table($0.Tasks).text }
        return .done
    }

    static func table(_ tasks: [KillTaskDescription]) -> Table {
        var table = Table(
            "TASK", "INSTANCE", "ACCOUNT", "CREATED", "STATE", "ENDS", "ENDED", "KILLED", "CONDITIONS")
        table.rows = tasks.map { task in
            [
                task.TaskName, task.InstanceId, task.Account, task.CreatedAt,
                task.CancelledBy.map { "\(task.State) by \($0)" } ?? task.State, task.EndsAt ?? "when cancelled",
                task.EndedAt ?? "", String(task.SessionsKilled), task.conditions,
            ]
        }
        return table
    }

    static func table(_ plans: [KillPlanSummary]) -> Table {
        var table = Table("PLAN", "INSTANCE", "ACCOUNT", "TASK", "PREPARED", "STATE", "ENDED", "THREADS", "OUTCOMES")
        table.rows = plans.map { plan in
            let outcomes = plan.Outcomes.sorted {
                ($1.value, ExactText($0.key)) < ($0.value, ExactText($1.key))
            }
            return [
                plan.PlanName, plan.InstanceId, plan.Account, plan.Task ?? "", plan.PreparedAt, plan.stateWithMark,
                plan.EndedAt ?? "", String(plan.ThreadCount),
                outcomes.map { "\($0.value) \($0.key)" }.joined(separator: ", "),
            ]
        }
        return table
    }
}

extension KillPlanSummary {
    /// The state; that glass was broken for a plan is said for ever.
    var stateWithMark: String { BrokeGlass ? "\(State), glass broken\(Reviewed ? "" : ", unreviewed")" : State }
}

extension KillTaskDescription {
    /// Every condition with its name as in CreateKillTask.
    fileprivate var conditions: String {
        let infos = Infos.map { $0.joined(separator: " … ") }
        let all = [
            ("User", User), ("Host", Host), ("DB", DB), ("Command", Command), ("Time >", Time.map(String.init)),
            ("Info", Info), ("Infos", infos),
        ].compactMap { name, value in value.map { "\(name) \($0)" } }
        return all.isEmpty ? "none: every session" : all.joined(separator: "; ")
    }
}
