import Foundation
import XCTest

/// `killd serve` in a process of its own, with its configuration and its store in a temporary folder.
public final class KilldProcess {
    /// The program that was built together with the tests, or that of the environment variable `KILLD_PROGRAM`.
    public static let path =
        ProcessInfo.processInfo.environment["KILLD_PROGRAM"]
        ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("killd").path

    public private(set) var configuration: KilldConfiguration
    /// The port on which it listens; another one after each start.
    public private(set) var port: UInt16 = 0
    /// The port for clients of DAS; 0 without one.
    public private(set) var dasPort: UInt16 = 0
    /// The port of the operations listener; 0 without one.
    public private(set) var operationsPort: UInt16 = 0

    private let folder: TestFolder
    private let environment: [String: String]
    private var program: RunningProgram?

    /// Starts killd and waits for its ready line.
    public static func start(
        _ configuration: KilldConfiguration, environment: [String: String] = [:]
    ) async throws -> KilldProcess {
        let killd = try KilldProcess(configuration, environment)
        try await killd.start()
        return killd
    }

    private init(_ configuration: KilldConfiguration, _ environment: [String: String]) throws {
        self.configuration = configuration
        self.environment = environment
        folder = try TestFolder()
        try write(configuration)
    }

    private func write(_ configuration: KilldConfiguration) throws {
        try folder.write(JSONEncoder().encode(configuration), to: "killd.json")
    }

    /// Changes the configuration and has killd read it again.
    public func reload(_ change: (inout KilldConfiguration) -> Void) async throws {
        change(&configuration)
        try write(configuration)
        try await hangUp(expecting: "configuration reloaded")
    }

    /// Has killd read a configuration that it refuses, and then puts back the one before.
    ///
    /// - Returns: what it logged.
    public func reloadInVain(_ configuration: Data) async throws -> String {
        try folder.write(configuration, to: "killd.json")
        let before = try log
        try await hangUp(expecting: "configuration not reloaded")
        try write(self.configuration)
        return String(try log.dropFirst(before.count))
    }

    private func hangUp(expecting words: String) async throws {
        let count = try log.ranges(of: words).count
        try send(SIGHUP)
        try await eventually("\"\(words)\" in the log") { try self.log.ranges(of: words).count > count }
    }

    /// Where its store is.
    public var storeFile: String {
        configuration.store.hasPrefix("/") ? configuration.store : folder.file(configuration.store)
    }

    /// Where its configuration stands.
    public var configurationFile: String { folder.file("killd.json") }

    /// As its ready line names it.
    public private(set) var endpoint = ""
    /// As its ready line names it; empty without one.
    public private(set) var dasEndpoint = ""

    /// The environment variables by which clients know the first account of the configuration.
    public func credentials() throws -> [String: String] {
        let account = try XCTUnwrap(configuration.accounts.first)
        return ["TENCENTCLOUD_SECRET_ID": account.secretId, "TENCENTCLOUD_SECRET_KEY": account.secretKey]
    }

    /// Starts killd again, on the same store.
    public func start() async throws {
        // Ignored here, it is ignored in killd too: a write beyond `ulimit -f` then fails instead of ending it.
        let program = try RunningProgram(
            "/bin/sh", ["-c", #"trap '' XFSZ; exec "$@""#, "sh", Self.path, "serve", "--config", configurationFile],
            environment: environment)
        self.program = program
        let ready = try await Self.readyLine(of: program)
        endpoint = ready.endpoint
        port = try Self.port(of: endpoint)
        dasEndpoint = ready.das ?? ""
        dasPort = try ready.das.map { try Self.port(of: $0) } ?? 0
        operationsPort = try ready.operations.map { try Self.port(of: $0) } ?? 0
    }

    private static func port(of endpoint: String) throws -> UInt16 {
        try XCTUnwrap(endpoint.split(separator: ":").last.flatMap { UInt16($0) }, endpoint)
    }

    private struct Ready: Decodable {
        let ready: Bool
        let endpoint: String
        let das: String?
        let operations: String?
    }

    /// Waits for the ready line of a `killd serve` and returns the endpoint that it names.
    public static func endpoint(of program: RunningProgram) async throws -> String {
        try await readyLine(of: program).endpoint
    }

    private static func readyLine(of program: RunningProgram) async throws -> Ready {
        try await eventually("the ready line") { try program.output.hasSuffix("\n") || !program.isRunning }
        guard let ready = try? JSONDecoder().decode(Ready.self, from: Data(program.output.utf8)), ready.ready else {
            throw ProgramError("killd is not ready: \(try program.output)\n\(try program.error)")
        }
        return ready
    }

    /// Everything in its store, the part not yet moved into the database included.
    public func storeBytes() throws -> [UInt8] {
        try ["killd.sqlite", "killd.sqlite-wal"].flatMap { name in
            Array(try Data(contentsOf: URL(fileURLWithPath: folder.file(name))))
        }
    }

    /// What it logged since its last start.
    public var log: String { get throws { try running.error } }

    /// What it logged until its end.
    public private(set) var lastLog = ""

    public func send(_ signal: Int32) throws { try running.send(signal) }

    public var processIdentifier: pid_t { get throws { try running.processIdentifier } }

    /// The numbers of its threads that have this name.
    func threads(named name: String) throws -> [String] {
        let folder = "/proc/\(try running.processIdentifier)/task"
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { thread in
            // A thread may end while this is read.
            (try? String(contentsOfFile: "\(folder)/\(thread)/comm", encoding: .utf8)) == name + "\n"
        }
    }

    /// Ends killd as a service manager does, and checks that it ends with status 0; does nothing if the test has
    /// ended it already.
    public func stop(file: StaticString = #filePath, line: UInt = #line) async throws {
        guard program != nil else { return }
        try send(SIGTERM)
        try await assertEndsWell(file: file, line: line)
    }

    /// Waits for killd's end and checks that its status is 0.
    public func assertEndsWell(file: StaticString = #filePath, line: UInt = #line) async throws {
        let status = try await running.end(file: file, line: line)
        lastLog = try log
        XCTAssertEqual(status, 0, lastLog, file: file, line: line)
        program = nil
    }

    /// Ends killd as a power failure does.
    public func kill() { program = nil }

    /// From now on no file can be written: every write fails as on a full disk, with another error number.
    public func refuseWrites() async throws { try await limitFileSize("0") }

    public func allowWrites() async throws { try await limitFileSize("unlimited") }

    private func limitFileSize(_ limit: String) async throws {
        let change = try await FinishedProgram.run(
            "/usr/bin/prlimit", ["--pid", "\(running.processIdentifier)", "--fsize=\(limit):unlimited"])
        guard change.status == 0 else { throw ProgramError("prlimit: \(change.error)") }
    }

    private var running: RunningProgram {
        get throws {
            guard let program else { throw ProgramError("killd was stopped before") }
            return program
        }
    }

    /// Runs a command of killd to its end.
    public static func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> FinishedProgram {
        try await FinishedProgram.run(path, arguments, environment: environment)
    }
}
