import DBbrainAPI
import SessionKill

/// `killd commit`: ends the sessions of a plan.
struct CommitCommand: Command {
    static let name = "commit"
    static let summary = "ends the sessions that a Prepare pinned down"
    static let usage = "--instance ID SQLEXECID"
    static let options = [
        (spelling: "--instance ID", meaning: "the instance of the Prepare"),
        (spelling: "SQLEXECID", meaning: "what `killd prepare` printed"), InstanceOptions.product,
    ] + ClientOptions.options

    private let client: ClientOptions
    private let request: KillMySqlThreadsRequest

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        let instance = try InstanceOptions(&arguments)
        let words = try arguments.positional()
        guard words.count == 1 else { throw UsageError("give exactly one SqlExecId") }
        request = .commit(words[0], instance: instance.id, product: instance.product)
    }

    func run() throws -> ExitStatus {
        let answer = try client.client.call("KillMySqlThreads", request, answer: KillMySqlThreadsAnswer.self)
        if client.json {
            Terminal.standardOutput.write(asItCame: answer.json + "\n")
        } else {
            let killed = answer.content.Threads.map(\.description)
            Terminal.standardOutput.write(
                killed.isEmpty ? "No session was ended.\n" : "Ended: \(killed.joined(separator: ", "))\n")
            let spared = try self.spared(by: answer.content)
            if !spared.isEmpty { Terminal.standardOutput.write("Not ended: \(spared.joined(separator: ", "))\n") }
        }
        return .done
    }

    /// The other threads of the plan, each with why.
    private func spared(by answer: KillMySqlThreadsAnswer) throws -> [String] {
        let ended = Set(answer.Threads)
        let plan = try client.client.call(
            "DescribeKillPlan", DescribeKillPlanRequest(SqlExecId: answer.SqlExecId),
            answer: DescribeKillPlanAnswer.self)
        return plan.content.Plan.Threads.filter { !ended.contains($0.Id) }.map { thread in
            "\(thread.Id) (\(ShowCommand.outcome(of: thread)))"
        }
    }
}
