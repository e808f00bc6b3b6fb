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
            Terminal.standardOutput.write("  warning  tls: \(warning.printable)\n")
        }
        var isFit = true
        for instance in configuration.instances {
            let server = MySQLServer(instance.server)
            Terminal.standardOutput.write("\n\(instance.id) (\(instance.name))\n")
            for finding in await server.check() {
                let mark =
                    switch finding.severity {
                    case .information: "ok     "
                    case .warning: "warning"
                    case .problem: "PROBLEM"
                    }
                if finding.severity == .problem { isFit = false }
                Terminal.standardOutput.write("  \(mark)  \(finding.description.printable)\n")
            }
            await server.close()
        }
        return isFit ? .done : .failed
    }
}
