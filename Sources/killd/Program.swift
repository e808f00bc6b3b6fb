import APIClient
import Glibc

/// The commands, in the order in which `killd --help` lists them.
private let commands: [any (Command & Sendable).Type] = [
    ServeCommand.self, DemoCommand.self, StandInCommand.self, InitCommand.self, CheckCommand.self,
    SessionsCommand.self, PrepareCommand.self, PlansCommand.self, ShowCommand.self, WaitCommand.self,
    ApproveCommand.self, RejectCommand.self, CancelCommand.self, CommitCommand.self, HistoryCommand.self,
    AuditCommand.self, ContractCommand.self, VersionCommand.self,
]

@main
struct Program {
    static func main() async {
        // A client that hangs up must not end the process: OpenSSL and libmysqlclient write without MSG_NOSIGNAL.
        signal(SIGPIPE, SIG_IGN)
        // A store that may not grow any more (ulimit -f) is an error to answer, not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        // Not exit(): OpenSSL's exit handler frees what a thread that is still connecting to a database uses.
        // Nothing is lost, since Terminal keeps no buffer.
        _exit(reportLostOutput(await run(Array(CommandLine.arguments.dropFirst()))).rawValue)
    }

    /// Whoever reads the output must not take a part of it for all.
    private static func reportLostOutput(_ status: ExitStatus) -> ExitStatus {
        guard let failure = Terminal.standardOutput.failure else { return status }
        Terminal.standardError.write("killd: the command ran, but its output could not be written: \(failure)\n")
        return status == .done ? .failed : status
    }

    static func run(_ words: [String]) async -> ExitStatus {
        guard let first = words.first else {
            Terminal.standardError.write(overview)
            return .wrongUsage
        }
        if ["--help", "-h", "help"].contains(first) {
            Terminal.standardOutput.write(overview)
            return .done
        }
        let name = first == "--version" ? VersionCommand.name : first
        guard let command = commands.first(where: { $0.name == name }) else {
            Terminal.standardError.write("killd: there is no command \"\(name)\"\nTry: killd --help\n")
            return .wrongUsage
        }
        do {
            var arguments = Arguments(Array(words.dropFirst()))
            if arguments.flag("--help") || arguments.flag("-h") {
                Terminal.standardOutput.write(command.help)
                return .done
            }
            let ready = try command.init(&arguments)
            try arguments.refuseTheRest()
            return try await ready.run()
        } catch let error as UsageError {
            Terminal.standardError.write("killd \(name): \(error.text)\nTry: killd \(name) --help\n")
            return .wrongUsage
        } catch let error as APIClientError {
            Terminal.standardError.write("killd \(name): \(CommandFailure(error).text)\n")
            return .failed
        } catch let error as CommandFailure {
            Terminal.standardError.write("killd \(name): \(error.text)\n")
            return .failed
        } catch {
            Terminal.standardError.write("killd \(name): \(error)\n")
            return .failed
        }
    }

    private static var overview: VisibleText {
        var text = "killd ends MySQL sessions in two stages and speaks Tencent Cloud's DBbrain API.\n\nCommands:\n"
        let width = commands.map { $0.name.width }.max() ?? 0
        for command in commands {
            text += "  killd \(command.name.padded(to: width))  \(command.summary)\n"
        }
        return VisibleText(trusted: text + "\nkilld COMMAND --help tells more about one of them.\n")
    }
}
