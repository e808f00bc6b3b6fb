import APIClient
import FoundationEssentials
import AuditTrail
import Glibc
import HTTPServer
import MySQLSessions
import SQLiteStore
import SessionKill
import TLS
import Webhooks

/// `killd check`: whether `killd serve` would work with a configuration.
struct CheckCommand: Command {
    static let name = "check"
    static let summary = "validates a configuration, connects to every instance and checks killd's rights there"
    static let usage = "--config FILE"
    static let options = [(spelling: "--config FILE", meaning: "the configuration")]

    private let file: String

    init(_ arguments: inout Arguments) throws {
        guard let file = try arguments.option("--config") else { throw UsageError("--config is needed") }
        self.file = file
    }

    func run() async throws -> ExitStatus {
        let configuration = try Configuration(file: file)
        Terminal.standardOutput.write(
            "\(file): \(configuration.accounts.count) account(s), \(configuration.instances.count) instance(s)\n")
        let warnings =
            (configuration.tls?.warnings ?? []).map { "tls: \($0)" }
            + configuration.exposedFiles.map(\.finding) + configuration.findings.map { "\($0.key): \($0.text)" }
        for warning in warnings { Terminal.standardOutput.write("  warning  \(warning)\n") }
        var isFit = true
        for problem in Self.problems(of: configuration) {
            isFit = false
            Terminal.standardOutput.write("  PROBLEM  \(problem)\n")
        }
        for finding in Self.findings(ofWebhooksIn: configuration) {
            Terminal.standardOutput.write("  \(finding)\n")
        }
        let servers = configuration.instances.flatMap { instance in
            [("\(instance.id) (\(instance.name))", instance.server)]
                + instance.nodes.map { ("\(instance.id)/\($0.id) (\(instance.name))", $0.server) }
        }
        for (title, configuration) in servers {
            let server = MySQLServer(configuration)
            Terminal.standardOutput.write("\n\(title)\n")
            for finding in await server.check(comparingConnections: true) {
                let mark =
                    switch finding.severity {
                    case .information: "ok     "
                    case .warning: "warning"
                    case .problem: "PROBLEM"
                    }
                if finding.severity == .problem { isFit = false }
                Terminal.standardOutput.write("  \(mark)  \(finding.description)\n")
            }
            await server.close()
        }
        return isFit ? .done : .failed
    }

    /// Whether their receivers can be reached, and what a killd that runs with this configuration says of them.
    ///
    /// None is a problem: killd works without.
    private static func findings(ofWebhooksIn configuration: Configuration) -> [VisibleText] {
        let targets = configuration.webhooks.targets
        guard !targets.isEmpty else { return [] }
        let listeners = configuration.listeners.map(\.address)
        let running = configuration.operationsListen.flatMap(WebhookReport.init(from:))
        return targets.flatMap { target -> [VisibleText] in
            var findings: [VisibleText] = []
            if let problem = WebhookExchange(to: target, listeners: { listeners }).findProblem() {
                findings.append("warning  webhook \(target.name): \(problem)")
            } else {
                findings.append("ok       webhook \(target.name): its receiver can be reached; nothing was sent")
            }
            if let problem = running?.problem(of: target.name) {
                findings.append("warning  webhook \(target.name): the killd that runs says: \(problem)")
            }
            return findings
        }
    }

    /// Why killd could not go on with the file of heads.
    private static func headsProblem(of configuration: Configuration) -> String? {
        guard let path = configuration.auditHeads, access(path, F_OK) == 0 else { return nil }
        do {
            guard access(path, W_OK) == 0 else {
                return "\(path) cannot be written: \(String(cString: strerror(errno)))"
            }
            guard let head = try HeadsFile.lastHead(in: path) else { return nil }
            return try SQLiteStore.standing(ofStoreAt: configuration.store, to: head).problem(with: head)
        } catch {
            return "\(error)"
        }
    }

    /// What would keep `killd serve` from starting on this machine. Nothing is
    /// created or changed.
    ///
    /// Where the store is in use killd runs already, with these addresses.
    private static func problems(of configuration: Configuration) -> [String] {
        var problems: [String] = []
        var isRunning = false
        do throws(StoreError) {
            isRunning = try SQLiteStore.standing(of: configuration.store) == .inUse
        } catch {
            problems.append("store: \(error.description)")
        }
        if let problem = headsProblem(of: configuration) { problems.append("auditHeads: \(problem)") }
        // All are held until the last is tried.
        var servers: [HTTPServer] = []
        for (key, address) in configuration.listeners {
            do throws(ListenError) {
                servers.append(
                    try HTTPServer(listen: address) { _ in .immediate(HTTPResponse(status: .serviceUnavailable)) })
            } catch {
                if error.reason == .inUse, isRunning { continue }
                problems.append("\(key): \(error.description)")
            }
        }
        return problems
    }
}

/// What `/readyz` of a killd that runs says of its webhooks.
private struct WebhookReport: Decodable {
    private struct Part: Decodable {
        let id: String
        let problem: String?
    }

    private let webhooks: [Part]?

    /// - Returns: nil if none answers there.
    init?(from address: ListenAddress) {
        guard let endpoint = Endpoint("http://\(address)") else { return nil }
        let request = "GET /readyz HTTP/1.1\r\nHost: \(endpoint.authority)\r\nConnection: close\r\n\r\n"
        guard
            let response = try? HTTPClient(endpoint: endpoint, timeout: 5).connect().exchange(Array(request.utf8)),
            let report = try? JSONDecoder().decode(WebhookReport.self, from: Data(response.body))
        else { return nil }
        self = report
    }

    func problem(of target: String) -> String? { webhooks?.first { $0.id == target }?.problem }
}
