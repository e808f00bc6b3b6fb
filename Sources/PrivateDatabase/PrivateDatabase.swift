import Glibc
import Synchronization

/// A database server of one's own: in a temporary folder, on the loopback
/// interface, with an empty password for `root`.
///
/// Every call may block for seconds. The server ends with this object at the
/// latest, and also when this process is killed.
public final class PrivateDatabase: Sendable {
    /// An administrator with an empty password, from this machine only.
    public static let rootUser = "root"

    public let port: UInt16
    /// Path of the server's Unix socket.
    public let socket: String
    /// The temporary folder that holds everything; the server's error log is `log` in it.
    public let folder: String

    private let commands: ServerCommands
    private let options: [String]
    private let environment: [String: String]
    private let readyWithin: Duration
    /// `nil` once stopped.
    private let processes: Mutex<Processes?>

    private struct Processes: ~Copyable {
        // Goes first, while the server, dead or alive, still has its number.
        let guardian: Guardian
        var server: ChildProcess
    }

    /// Makes a data directory and starts a server on it.
    ///
    /// - Parameters:
    ///   - options: further options of the server, e.g. `--performance-schema=ON`.
    ///   - environment: of the server, besides that of this process.
    ///   - readyWithin: for each of the two steps; a minute is ten times what a
    ///     small machine needs.
    /// - Throws: ``PrivateDatabaseError``; nothing is left behind then.
    public static func start(
        _ program: DatabaseProgram, options: [String] = [], environment: [String: String] = [:],
        readyWithin: Duration = .seconds(60)
    ) throws(PrivateDatabaseError) -> PrivateDatabase {
        try PrivateDatabase(program, options: options, environment: environment, readyWithin: readyWithin)
    }

    private init(
        _ program: DatabaseProgram, options: [String], environment: [String: String], readyWithin: Duration
    ) throws(PrivateDatabaseError) {
        folder = try makeTemporaryFolder(in: program.temporaryFolder)
        let guardian = try Guardian(of: folder)
        commands = try ServerCommands(for: program, folder: folder)
        socket = "\(folder)/socket"
        self.options = options
        self.environment = environment
        self.readyWithin = readyWithin
        try initialize(folder, with: commands, guardian, within: readyWithin)
        // Asked for this late, since others may be given the port as soon as it is free again.
        port = try Self.freePort()
        let server = try serve(
            commands.serve(port: port, options: options, environment: environment), in: folder, guardian,
            readyWithin: readyWithin)
        processes = Mutex(Processes(guardian: guardian, server: server))
    }

    deinit { stop() }

    /// Ends the server, waits until it is gone and removes its folder. Does
    /// nothing the second time.
    public func stop() {
        processes.withLock { processes in
            guard let running = processes.take() else { return }
            running.server.end()
        }
    }

    /// Ends the server and starts it again on the same data and the same port.
    ///
    /// If it does not come up again, it counts as stopped.
    ///
    /// - Parameter additional: options for this start alone.
    public func restart(additional: [String] = []) throws(PrivateDatabaseError) {
        try processes.withLock { (processes) throws(PrivateDatabaseError) in
            guard var running = processes.take() else { throw PrivateDatabaseError(.alreadyStopped) }
            running.server.end()
            try running.guardian.guardNothing()
            running.server = try serve(
                commands.serve(port: port, options: options + additional, environment: environment), in: folder,
                running.guardian, readyWithin: readyWithin)
            processes = consume running
        }
    }
}

private func initialize(
    _ folder: String, with commands: ServerCommands, _ guardian: borrowing Guardian, within limit: Duration
) throws(PrivateDatabaseError) {
    let log = "\(folder)/log"
    let process = try ChildProcess(commands.initialize, log: log)
    try guardian.guardGroup(of: process)
    guard process.succeeded(by: .now + limit) == true else {
        throw PrivateDatabaseError(.initializationFailed(log: endOfFile(log)))
    }
    try guardian.guardNothing()
}

private func serve(
    _ command: Command, in folder: String, _ guardian: borrowing Guardian, readyWithin limit: Duration
) throws(PrivateDatabaseError) -> ChildProcess {
    let log = "\(folder)/log"
    let socket = try UnixSocketPath("\(folder)/socket")
    let deadline = ContinuousClock.now + limit
    let process = try ChildProcess(command, log: log)
    try guardian.guardGroup(of: process)
    while try !serverGreets(at: socket, by: deadline) {
        if process.succeeded(by: .now) != nil { throw PrivateDatabaseError(.endedAtStart(log: endOfFile(log))) }
        if ContinuousClock.now >= deadline { throw PrivateDatabaseError(.notReadyInTime(log: endOfFile(log))) }
        pauseBetweenSnapshots()
    }
    return process
}

extension ChildProcess {
    /// Asks a server to end and gives it 20 seconds; the owner's end kills it otherwise.
    fileprivate func end() {
        send(SIGTERM)
        _ = succeeded(by: .now + .seconds(20))
    }
}
