import Glibc

/// The server that a private database runs.
public enum DatabaseProgram: Hashable, Sendable {
    /// The machine's MariaDB.
    case mariadb
    /// The MySQL of a Debian tree in this folder, run in a chroot: needs root.
    case mysql(root: String)
}

/// The commands that make and run one server. Its folder holds `data`, `socket` and `log`.
struct ServerCommands {
    let initialize: Command
    private let serve: Command

    /// - Parameter environment: of the server, besides that of this process.
    func serve(port: UInt16, options: [String], environment: [String: String]) -> Command {
        let options = ["--bind-address=127.0.0.1", "--port=\(port)"] + options
        guard !environment.isEmpty else { return Command(path: serve.path, arguments: serve.arguments + options) }
        let variables = ["/usr/bin/env"] + environment.map { "\($0)=\($1)" }
        // Right before the server itself, which in a chroot is found by another path.
        let program = [serve.path] + serve.arguments
        let words = program.prefix(wordsBeforeServer) + variables + program.dropFirst(wordsBeforeServer) + options
        return Command(path: words[0], arguments: Array(words.dropFirst()))
    }

    /// Those that enter a chroot.
    private let wordsBeforeServer: Int

    init(for program: DatabaseProgram, folder: String) throws(PrivateDatabaseError) {
        // As root, both servers start only when told so.
        let user = geteuid() == 0 ? ["--user=root"] : []
        switch program {
        case .mariadb:
            wordsBeforeServer = 0
            // At its start a server deletes all temporary tables of its tmpdir, those of other servers too.
            let data =
                [
                    "--datadir=\(folder)/data", "--tmpdir=\(folder)", "--innodb-buffer-pool-size=16M",
                    "--innodb-log-file-size=4M",
                ] + user
            initialize = Command(
                path: try Self.find("mariadb-install-db", package: "mariadb-server-core mariadb-client-core"),
                // --force: without it the script refuses a machine whose own name has no address, which is of no
                // interest here. Without the test database the anonymous users stay away too, who would catch every
                // login from localhost that names a user for any host.
                arguments: ["--no-defaults", "--force", "--auth-root-authentication-method=normal", "--skip-test-db"]
                    + data)
            serve = Command(
                path: try Self.find("mariadbd", package: "mariadb-server-core mariadb-client-core"),
                arguments: ["--no-defaults", "--socket=\(folder)/socket", "--pid-file=\(folder)/pid", "--skip-log-bin"]
                    + data)
        case .mysql(let root):
            wordsBeforeServer = 2
            let inside = String(folder.dropFirst(root.count))
            let data = [
                "--datadir=\(inside)/data", "--tmpdir=\(inside)", "--innodb-buffer-pool-size=16M",
                "--innodb-redo-log-capacity=8M",
            ]
            let chroot = try Self.find("chroot", package: "coreutils")
            initialize = Command(
                path: chroot,
                arguments: [root, "/usr/sbin/mysqld", "--no-defaults", "--initialize-insecure"] + data + user)
            serve = Command(
                path: chroot,
                arguments: [
                    root, "/usr/sbin/mysqld", "--no-defaults", "--socket=\(inside)/socket", "--pid-file=\(inside)/pid",
                    // The default directory of secure_file_priv need not exist, and without it 9.7 does not start.
                    "--secure-file-priv=", "--mysqlx=0", "--skip-log-bin",
                ] + data + user)
        }
    }

    /// An ordinary user's PATH lacks the folders where Debian keeps servers.
    private static func find(_ program: String, package: String) throws(PrivateDatabaseError) -> String {
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/local/sbin", "/usr/sbin", "/usr/bin"]
        let places: [String] = folders.map { "\($0)/\(program)" }
        guard let found = places.first(where: { access($0, X_OK) == 0 }) else {
            throw PrivateDatabaseError(.programMissing(program, package: package))
        }
        return found
    }
}
