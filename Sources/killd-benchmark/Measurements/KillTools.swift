import Foundation

/// killd against the programs that people end sessions with. Their time is that
/// of the whole process, its start and its login included: that is how they are used.
func killTools(_ killd: Killd, in folder: String) throws -> [Measurement] {
    try onEachServer("Prepare and Commit of 1000 idle sessions", goal: "–") { server in
        let service = try Killd.Server(
            killd, configuration: try Killd.configuration(in: folder, databasePort: server.port))
        defer { service.stop() }
        let client = try KillClient(service)
        return try KillTool.allCases.map { tool in
            let name = "Prepare and Commit of 1000 idle sessions, \(server.name)"
            do {
                let path = try tool.path
                return try KillTurns(
                    5, of: 1_000, on: server, killd: { try client.kill($0) },
                    peer: { threads in
                        let arguments = tool.arguments(toKill: threads, on: server, in: folder)
                        return try timedRun(path, arguments).time
                    }
                ).measurement(name, peer: "\(tool.rawValue), the whole process", goal: "–")
            } catch let reason as NotMeasured {
                return Measurement(name: name, killd: "\(reason)", peer: tool.rawValue, goal: "–")
            }
        }
    }
}

private enum KillTool: String, CaseIterable {
    case admin = "`mariadb-admin kill id,id,…`"
    /// Finds its victims itself, by their user.
    case ptKill = "`pt-kill`, one pass"

    var path: String {
        get throws {
            do {
                return switch self {
                case .admin: try find("mariadb-admin", package: "mariadb-client")
                case .ptKill: try find("pt-kill", package: "percona-toolkit")
                }
            } catch {
                throw NotMeasured("\(error)")
            }
        }
    }

    func arguments(toKill threads: [UInt], on server: TargetServer, in folder: String) -> [String] {
        let login = [
            "--host=127.0.0.1", "--port=\(server.port)", "--user=\(TargetServer.killer)",
            "--password=\(TargetServer.password)",
        ]
        switch self {
        case .admin:
            return ["--no-defaults"] + login + ["kill", threads.map(String.init).joined(separator: ",")]
        case .ptKill:
            // It ends after the pass in which its sentinel appears. Were that left to --run-time, the process would
            // sleep for a second of its time.
            let sentinel = "\(folder)/sentinel"
            try? FileManager.default.removeItem(atPath: sentinel)
            return login + [
                "--no-version-check", "--match-user", "^\(TargetServer.application)$", "--victims", "all", "--kill",
                "--interval", "0", "--sentinel", sentinel,
                "--filter", "$main::made ||= open(my $file, '>', '\(sentinel)')",
            ]
        }
    }
}
