import Foundation
import TestSupport
import XCTest

/// `killd stand-in` in a process of its own.
final class StandInProcess {
    let ready: Ready
    private let program: RunningProgram

    struct Ready: Decodable, Equatable {
        let ready: Bool
        let endpoint: String
        let das: String
        let control: String
        let secretId: String
        let secretKey: String
        let region: String
        let instance: String
        let loose: [String]?
    }

    /// Starts it and waits for its ready line.
    static func start(_ arguments: [String] = []) async throws -> StandInProcess {
        let program = try RunningProgram(KilldProcess.path, ["stand-in"] + arguments)
        try await eventually("the ready line") { try program.output.hasSuffix("\n") || !program.isRunning }
        return try StandInProcess(program)
    }

    private init(_ program: RunningProgram) throws {
        self.program = program
        let (output, error) = (try program.output, try program.error)
        ready = try XCTUnwrap(
            try? JSONDecoder().decode(Ready.self, from: Data(output.utf8)), "\(output)\(error)")
    }

    var output: String { get throws { try program.output } }
    var error: String { get throws { try program.error } }

    /// Ends it by a signal.
    ///
    /// - Returns: its exit status.
    func end(_ signal: Int32 = SIGTERM) async throws -> Int32 {
        program.send(signal)
        return try await program.end(within: .seconds(5))
    }

    /// The environment by which Tencent's tools, and killd's commands, know a key.
    func environment(key: String? = nil) -> [String: String] {
        ["TENCENTCLOUD_SECRET_ID": key ?? ready.secretId, "TENCENTCLOUD_SECRET_KEY": ready.secretKey]
    }

    /// Runs a command of killd's against it.
    func killd(_ command: String, _ arguments: [String], key: String? = nil) async throws -> FinishedProgram {
        try await FinishedProgram.run(
            KilldProcess.path, [command, "--endpoint", ready.endpoint] + arguments, environment: environment(key: key))
    }

    /// The ids of the sessions that a key is shown.
    func sessions(of instance: String, key: String? = nil) async throws -> Set<Int> {
        let listed = try await killd("sessions", ["--instance", instance, "--json"], key: key)
        XCTAssertEqual(listed.status, 0, listed.error)
        struct Answer: Decodable {
            let Response: Content
            struct Content: Decodable { let ProcessList: [Session] }
            struct Session: Decodable { let ID: String, User: String }
        }
        let answer = try JSONDecoder().decode(Answer.self, from: Data(listed.output.utf8))
        // Once killd has connected, it is there too.
        return Set(answer.Response.ProcessList.filter { $0.User != "killd" }.compactMap { Int($0.ID) })
    }
}
