import Foundation
import MySQLSessions
import SessionKill
import Synchronization
import XCTest

/// A seekdb of one's own: the SQL kernel of OceanBase as a server of one process.
///
/// It is no cluster: it has no tenants, no second server, none of the views
/// that begin with `GV$`, and no proxy before it. What it says of sessions,
/// KILL, locks and transactions is what an OceanBase of its version (4.3.5)
/// says.
///
/// It listens on every address that there is and has something to report to
/// its makers, so it runs in a network namespace without a way out, into which
/// only ``port`` leads.
public final class SeekDB: Sendable {
    /// On the loopback interface; the server knows itself by the same number.
    public var port: UInt16 { relay.port }

    private let programs: String
    private let folder: TestFolder
    private let namespace: NetworkNamespace
    private let relay: TCPProxy
    /// `nil` while it is stopped.
    private let program = Mutex<RunningProgram?>(nil)

    /// The server that tests of one process share; ends with the process.
    ///
    /// - Throws: `XCTSkip` in words if this machine lacks what it needs.
    public static func shared() async throws -> SeekDB { try await sharedServer.value }

    private static let sharedServer = Task { try await start() }

    /// Starts a server with the accounts `killd` (what killd needs and no more),
    /// `app` and `app2` (all rights in the database `d`).
    public static func start() async throws -> SeekDB {
        guard let programs = ProcessInfo.processInfo.environment["KILLD_SEEKDB"] else {
            throw XCTSkip("OceanBase: needs KILLD_SEEKDB (a folder with the program seekdb and its libaio)")
        }
        let server = try await SeekDB(programs: programs)
        try await server.run()
        try await server.createAccounts()
        return server
    }

    private init(programs: String) async throws {
        self.programs = programs
        folder = try TestFolder()
        namespace = try await NetworkNamespace()
        relay = try TCPProxy(to: 0, inside: namespace)
        relay.redirect(to: relay.port)
    }

    deinit { program.withLock { $0 = nil } }

    private var data: String { folder.file("data") }

    /// Runs the server as `$$`, and where this process does not get to end it, ends it and removes what it left.
    ///
    /// Whoever started the server hears of its end when nobody has the descriptors any more that it was given.
    private static let script = """
        parent=$1 folder=$2; shift 2
        (for descriptor in /proc/$BASHPID/fd/*; do
        descriptor=${descriptor##*/}; if ((descriptor > 2)); then eval "exec $descriptor>&-"; fi
        done
        while kill -0 "$parent" && kill -0 $$; do sleep 1; done
        kill -0 "$parent" || { kill -KILL $$; rm -rf -- "$folder"; }) >/dev/null 2>&1 &
        exec "$@"
        """

    private func run() async throws {
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        let command = namespace.command([
            "/bin/bash", "-c", Self.script, "bash", "\(getpid())", folder.path, "\(programs)/seekdb", "--nodaemon",
            "--port", "\(port)", "--base-dir", data, "--parameter", "datafile_size=1G",
            "--parameter", "datafile_maxsize=2G", "--parameter", "log_disk_size=2G",
        ])
        try program.withLock { program in
            program = try RunningProgram(
                command[0], Array(command.dropFirst()),
                environment: ["LD_LIBRARY_PATH": programs, "TELEMETRY_ENABLED": "false"])
        }
        try await eventually("seekdb lets root in", pause: .milliseconds(50), within: .seconds(60)) {
            if let output = try program.withLock({ $0?.isRunning == false ? try $0?.output : nil }) {
                throw ProgramError("seekdb ended: \(output)")
            }
            guard let root = try? await administrator() else { return false }
            // So long that killd prepares plans for it.
            let uptime = try? await root.query(
                "SELECT UNIX_TIMESTAMP()-MAX(START_SERVICE_TIME) DIV 1000000>=2 FROM oceanbase.V$OB_SERVER_STAT")
            await root.close()
            return uptime?.first?.rows.first?.first == "1"
        }
    }

    /// Ends the server as a crash does and starts it again on the same data, with its ids from the beginning.
    public func restart() async throws {
        program.withLock { $0 = nil }
        try await run()
    }

    public func configuration(user: String = "killd") -> MySQLServerConfiguration {
        MySQLServerConfiguration(
            address: .tcp(host: "127.0.0.1", port: port, tls: .disabled), user: user,
            password: DatabasePassword(RealServer.password))
    }

    /// A connection as root.
    public func administrator() async throws -> MySQLConnection {
        try await MySQLConnection.open(
            MySQLServerConfiguration(
                address: .unixSocket(path: "\(data)/run/sql.sock"), user: "root", password: DatabasePassword(""),
                deadlines: .ofPreparation))
    }

    private func createAccounts() async throws {
        let root = try await administrator()
        try await root.query("CREATE DATABASE d")
        for user in ["killd", "app", "app2"] { try await root.query(RealServer.creation(of: user)) }
        try await root.query("GRANT PROCESS, SUPER ON *.* TO killd")
        for view in [
            "V$OB_SERVER_STAT", "V$OB_TRANSACTION_SCHEDULERS", "__all_virtual_trans_stat", "V$OB_LOCKS",
        ] {
            try await root.query("GRANT SELECT ON oceanbase.\(view) TO killd")
        }
        try await root.query("GRANT ALL ON d.* TO app; GRANT ALL ON d.* TO app2")
        await root.close()
    }

    /// Whether a client has sent the server these words.
    public func wasSent(_ words: String) -> Bool {
        String(decoding: relay.fromClients, as: UTF8.self).contains(words)
    }
}
