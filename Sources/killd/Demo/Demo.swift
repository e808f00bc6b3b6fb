import APIClient
import Cryptography
import DBbrainAPI
import DedicatedThread
import Glibc
import MySQLSessions
import PrivateDatabase
import RequestSigning
import SessionKill

/// The story that `killd demo` tells.
///
/// On a thread of its own: it blocks while it waits for the server that it
/// runs in the same process.
actor Demo {
    private static let instance = "cdb-demo0001"
    private let keep: Bool
    private let thread: DedicatedThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(keep: Bool) throws {
        self.keep = keep
        thread = try DedicatedThread(name: "demo")
    }

    /// - Throws: `CancellationError` if the task was cancelled; nothing is left behind then.
    func tell() async throws {
        say("Starting a private MariaDB in a temporary folder …")
        let database: PrivateDatabase
        do {
            database = try PrivateDatabase.start(.mariadb)
        } catch {
            throw CommandFailure(VisibleText(lines: error.description))
        }
        defer { database.stop() }
        // For a younger server killd prepares no plan.
        let isReady = ContinuousClock.now + .seconds(ServerObservation.shortestUptime)
        try Task.checkCancellation()
        let sessions = try await DemoSessions.open(on: database)

        let (preparer, approver) = (try Member("ci"), try Member("alice"))
        let configuration = try Configuration(
            json: Array(Self.configuration(preparer, approver, port: database.port).utf8), folder: database.folder)
        let service = try await Service(configuration, log: .silent)
        try service.start()
        guard let endpoint = Endpoint(service.endpoint) else { throw CommandFailure("no endpoint") }
        let client = preparer.client(of: endpoint)
        say("killd serves \(Self.instance) at \(endpoint), and asks for one approval there.")

        try await showSessions("The sessions before", client, waitingFor: sessions)
        let planned = [sessions.report.threadID, sessions.lockHolder.threadID]
        say(
            """

            The report (\(planned[0])) has been running for too long, and the batch job (\(planned[1])) sits on a lock \
            that session \(sessions.waiter.threadID) waits for. Prepare pins both down, by the account ci; nothing is killed \
            yet.

            """)
        try await Task.sleep(until: isReady)
        let prepare = KillMySqlThreadsRequest.prepare(planned, instance: Self.instance, product: .mysql)
        let prepared = try client.call("KillMySqlThreads", prepare, response: KillMySqlThreadsResponse.self)
        show(prepare, prepared.json)

        let commit = KillMySqlThreadsRequest.commit(
            prepared.content.SqlExecId, instance: Self.instance, product: .mysql)
        say("\nNobody ends sessions alone here. A Commit now is refused:\n")
        show(commit, try refusal(of: commit, by: client))

        say("\nAnother person, alice, looks at the plan (killd show):\n")
        let described = try client.call(
            "DescribeKillPlan", DescribeKillPlanRequest(SqlExecId: prepared.content.SqlExecId),
            response: DescribeKillPlanResponse.self)
        Terminal.standardOutput.write(ShowCommand.text(described.content.Plan))
        say("\nand approves of just that, by its digest:\n")
        let plan = described.content.Plan
        let approval = ApproveKillPlanRequest(PlanName: plan.PlanName, Digest: plan.Digest, Comment: "they can go")
        let approved = try approver.client(of: endpoint).call(
            "ApproveKillPlan", approval, response: ApproveKillPlanResponse.self)
        show(approval, approved.json)
        say("\nCommit, by ci again:\n")
        let committed = try client.call("KillMySqlThreads", commit, response: KillMySqlThreadsResponse.self)
        show(commit, committed.json)
        guard Set(committed.content.Threads) == Set(planned) else {
            throw CommandFailure("the planned sessions are not all reported as ended")
        }

        let gotItsLock = await sessions.waiterEnd.value
        try await showSessions("The sessions after", client)
        try await verify(sessions)
        say(
            """

            The planned sessions are dead, the \(sessions.bystanders.count) others answer, and the UPDATE that waited \
            for the lock \(gotItsLock ? "went through" : "failed").

            """)
        guard gotItsLock else { throw CommandFailure("the waiting UPDATE failed") }
        let history = try client.call(
            "DescribeKillPlans", DescribeKillPlansRequest(), response: DescribeKillPlansResponse.self)
        say("What is left of it (killd history):\n")
        say(HistoryCommand.table(history.content.Plans).text)

        try showHowToRepeat([prepare, commit], client, preparer, approver)
        if keep {
            say("\nServer and database keep running. Ctrl-C ends them and removes everything.")
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
        }
        await service.stop(within: .seconds(5))
    }

    /// Somebody with an account of the demo's killd.
    private struct Member {
        let name: String
        let secretID: String
        let secretKey: String

        init(_ name: String) throws {
            self.name = name
            secretID = "AKID\(name)"
            secretKey = try randomText(
                count: 32, alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        }

        func client(of endpoint: Endpoint) -> DBbrainClient {
            DBbrainClient(
                endpoint: endpoint, credentials: APICredentials(secretID: secretID, secretKey: Secret(secretKey)),
                region: "ap-guangzhou")
        }

        /// The account in the configuration.
        func account(_ uin: String, may rights: String) -> String {
            """
            { "name": "\(name)", "uin": "\(uin)", "secretId": "\(secretID)", "secretKey": "\(secretKey)",
                           "may": [\(rights)], "instances": ["*"] }
            """
        }

        /// What a shell is told to act as this account.
        var environment: String { "export TENCENTCLOUD_SECRET_ID=\(secretID) TENCENTCLOUD_SECRET_KEY=\(secretKey)" }
    }

    private static func configuration(_ preparer: Member, _ approver: Member, port: UInt16) -> String {
        """
        {
          "listen": "127.0.0.1:0",
          "accounts": [\(preparer.account("100000000001", may: #""list", "prepare", "commit""#)),
                       \(approver.account("100000000002", may: #""list", "approve""#))],
          "instances": [{ "id": "\(instance)", "name": "demo", "host": "127.0.0.1", "port": \(port), "user": "killd",
                          "password": "\(DemoSessions.password)", "tls": "disabled", "approvals": 1 }]
        }
        """
    }

    /// - Parameter sessions: those whose statements are to be seen running.
    private func showSessions(
        _ title: String, _ client: DBbrainClient, waitingFor sessions: DemoSessions? = nil
    ) async throws {
        let busy = sessions.map { [$0.report.threadID.description, $0.waiter.threadID.description] } ?? []
        for _ in 0..<100 {
            let response = try client.call(
                "DescribeMySqlProcessList",
                DescribeMySqlProcessListRequest(InstanceId: Self.instance, Limit: 100, Product: .mysql),
                response: DescribeMySqlProcessListResponse.self)
            let list = response.content.ProcessList.filter { $0.Command != "Daemon" }
            let running = Set(list.filter { $0.Command == "Query" }.map(\.ID))
            guard running.isSuperset(of: busy) else {
                try await Task.sleep(for: .milliseconds(100))
                continue
            }
            say("\n\(title):\n")
            Terminal.standardOutput.write(SessionsCommand.table(list).text)
            return
        }
        throw CommandFailure("the demo's sessions did not start their statements in time")
    }

    /// The response to a Commit that nobody has approved of.
    private func refusal(of commit: KillMySqlThreadsRequest, by client: DBbrainClient) throws -> String {
        do {
            _ = try client.call("KillMySqlThreads", commit, response: KillMySqlThreadsResponse.self)
        } catch let error as APIClientError {
            guard case .refused("OperationDenied", _, _, let response) = error.reason else { throw error }
            return response
        }
        throw CommandFailure("the Commit was not refused, though nobody had approved")
    }

    private func show(_ request: some Encodable, _ response: String) {
        let body = (try? DBbrainClient.body(of: request)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        say("  → \(body)\n  ← \(response)")
    }

    /// The dead are dead and the others answer.
    private func verify(_ sessions: DemoSessions) async throws {
        for connection in sessions.bystanders {
            let answer = try await connection.query("SELECT CONNECTION_ID()")
            guard answer.first?.rows == [[connection.threadID.description]] else {
                throw CommandFailure("session \(connection.threadID) does not answer as it should")
            }
        }
        for connection in [sessions.report, sessions.lockHolder] {
            do {
                _ = try await connection.query("SELECT 1")
            } catch {
                continue
            }
            throw CommandFailure("session \(connection.threadID) still answers")
        }
    }

    private func showHowToRepeat(
        _ requests: [KillMySqlThreadsRequest], _ client: DBbrainClient, _ preparer: Member, _ approver: Member
    ) throws {
        say(
            """
            The two requests of ci for curl, signed for the next five minutes (the server must still be there: --keep). \
            The first makes another plan:

            """)
        for request in requests {
            let body = try DBbrainClient.body(of: request)
            let call = try client.signed("KillMySqlThreads", body: body, timestamp: Int64(time(nil)))
            let options = call.headers.map { "-H '\($0): \($1)'" }.joined(separator: " ")
            say("curl \(client.endpoint) \(options) -d '\(String(decoding: body, as: UTF8.self))'\n")
        }
        let program = CommandLine.arguments.first ?? "killd"
        say(
            """
            Or with killd itself, as ci:

            \(preparer.environment)
            \(program) sessions --endpoint \(client.endpoint) --instance \(Self.instance)
            \(program) prepare --endpoint \(client.endpoint) --instance \(Self.instance) THREAD…
            \(program) show --endpoint \(client.endpoint) SQLEXECID
            \(program) commit --endpoint \(client.endpoint) --instance \(Self.instance) SQLEXECID

            and in between, as alice:

            \(approver.environment)
            \(program) approve --endpoint \(client.endpoint) PLAN
            """)
    }

    private func say(_ text: VisibleText) { Terminal.standardOutput.write("\(text)\n") }
}
