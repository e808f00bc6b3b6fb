import APIClient
import DBbrainAPI
import SessionKill
import Text

/// `killd commit`: ends the sessions of a plan.
struct CommitCommand: Command {
    static let name = "commit"
    static let summary = "ends the sessions that a Prepare pinned down"
    static let usage = "--instance ID SQLEXECID"
    static let options =
        [
            (spelling: "--instance ID", meaning: "the instance of the Prepare"),
            (spelling: "SQLEXECID", meaning: "what `killd prepare` printed"), InstanceOptions.product,
        ] + ClientOptions.options

    private let client: ClientOptions
    private let request: KillMySqlThreadsRequest
    private let ticket: String
    private let instance: String

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        let instance = try InstanceOptions(&arguments)
        let words = try arguments.positional()
        guard words.count == 1 else { throw UsageError("give exactly one SqlExecId") }
        request = .commit(words[0], instance: instance.id, product: instance.product)
        ticket = words[0]
        self.instance = instance.id
    }

    func run() throws -> ExitStatus {
        let response = try client.call(
            "KillMySqlThreads", request, response: KillMySqlThreadsResponse.self,
            ifResponseIsLost: """
                The Commit may have been done. It is safe to repeat it, which ends each session once at most and tells \
                what became of it: killd commit --instance \(instance) \(ticket)
                """)
        if client.json {
            Terminal.standardOutput.write(asItCame: response.json + "\n")
        } else {
            let killed = response.content.Threads.map(\.description)
            Terminal.standardOutput.write(
                killed.isEmpty ? "No session was ended.\n" : "Ended: \(killed.joined(separator: ", "))\n")
            let (ended, spared) = try threads(after: response.content)
            let remarkable = ended.filter { $0.Outcome?.isSame(as: Outcome.Kind.killed.rawValue) != true }
            if !remarkable.isEmpty { Terminal.standardOutput.write("Of them: \(Self.outcomes(of: remarkable))\n") }
            if !spared.isEmpty { Terminal.standardOutput.write("Not ended: \(Self.outcomes(of: spared))\n") }
        }
        return .done
    }

    private static func outcomes(of threads: [KillPlanThread]) -> String {
        threads.map { "\($0.Id) (\(ShowCommand.outcome(of: $0)))" }.joined(separator: ", ")
    }

    /// The plan's threads, with what became of them.
    private func threads(
        after response: KillMySqlThreadsResponse
    ) throws -> (ended: [KillPlanThread], spared: [KillPlanThread]) {
        let ended = Set(response.Threads)
        let plan: DBbrainClient.Response<DescribeKillPlanResponse>
        do {
            plan = try client.call(
                "DescribeKillPlan", DescribeKillPlanRequest(SqlExecId: response.SqlExecId),
                response: DescribeKillPlanResponse.self)
        } catch let failure as CommandFailure {
            throw CommandFailure(
                """
                the Commit was done, but what became of each session cannot be told: \(failure.text). To see it: killd show \
                \(response.SqlExecId)
                """)
        }
        let threads = plan.content.Plan.Threads
        return (threads.filter { ended.contains($0.Id) }, threads.filter { !ended.contains($0.Id) })
    }
}
