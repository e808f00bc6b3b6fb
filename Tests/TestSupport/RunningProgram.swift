import Foundation
import XCTest

/// A program started by a test. At its owner's end it is killed.
public final class RunningProgram {
    private let process = Process()
    private let folder: TestFolder

    /// Starts a program, without standard input.
    ///
    /// - Parameter environment: variables besides this process's own.
    public init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        folder = try TestFolder()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        // Files rather than pipes: a pipe that nobody reads stops the program once it is full.
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.write(Data(), to: "output")))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.write(Data(), to: "error")))
        try process.run()
    }

    deinit {
        guard process.isRunning else { return }
        send(SIGKILL)
        process.waitUntilExit()
    }

    public var processIdentifier: pid_t { process.processIdentifier }
    public var isRunning: Bool { process.isRunning }

    /// What the program has printed so far.
    public var output: String { get throws { try folder.text(of: "output") } }
    public var error: String { get throws { try folder.text(of: "error") } }

    public func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits until the program has ended.
    ///
    /// - Returns: its exit status; the test fails if a signal ended it, and after a minute.
    public func end(
        within limit: Duration = .seconds(60), file: StaticString = #filePath, line: UInt = #line
    ) async throws -> Int32 {
        try await eventually("the end of the program", within: limit, file: file, line: line) { !process.isRunning }
        guard !process.isRunning else { throw ProgramError("still running: \(try output)\n\(try error)") }
        guard process.terminationReason == .exit else {
            throw ProgramError("ended by signal \(process.terminationStatus): \(try error)")
        }
        return process.terminationStatus
    }
}

/// A program that has ended.
public struct FinishedProgram {
    public let status: Int32
    public let output: String
    public let error: String

    /// Runs a program to its end.
    public static func run(
        _ path: String, _ arguments: [String], environment: [String: String] = [:],
        within limit: Duration = .seconds(60), file: StaticString = #filePath, line: UInt = #line
    ) async throws -> FinishedProgram {
        let program = try RunningProgram(path, arguments, environment: environment)
        let status = try await program.end(within: limit, file: file, line: line)
        return FinishedProgram(status: status, output: try program.output, error: try program.error)
    }
}

public struct ProgramError: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
