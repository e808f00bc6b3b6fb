import APIClient
import DBbrainAPI
import FoundationEssentials
import Text

/// `killd plans`: what waits to be decided about.
struct PlansCommand: Command {
    static let name = "plans"
    static let summary =
        "lists the plans that wait for approval, the soonest deadline first, and those that can be committed"
    static let usage = "[--instance ID] [--unreviewed]"
    static let options =
        [
            (spelling: "--instance ID", meaning: "default: all instances that the account may see"),
            (
                spelling: "--unreviewed",
                meaning: "lists those that were committed without their approvals and that nobody has looked at since"
            ),
        ] + ClientOptions.options

    private let client: ClientOptions
    private let instance: String?
    private let unreviewed: Bool

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        instance = try arguments.option("--instance")
        unreviewed = arguments.flag("--unreviewed")
    }

    func run() throws -> ExitStatus {
        var plans: [KillPlanSummary] = []
        for page in 0..<Self.mostPages {
            let request = DescribeKillPlansRequest(
                InstanceId: instance, States: unreviewed ? nil : ["prepared", "approved", "committing"],
                Unreviewed: unreviewed ? true : nil, Limit: Self.pageSize, Offset: UInt64(page) * Self.pageSize)
            let response = try client.call("DescribeKillPlans", request, response: DescribeKillPlansResponse.self)
            if client.json {
                client.show(response) { _ in "" }
                return .done
            }
            plans += response.content.Plans
            if response.content.Plans.count < Self.pageSize { break }
        }
        let now = Date()
        Terminal.standardOutput.write(
            Self.table(unreviewed ? plans : Self.inOrder(plans), seenAt: now).text)
        return .done
    }

    private static let pageSize: UInt64 = 100
    private static let mostPages = 100

    /// Those that wait for approval first, and of each kind the soonest deadline.
    static func inOrder(_ plans: [KillPlanSummary]) -> [KillPlanSummary] {
        func key(_ plan: KillPlanSummary) -> (Int, ExactText, ExactText) {
            let deadline = plan.deadline.map { ExactText($0) } ?? "~"
            return (plan.isWaiting ? 0 : 1, deadline, ExactText(plan.PreparedAt))
        }
        return plans.sorted { key($0) < key($1) }
    }

    static func table(_ plans: [KillPlanSummary], seenAt now: Date) -> Table {
        var table = Table("PLAN", "RISK", "APPROVALS", "LEFT", "INSTANCE", "SESSIONS", "PREPARED")
        table.rows = plans.map { plan in
            let requester = plan.RequestedBy.map { ", for \($0)" } ?? ""
            let age = Date(apiTime: plan.PreparedAt).map { Span(from: $0, to: now).roughly + " ago" }
            return [
                plan.PlanName, plan.Risk ?? "", plan.approvals, plan.timeLeft(at: now), plan.InstanceId,
                String(plan.ThreadCount), "\(age ?? plan.PreparedAt) by \(plan.Account)\(requester)",
            ]
        }
        return table
    }
}

extension KillPlanSummary {
    /// Whether it lacks approvals.
    var isWaiting: Bool { State == "prepared" && Approvals.count < Required }

    /// When it expires if nothing happens, as far as it can.
    fileprivate var deadline: String? { isWaiting ? ApprovableUntil : CommittableUntil }

    fileprivate var approvals: String {
        let count = Required == 0 ? "not needed" : "\(Approvals.count) of \(Required)"
        return BrokeGlass ? "\(count), glass broken" : count
    }

    fileprivate func timeLeft(at now: Date) -> String {
        guard State == "prepared" || State == "approved", let deadline = Date(apiTime: deadline) else { return State }
        return Span(from: now, to: deadline).description
    }
}
