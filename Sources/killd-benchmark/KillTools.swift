import Foundation

/// killd against the programs that people end sessions with. Their time is that
/// of the whole process, its start and its login included: that is how they are used.
func killTools(_ killd: Killd, in folder: String) throws -> [Measurement] {
    try onEachServer("Prepare and Commit of 1000 idle sessions", goal: "–") { server in
        let service = try Killd.Server(
            killd, configuration: try Killd.configuration(in: folder, databasePort: server.port))
        defer { service.stop() }
        let client = try KillClient(service)
        return try [KillTool.admin, .ptKill].map { tool in
            let name = "Prepare and Commit of 1000 idle sessions, \(server.name)"
            do {
                let program = try tool.program(for: server)
                return try KillTurns(
                    5, of: 1_000, on: server, killd: { try client.kill($0) },
                    peer: { try program.time(toKill: $0, sentinel: "\(folder)/sentinel") }
                ).measurement(name, peer: "\(program.name), the whole process", goal: "–")
            } catch let reason as NotMeasured {
                return Measurement(name: name, killd: "\(reason)", goal: "–")
            }
        }
    }
}

private enum KillTool {
    case admin
    case ptKill

    func program(for server: TargetServer) throws -> KillProgram {
        let login = ["--host=127.0.0.1", "--port=\(server.port)", "--user=\(TargetServer.killer)"]
        switch (self, server.kind) {
        case (.ptKill, _):
            return KillProgram(
                name: "`pt-kill`, one pass", arguments: .ptKill,
                command: [try Self.path(of: "pt-kill", package: "percona-toolkit")] + login
                    + ["--password=\(TargetServer.password)"])
        case (.admin, .mariadb):
            return KillProgram(
                name: "`mariadb-admin kill id,id,…`", arguments: .threadIDs,
                command: [try Self.path(of: "mariadb-admin", package: "mariadb-client"), "--no-defaults"] + login)
        case (.admin, .mysql):
            let root = try TargetServer.mysqlRoot()
            // MariaDB's sends a command of the protocol that MySQL 9 does not know any more.
            guard FileManager.default.isExecutableFile(atPath: "\(root)/usr/bin/mysqladmin") else {
                throw NotMeasured("mysqladmin is missing in the tree KILLD_MYSQL_ROOT: install mysql-client-core there")
            }
            return KillProgram(
                name: "`mysqladmin kill id,id,…`", arguments: .threadIDs,
                command: [
                    try Self.path(of: "chroot", package: "coreutils"), root, "/usr/bin/mysqladmin", "--no-defaults",
                ] + login)
        }
    }

    private static func path(of program: String, package: String) throws -> String {
        do { return try find(program, package: package) } catch { throw NotMeasured("\(error)") }
    }
}

/// A program with what it needs to log in.
private struct KillProgram {
    enum Arguments {
        case threadIDs
        /// It finds its victims itself, by their user.
        case ptKill
    }

    let name: String
    let arguments: Arguments
    let command: [String]

    func time(toKill threads: [UInt], sentinel: String) throws -> Duration {
        let arguments: [String]
        switch self.arguments {
        case .threadIDs: arguments = ["kill", threads.map(String.init).joined(separator: ",")]
        case .ptKill:
            // It ends after the pass in which its sentinel appears. Were that left to --run-time, the process would
            // sleep for a second of its time.
            try? FileManager.default.removeItem(atPath: sentinel)
            arguments = [
                "--no-version-check", "--match-user", "^\(TargetServer.application)$", "--victims", "all", "--kill",
                "--interval", "0", "--sentinel", sentinel,
                "--filter", "$main::made ||= open(my $file, '>', '\(sentinel)')",
            ]
        }
        // Where pt-kill has it, on the command line, mysqladmin would warn of it.
        return try timedRun(
            command[0], command.dropFirst() + arguments, environment: ["MYSQL_PWD": TargetServer.password]
        ).time
    }
}
