import Foundation
import XCTest

/// `killd serve` in a process of its own, with its configuration and its store in a temporary folder.
public final class KilldProcess {
    /// The program that was built together with the tests.
    public static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("killd").path

    public let configuration: KilldConfiguration
    /// The port on which it listens; another one after each start.
    public private(set) var port: UInt16 = 0

    private let folder: TestFolder
    private var program: RunningProgram?

    /// Starts killd and waits for its ready line.
    public static func start(_ configuration: KilldConfiguration) async throws -> KilldProcess {
        let killd = try KilldProcess(configuration)
        try await killd.start()
        return killd
    }

    private init(_ configuration: KilldConfiguration) throws {
        self.configuration = configuration
        folder = try TestFolder()
        try folder.write(JSONEncoder().encode(configuration), to: "killd.json")
    }

    /// Where its store is.
    public var storeFile: String {
        configuration.store.hasPrefix("/") ? configuration.store : folder.file(configuration.store)
    }

    /// Where its configuration stands.
    public var configurationFile: String { folder.file("killd.json") }

    /// As its ready line names it.
    public private(set) var endpoint = ""

    /// The environment variables by which clients know the first account of the configuration.
    public func credentials() throws -> [String: String] {
        let account = try XCTUnwrap(configuration.accounts.first)
        return ["TENCENTCLOUD_SECRET_ID": account.secretId, "TENCENTCLOUD_SECRET_KEY": account.secretKey]
    }

    /// Starts killd again, on the same store.
    public func start() async throws {
        // Ignored here, it is ignored in killd too: a write beyond `ulimit -f` then fails instead of ending it.
        let program = try RunningProgram(
            "/bin/sh", ["-c", #"trap '' XFSZ; exec "$@""#, "sh", Self.path, "serve", "--config", configurationFile])
        self.program = program
        endpoint = try await Self.endpoint(of: program)
        port = try XCTUnwrap(endpoint.split(separator: ":").last.flatMap { UInt16($0) }, endpoint)
    }

    /// Waits for the ready line of a `killd serve` and returns the endpoint that it names.
    public static func endpoint(of program: RunningProgram) async throws -> String {
        try await eventually("the ready line") { try program.output.hasSuffix("\n") || !program.isRunning }
        struct Ready: Decodable {
            let ready: Bool
            let endpoint: String
        }
        guard let ready = try? JSONDecoder().decode(Ready.self, from: Data(program.output.utf8)), ready.ready else {
            throw ProgramError("killd is not ready: \(try program.output)\n\(try program.error)")
        }
        return ready.endpoint
    }

    /// Everything in its store, the part not yet moved into the database included.
    public func storeBytes() throws -> [UInt8] {
        try ["killd.sqlite", "killd.sqlite-wal"].flatMap { name in
            Array(try Data(contentsOf: URL(fileURLWithPath: folder.file(name))))
        }
    }

    /// What it logged since its last start.
    public var log: String { get throws { try running.error } }

    public func send(_ signal: Int32) throws { try running.send(signal) }

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
        let log = try log
        XCTAssertEqual(status, 0, log, file: file, line: line)
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
