import APIClient
import DBbrainAPI
import SessionKill
import Text

/// `killd show`: a plan, for whoever is to agree to it or wants to know how it went.
struct ShowCommand: Command {
    static let name = "show"
    static let summary = "shows what a plan pinned down, what its end would mean, and what became of it"
    static let usage = "PLAN"
    static let options =
        [
            (spelling: "PLAN", meaning: "a plan's name (plan-…), as `killd history` shows it, or a SqlExecId")
        ] + ClientOptions.options

    private let client: ClientOptions
    private let request: DescribeKillPlanRequest

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        let words = try arguments.positional()
        guard words.count == 1 else { throw UsageError("give exactly one plan") }
        // A SqlExecId is letters and digits only.
        request =
            words[0].utf8.contains(UInt8(ascii: "-"))
            ? DescribeKillPlanRequest(PlanName: words[0]) : DescribeKillPlanRequest(SqlExecId: words[0])
    }

    func run() throws -> ExitStatus {
        let response = try client.call("DescribeKillPlan", request, response: DescribeKillPlanResponse.self)
        client.show(response) { Self.text($0.Plan) }
        return .done
    }

    static func text(_ plan: KillPlanDescription) -> VisibleText {
        let server = plan.Server
        var facts = Table("Plan", plan.PlanName)
        facts.rows = [
            ["State", state(of: plan)],
            ["Instance", "\(plan.InstanceId): \(server.Version) on \(server.Hostname):\(server.Port)"],
            ["Prepared", "\(plan.PreparedAt) by \(plan.Account)"],
            ["Digest", plan.Digest],
        ]
        if let task = plan.Task { facts.rows.insert(["Task", task], at: 3) }
        let remarks = VisibleText(joining: remarks(on: plan).map { "\n\($0)\n" })
        return "\(facts.text)\n\(threads(plan).text)\(remarks)"
    }

    private static func state(of plan: KillPlanDescription) -> String {
        switch plan.State {
        case "prepared": "prepared; can be committed until \(plan.ExpiresAt)"
        case "expired": "expired at \(plan.ExpiresAt); nothing was killed"
        case "stale": "stale (\(plan.StateReason ?? "")) at \(plan.EndedAt ?? ""); prepare again"
        case "committing": "committing, or interrupted while committing; commit again to finish it"
        default: "\(plan.State) at \(plan.EndedAt ?? "")"
        }
    }

    private static func threads(_ plan: KillPlanDescription) -> Table {
        var table = Table(
            "ID", "USER", "HOST", "PROGRAM", "DB", "COMMAND", "TIME", "TRANSACTION", "FREES", "OUTCOME", "GUARD",
            "STATEMENT")
        table.rows = plan.Threads.map { thread in
            let transaction = thread.Transaction.map { transaction in
                "\(transaction.Age) s" + (transaction.RowsModified.map { ", \($0) rows to undo" } ?? "")
            }
            return [
                thread.Id.description, thread.User ?? "", thread.Host ?? "", thread.Program ?? "", thread.DB ?? "",
                thread.Command ?? "", thread.Time.map(String.init) ?? "", transaction ?? "",
                thread.FreedSessions.map(String.init) ?? "", outcome(of: thread),
                thread.Guard ?? "", statement(of: thread),
            ]
        }
        return table
    }

    private static func statement(of thread: KillPlanThread) -> String {
        if let digest = thread.InfoSha256 { return "hidden, SHA-256 \(digest.shortened(to: 12))" }
        let text = thread.Info ?? ""
        let shown = text.shortened(to: 60)
        return shown.isSame(as: text) && thread.InfoLength != nil ? shown + "…" : shown
    }

    /// What became of a thread, or what would.
    static func outcome(of thread: KillPlanThread) -> String {
        guard let outcome = thread.Outcome else {
            if !thread.Found { return "no such session" }
            return thread.Protection.map { "protected: \($0)" } ?? ""
        }
        guard let detail = thread.OutcomeDetail else { return outcome }
        return outcome == "rolling-back" ? "\(outcome): \(detail) rows left" : "\(outcome): \(detail)"
    }

    /// What does not fit into a table.
    private static func remarks(on plan: KillPlanDescription) -> [String] {
        var remarks: [String] = []
        for thread in plan.Threads {
            for wanted in thread.WantedLocks ?? [] {
                let details = ([wanted.Kind + " lock", wanted.Index, wanted.Mode] as [String?]).compactMap { $0 }
                let lock = "\(wanted.Object) (\(details.joined(separator: ", ")))"
                remarks.append("\(thread.Id) holds \(lock); waiting for it: \(wanted.Waiters)")
            }
            if let connection = thread.ServerSessionId {
                remarks.append(
                    "Of \(thread.Id) only its connection \(connection) to the database server "
                        + "\(thread.ServerAddress ?? "") is to end; the session itself lives on.")
            }
            if thread.XaPrepared == true {
                remarks.append(
                    "\(thread.Id) has a prepared XA transaction, which outlives it with all its locks until somebody "
                        + "ends it by XA COMMIT or XA ROLLBACK.")
            }
            if thread.XaUnknown == true {
                remarks.append(
                    "Whether \(thread.Id) has prepared an XA transaction, which would outlive it with all its locks, the "
                        + "server does not tell: one is nobody's (XA RECOVER lists it). `killd check` says what is missing."
                )
            }
            if thread.AwaitsReplica == true {
                remarks.append(
                    "\(thread.Id) waits for a replica to acknowledge its change, which is committed: KILL does not undo it, "
                        + "and on MySQL does not end the wait.")
            }
            if thread.HostCut == true {
                remarks.append(
                    "The server cuts the host of \(thread.Id) to 63 characters, so that its port is not known: another "
                        + "session of its user may look the same.")
            }
        }
        if let freed = plan.FreedSessions, freed > 0 {
            remarks.append("Other sessions that could go on with all of these gone: \(freed)")
        }
        if let unexplained = plan.UnexplainedWaiters, unexplained > 0 {
            remarks.append("Sessions waiting for locks whose holders the server does not tell: \(unexplained)")
        }
        return remarks
    }
}
