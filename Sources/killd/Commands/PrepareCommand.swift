import APIClient
import DBbrainAPI
import SessionKill
import Text

/// `killd prepare`: stores which sessions are to die.
struct PrepareCommand: Command {
    static let name = "prepare"
    static let summary = "pins sessions down and prints the SqlExecId that ends them"
    static let usage = "[--requested-by NAME] [--reason TEXT] --instance ID THREAD…"
    static let options =
        [
            (spelling: "--instance ID", meaning: "the instance, as the server's configuration names it"),
            (spelling: "THREAD…", meaning: "thread ids, as `killd sessions` shows them"),
            (spelling: "--requested-by NAME", meaning: "the person for whom you ask, who may not approve then"),
            (spelling: "--reason TEXT", meaning: "why, for whoever is to agree"), InstanceOptions.product,
        ] + ClientOptions.options

    private let client: ClientOptions
    private let instance: InstanceOptions
    private let requester: String?
    private let reason: String?
    private let threads: [ThreadID]

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        instance = try InstanceOptions(&arguments)
        requester = try arguments.option("--requested-by")
        reason = try arguments.option("--reason")
        threads = try arguments.positional().map { word in
            guard let number = UInt64(word), let thread = ThreadID(number) else {
                throw UsageError("\"\(word)\" is no thread id; expected a number from 1 to 4294967295")
            }
            return thread
        }
        guard !threads.isEmpty else { throw UsageError("give at least one thread id") }
    }

    func run() throws -> ExitStatus {
        let request = KillMySqlThreadsRequest.prepare(
            threads, instance: instance.id, product: instance.product, requestedBy: requester, reason: reason)
        let response = try client.call(
            "KillMySqlThreads", request, response: KillMySqlThreadsResponse.self,
            ifResponseIsLost: "The plan may have been stored, which ends nobody; it is safe to prepare again.")
        if client.json {
            Terminal.standardOutput.write(asItCame: response.json + "\n")
        } else {
            let ticket = response.content.SqlExecId
            Terminal.standardOutput.write("SqlExecId  \(ticket)\n")
            Terminal.standardError.write(
                """
                Nothing has been killed. To see what would die: killd show \(ticket)
                To end these sessions: killd commit --instance \(instance.id) \(ticket)
                \(approvalsNeeded(by: ticket))
                """)
        }
        return .done
    }

    /// What has to happen before the Commit, if anything has.
    private func approvalsNeeded(by ticket: String) -> VisibleText {
        // The plan is there: that it cannot be shown just now is no failure of the Prepare.
        let plan = try? client.client.call(
            "DescribeKillPlan", DescribeKillPlanRequest(SqlExecId: ticket), response: DescribeKillPlanResponse.self
        ).content.Plan
        guard let plan, plan.Required > 0 else { return "" }
        let who = plan.CouldApprove.isEmpty ? "nobody" : plan.CouldApprove.joined(separator: ", ")
        return """
            It needs \(plan.Required.counted("approval")) first (\(who) can), until \
            \(plan.ApprovableUntil ?? plan.ExpiresAt): killd approve \(plan.PlanName)
            To commit as soon as it has them: killd commit --wait --instance \(instance.id) \(ticket)

            """
    }
}
