import APIClient
import DBbrainAPI
import FoundationEssentials
import SessionKill
import Text

/// `killd show`: a plan, for whoever is to agree to it or wants to know how it went.
struct ShowCommand: Command {
    static let name = "show"
    static let summary = "shows what a plan pinned down, what its end would mean, and what became of it"
    static let usage = "[--now] PLAN"
    static let options =
        [
            (spelling: "PLAN", meaning: "a plan's name (plan-…), as `killd plans` shows it, or a SqlExecId"),
            (spelling: "--now", meaning: "looks at its sessions again, and shows what they do now beside it"),
        ] + ClientOptions.options

    private let client: ClientOptions
    private let request: DescribeKillPlanRequest

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        let now = arguments.flag("--now")
        request = try PlanReference(&arguments).request(now: now)
    }

    func run() throws -> ExitStatus {
        let response = try client.call("DescribeKillPlan", request, response: DescribeKillPlanResponse.self)
        client.show(response) { Self.text($0.Plan) }
        return .done
    }

    /// - Parameter now: the reader's time.
    static func text(_ plan: KillPlanDescription, seenAt now: Date = Date()) -> VisibleText {
        var parts = [PlanFacts(plan, seenAt: now).table.text, threads(plan).text]
        if let now = plan.Now { parts.append(Self.text(now)) }
        parts.append(WaitTree(plan).text)
        parts += remarks(on: plan).map { "\($0)\n" }
        return VisibleText(joining: parts.filter { !$0.text.isEmpty }, separator: "\n")
    }

    /// The sessions as they are now.
    private static func text(_ now: KillPlanNow) -> VisibleText {
        guard now.SameServer else {
            return "Now, at \(now.At), the server is another one or was restarted: none of these sessions is left.\n"
        }
        var table = Table("ID", "NOW", "DB", "COMMAND", "TIME", "TRANSACTION", "STATEMENT")
        table.rows = now.Threads.map { thread in
            let presence =
                thread.SameSession == true ? "there" : thread.Found ? "another session has the id" : "gone"
            return [
                thread.Id.description, presence, thread.DB ?? "", thread.Command ?? "",
                thread.Time.map(String.init) ?? "", transaction(of: thread), statement(of: thread),
            ]
        }
        let risk: VisibleText = now.Risk.map { "; risk \($0.Grade)" } ?? ""
        return "Now, at \(now.At)\(risk):\n\(table.text)"
    }

    private static func threads(_ plan: KillPlanDescription) -> Table {
        var table = Table(
            "ID", "USER", "HOST", "PROGRAM", "DB", "COMMAND", "TIME", "TRANSACTION", "FREES", "OUTCOME", "GUARD",
            "STATEMENT")
        table.rows = plan.Threads.map { thread in
            [
                thread.Id.description, thread.User ?? "", thread.Host ?? "", thread.Program ?? "", thread.DB ?? "",
                thread.Command ?? "", thread.Time.map(String.init) ?? "", transaction(of: thread),
                thread.FreedSessions.map(String.init) ?? "", outcome(of: thread),
                thread.Guard ?? "", statement(of: thread),
            ]
        }
        return table
    }

    private static func transaction(of thread: KillPlanThread) -> String {
        guard let transaction = thread.Transaction else { return "" }
        return "\(transaction.Age) s" + (transaction.RowsModified.map { ", \($0.counted("row")) to undo" } ?? "")
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
            let dying = plan.Threads.filter { $0.Found && $0.Protection == nil }.map(\.Id.description)
            let gone = dying.count > 5 ? "all of these" : dying.joined(separator: ", ")
            remarks.append("With \(gone) gone, \(freed.counted("session")) can go on.")
        }
        if let unexplained = plan.UnexplainedWaiters, unexplained > 0 {
            remarks.append("Sessions waiting for locks whose holders the server does not tell: \(unexplained)")
        }
        return remarks
    }
}
