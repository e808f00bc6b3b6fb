import Foundation
import PrivateDatabase
import SessionKill
import Synchronization
import TestSupport
import XCTest

/// What killd's own commands make of responses that are changed or lost on the way, and of output that nobody can read.
final class CommandResponseTests: XCTestCase {
    func testAnswersThatAProxySendsChunkedAreRead() async throws {
        try await withVictim { scene, thread in
            let proxy = try TCPProxy(to: scene.killd.port, fromServer: { .forward(Self.chunked($0)) })
            let client = Client(scene.killd, port: proxy.port)
            let ticket = try await client.prepare(thread)
            let committed = try await client.run("commit", [ticket])
            XCTAssertEqual(committed.output, "Ended: \(thread)\n", committed.error)
            XCTAssertEqual(committed.status, 0)
            proxy.stop()
        }
    }

    func testACommitWhoseAnswerIsLostMayHaveBeenDoneAndIsSafeToRepeat() async throws {
        try await withVictim { scene, thread in
            let loses = Atomic(false)
            let proxy = try TCPProxy(
                to: scene.killd.port,
                fromServer: { loses.load(ordering: .acquiring) ? .cut : .forward($0) })
            let client = Client(scene.killd, port: proxy.port)
            let ticket = try await client.prepare(thread)
            loses.store(true, ordering: .releasing)
            let lost = try await client.run("commit", [ticket])
            XCTAssertEqual(lost.status, 1)
            XCTAssertEqual(lost.output, "")
            XCTAssertTrue(
                lost.error.hasSuffix(
                    """
                    ended the connection without an answer. The Commit may have been done. It is safe to repeat it, \
                    which ends each session once at most and tells what became of it: killd commit --instance \
                    cdb-test \(ticket)

                    """), lost.error)
            try await scene.assertGone([thread])
            let prepared = try await client.run("prepare", ["1"])
            XCTAssertTrue(prepared.error.contains("which ends nobody; it is safe to prepare again"), prepared.error)
            let listed = try await client.run("sessions", [])
            XCTAssertFalse(listed.error.contains("safe"), listed.error)

            loses.store(false, ordering: .releasing)
            let again = try await client.run("commit", [ticket])
            XCTAssertEqual(again.output, "Ended: \(thread)\n", again.error)
            XCTAssertEqual(again.status, 0)
            proxy.stop()
        }
    }

    func testRefusalsArePrintedAsTheyCameWhereThatIsWanted() async throws {
        let killd = try await KilldProcess.start(KilldConfiguration(port: PrivateDatabase.freePort()))
        let client = Client(killd, port: killd.port)
        for (command, words, code) in [
            ("commit", ["AEnnKexGijsX"], "ResourceNotFound"), ("prepare", ["1"], "FailedOperation"),
            ("sessions", [], "FailedOperation"), ("history", ["--secret-key", "x"], "AuthFailure.SignatureFailure"),
        ] {
            let refused = try await client.run(command, ["--json"] + words)
            XCTAssertEqual(refused.status, 1, command)
            XCTAssertTrue(refused.error.contains(code), "\(command): \(refused.error)")
            let answer = try JSONDecoder().decode([String: Refusal].self, from: Data(refused.output.utf8))
            XCTAssertEqual(answer["Response"]?.Error.Code, code, "\(command): \(refused.output)")
        }
        // The server's words, which are all that somebody at three in the morning has to go by.
        let unreachable = try await client.run("sessions", [])
        XCTAssertTrue(unreachable.error.contains("cannot be reached: connecting to 127.0.0.1:"), unreachable.error)
        try await killd.stop()
    }

    func testOutputThatCannotBeWrittenIsAFailure() async throws {
        for words in [["version"], ["--version"], ["--help"], ["commit", "--help"]] {
            let full = try await FinishedProgram.run(
                "/bin/sh", ["-c", #"exec "$0" "$@" > /dev/full"#, KilldProcess.path] + words)
            XCTAssertEqual(full.status, 1, "\(words)")
            XCTAssertTrue(full.error.contains("its output could not be written: No space left"), full.error)
            let whole = try await KilldProcess.run(words)
            XCTAssertEqual(whole.status, 0, "\(words)")
            XCTAssertNotEqual(whole.output, "", "\(words)")
        }
        let (process, output, error) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: KilldProcess.path)
        process.arguments = ["version"]
        (process.standardOutput, process.standardError) = (output, error)
        try output.fileHandleForReading.close()
        try process.run()
        process.waitUntilExit()
        XCTAssertEqual(process.terminationStatus, 1)
        let words = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        XCTAssertTrue(words.contains("its output could not be written: Broken pipe"), words)
    }

    // MARK: Tools

    private struct Refusal: Decodable {
        let Error: APIResponse.Failure
    }

    private struct Client {
        let killd: KilldProcess
        let port: UInt16

        init(_ killd: KilldProcess, port: UInt16) { (self.killd, self.port) = (killd, port) }

        func run(_ command: String, _ words: [String]) async throws -> FinishedProgram {
            try await KilldProcess.run(
                [command, "--endpoint", "http://127.0.0.1:\(port)", "--instance", "cdb-test"] + words,
                environment: killd.credentials())
        }

        /// - Returns: the SqlExecId.
        func prepare(_ thread: ThreadID) async throws -> String {
            let prepared = try await run("prepare", [thread.description])
            XCTAssertEqual(prepared.status, 0, prepared.error)
            return try XCTUnwrap(prepared.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
        }
    }

    private func withVictim(_ body: (Scene, ThreadID) async throws -> Void) async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        try await withKilld(KilldConfiguration(port: server.database.port), on: server) { scene in
            let victims = try await ClientSessions.open(1, on: server)
            let threads = await victims.threadIDs
            try await body(scene, threads[0])
            await victims.assertNoneAnswers()
        }
    }

    /// A response of killd's as a proxy might send it on, in two chunks and with a trailer.
    private static func chunked(_ bytes: [UInt8]) -> [UInt8] {
        guard let end = Data(bytes).range(of: Data("\r\n\r\n".utf8)) else { return bytes }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            .replacing(/Content-Length: [0-9]+/, with: "Transfer-Encoding: chunked")
        let body = Array(bytes[end.upperBound...])
        let parts = [body.prefix(body.count / 2), body.suffix(from: body.count / 2)]
        var message = Array("\(head)\r\n\r\n".utf8)
        for part in parts where !part.isEmpty {
            message += Array("\(String(part.count, radix: 16));part=1\r\n".utf8) + part + Array("\r\n".utf8)
        }
        return message + Array("0\r\nX-Proxy: yes\r\n\r\n".utf8)
    }
}
