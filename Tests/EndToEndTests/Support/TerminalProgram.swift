import Foundation
import Glibc
import TestSupport
import XCTest

/// A program whose standard input and standard error are a terminal. At its owner's end it is killed.
final class TerminalProgram {
    private let process = Process()
    private let folder: TestFolder
    private let terminal: Int32
    private var shownBytes: [UInt8] = []

    init(_ path: String, _ arguments: [String], environment: [String: String]) throws {
        folder = try TestFolder()
        var (controller, worker): (Int32, Int32) = (-1, -1)
        guard openpty(&controller, &worker, nil, nil, nil) == 0 else { throw POSIXError(.ENXIO) }
        terminal = controller
        _ = fcntl(controller, F_SETFL, O_NONBLOCK)
        _ = fcntl(controller, F_SETFD, FD_CLOEXEC)
        let end = FileHandle(fileDescriptor: worker, closeOnDealloc: true)
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = end
        process.standardError = end
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.write(Data(), to: "output")))
        try process.run()
    }

    deinit {
        if process.isRunning {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        close(terminal)
    }

    /// What the terminal has shown so far, what was typed included.
    var shown: String {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(terminal, &buffer, buffer.count)
            guard count > 0 else { break }
            shownBytes += buffer[..<count]
        }
        return String(decoding: shownBytes, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
    }

    /// What it has printed so far.
    var output: String { get throws { try folder.text(of: "output") } }

    /// Types a line once the terminal shows `question` at its end.
    func answer(_ question: String, with line: String) async throws {
        try await eventually(question) { self.shown.hasSuffix(question) || !self.process.isRunning }
        XCTAssertTrue(shown.hasSuffix(question), shown)
        let bytes = Array("\(line)\n".utf8)
        XCTAssertEqual(write(terminal, bytes, bytes.count), bytes.count)
    }

    /// Waits until the program has ended.
    func end() async throws -> Int32 {
        try await eventually("the end of the program") {
            _ = self.shown
            return !self.process.isRunning
        }
        return process.isRunning ? -1 : process.terminationStatus
    }
}
