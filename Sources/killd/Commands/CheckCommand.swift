import MySQLSessions
import TLS

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
        for warning in configuration.tls?.warnings ?? [] {
            Terminal.standardOutput.write("  warning  tls: \(warning)\n")
        }
        for file in configuration.exposedFiles {
            Terminal.standardOutput.write("  warning  \(file.finding)\n")
        }
        var isFit = true
        let servers = configuration.instances.flatMap { instance in
            [("\(instance.id) (\(instance.name))", instance.server)]
                + instance.nodes.map { ("\(instance.id)/\($0.id) (\(instance.name))", $0.server) }
        }
        for (title, configuration) in servers {
            let server = MySQLServer(configuration)
            Terminal.standardOutput.write("\n\(title)\n")
            for finding in await server.check() {
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
}
