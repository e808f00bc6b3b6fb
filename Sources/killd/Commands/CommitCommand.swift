import APIClient
import DBbrainAPI
import DedicatedThread
import Glibc
import SessionKill
import Text

/// `killd commit`: ends the sessions of a plan.
struct CommitCommand: Command {
    static let name = "commit"
    static let summary = "ends the sessions that a Prepare pinned down"
    static let usage = "[--wait] (--instance ID SQLEXECID | PLAN)"
    static let options =
        [
            (spelling: "--instance ID", meaning: "the instance of the Prepare; needed with its SqlExecId"),
            (spelling: "SQLEXECID", meaning: "what `killd prepare` printed"),
            (spelling: "PLAN", meaning: "the plan's name (plan-…), for the account that prepared it"),
            PlanQuestion.digest,
            (spelling: "--wait", meaning: "waits until the plan is approved, and commits it then"),
            (spelling: "--timeout SECONDS", meaning: "how long --wait waits; default: until the plan expires"),
            (
                spelling: "--break-glass REASON",
                meaning: "commits without the approvals that are missing, by the right to do so; kept for ever"
            ), InstanceOptions.product,
        ] + ClientOptions.options

    private let client: ClientOptions
    private let plan: PlanReference
    /// `nil` where the plan's name says it.
    private let instance: InstanceOptions?
    private let digest: String?
    private let waits: Bool
    private let limit: UInt64?
    private let breakGlassReason: String?

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        digest = try arguments.option("--digest")
        waits = arguments.flag("--wait")
        limit = try arguments.number("--timeout")
        breakGlassReason = try arguments.option("--break-glass")
        if breakGlassReason != nil, waits { throw UsageError("--break-glass does not wait: leave out --wait") }
        if limit != nil, !waits { throw UsageError("--timeout belongs to --wait") }
        let instance = try InstanceOptions(ifAny: &arguments)
        let words = try arguments.positional()
        guard words.count == 1 else { throw UsageError("give exactly one SqlExecId, or a plan's name") }
        plan = PlanReference(words[0])
        switch (plan, instance) {
        case (.ticket, nil): throw UsageError("--instance is needed")
        case (.ticket, _?) where digest != nil: throw UsageError("--digest is for a plan's name")
        case (.name, _?): throw UsageError("--instance is for a SqlExecId: a plan's name says its instance")
        default: self.instance = instance
        }
    }

    func run() throws -> ExitStatus {
        let line = ProgressLine()
        defer { line.end() }
        switch plan {
        case .ticket(let ticket):
            try waitForApproval(line)
            return try commit(ticket, line)
        case .name:
            let seen = try PlanQuestion.commit.ask(about: plan, digest, client)
            try waitForApproval(line)
            return try commit(seen, line)
        }
    }

    // MARK: Waiting

    /// Returns once the plan can be committed, if that is to be waited for.
    private func waitForApproval(_ line: ProgressLine) throws {
        guard waits else { return }
        let watch = PlanWatch(client: client, plan: plan, limit: limit.map { .seconds($0) })
        let goal = WaitCommand.Goal.approved
        let result = try watch.follow(until: { goal.isReached(by: $0) != nil }) {
            line.show(Self.text(whileWaiting: $0))
        }
        switch result {
        case .reached(let response) where goal.isReached(by: response.content.Plan) == true: break
        case .reached(let response):
            line.end()
            throw CommandFailure("not committed: \(WaitCommand.facts(response.content.Plan))")
        case .timedOut(let response):
            line.end()
            throw CommandFailure(
                "not committed, for the time is over: \(WaitCommand.facts(response.content.Plan))")
        }
    }

    private static func text(whileWaiting plan: KillPlanDescription) -> VisibleText {
        let who: VisibleText =
            plan.CouldApprove.isEmpty ? "" : " (\(plan.CouldApprove.joined(separator: ", ")) can)"
        return "\(WaitCommand.facts(plan))\(who)"
    }

    // MARK: Committing

    private func commit(_ ticket: String, _ line: ProgressLine) throws -> ExitStatus {
        guard let instance else { throw UsageError("--instance is needed") }
        var request = KillMySqlThreadsRequest.commit(ticket, instance: instance.id, product: instance.product)
        request.BreakGlassReason = breakGlassReason
        showProgress(line)
        let response = try client.call(
            "KillMySqlThreads", request, response: KillMySqlThreadsResponse.self,
            ifResponseIsLost: Self.advice("killd commit --instance \(instance.id) \(ticket)"))
        line.end()
        return try show(response, killed: response.content.Threads, audit: nil)
    }

    private func commit(_ seen: SeenPlan, _ line: ProgressLine) throws -> ExitStatus {
        let request = CommitKillPlanRequest(
            PlanName: seen.name, Digest: seen.digest, BreakGlassReason: breakGlassReason)
        showProgress(line)
        let response = try client.call(
            "CommitKillPlan", request, response: CommitKillPlanResponse.self,
            ifResponseIsLost: Self.advice("killd commit --digest \(seen.digest) \(seen.name)"))
        line.end()
        return try show(response, killed: response.content.Threads, audit: response.content.Audit)
    }

    private static func advice(_ command: VisibleText) -> VisibleText {
        """
        The Commit may have been done. It is safe to repeat it, which ends each session once at most and tells what \
        became of it: \(command)
        """
    }

    /// Tells how far the Commit has come that is about to begin, on a thread of its own until the line ends.
    private func showProgress(_ line: ProgressLine) {
        let (client, request) = (client.client, plan.request())
        let follow = { @Sendable in
            while !line.isOver {
                usleep(500_000)
                // What cannot be told is left out: the Commit itself says what is wrong.
                guard !line.isOver,
                    let response = try? client.call(
                        "DescribeKillPlan", request, response: DescribeKillPlanResponse.self),
                    let progress = response.content.Plan.Progress
                else { continue }
                line.show("\(progress.text)")
            }
        }
        // Without the thread nothing is told before the end.
        try? startThread(name: "progress", follow)
    }

    // MARK: What came of it

    private func show<Content>(
        _ response: DBbrainClient.Response<Content>, killed: [ThreadID], audit: AuditEntry?
    ) throws -> ExitStatus {
        if client.json {
            Terminal.standardOutput.write(asItCame: response.json + "\n")
            return .done
        }
        let ids = killed.map(\.description).joined(separator: ", ")
        let receipt: VisibleText = audit.map { "  \($0.text)" } ?? ""
        Terminal.standardOutput.write(
            ids.isEmpty ? "No session was ended.\(receipt)\n" : "Ended: \(ids)\(receipt)\n")
        let (ended, spared) = try threads(killed)
        let remarkable = ended.filter { $0.Outcome?.isSame(as: Outcome.Kind.killed.rawValue) != true }
        if !remarkable.isEmpty { Terminal.standardOutput.write("Of them: \(Self.outcomes(of: remarkable))\n") }
        if !spared.isEmpty { Terminal.standardOutput.write("Not ended: \(Self.outcomes(of: spared))\n") }
        return .done
    }

    private static func outcomes(of threads: [KillPlanThread]) -> String {
        threads.map { "\($0.Id) (\(ShowCommand.outcome(of: $0)))" }.joined(separator: ", ")
    }

    /// The plan's threads, with what became of them.
    private func threads(_ killed: [ThreadID]) throws -> (ended: [KillPlanThread], spared: [KillPlanThread]) {
        let killed = Set(killed)
        let threads: [KillPlanThread]
        do {
            threads = try client.call(
                "DescribeKillPlan", plan.request(), response: DescribeKillPlanResponse.self
            ).content.Plan.Threads
        } catch let failure as CommandFailure {
            throw CommandFailure(
                """
                the Commit was done, but what became of each session cannot be told: \(failure.text). To see it: killd show \
                \(plan)
                """)
        }
        return (threads.filter { killed.contains($0.Id) }, threads.filter { !killed.contains($0.Id) })
    }
}
