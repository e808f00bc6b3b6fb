import Foundation
import TestSupport
import XCTest

/// A test suite with a stand-in, in XCTest: killd's commands are the client, since Tencent has no SDK for Swift.
final class ExampleTests: XCTestCase {
    private struct StandIn: Decodable { let endpoint, secretId, secretKey, instance: String }
    private var process = Process()

    override func tearDown() { if process.isRunning { process.terminate() } }

    private func start() throws -> StandIn {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: KilldProcess.path)
        process.arguments = ["stand-in"]
        process.standardOutput = output
        try process.run()
        return try JSONDecoder().decode(StandIn.self, from: output.fileHandleForReading.availableData)
    }

    func testAnIdleSessionIsEnded() async throws {
        let standIn = try start()
        let arguments = ["--endpoint", standIn.endpoint, "--secret-id", "\(standIn.secretId)-idle"]
        let key = ["TENCENTCLOUD_SECRET_KEY": standIn.secretKey]
        let prepared = try await KilldProcess.run(
            ["prepare", "--instance", standIn.instance, "1041", "--json"] + arguments, environment: key)
        let ticket = try XCTUnwrap(prepared.output.firstMatch(of: /"SqlExecId":"(\w+)"/)?.1, prepared.error)
        let killed = try await KilldProcess.run(
            ["commit", "--instance", standIn.instance, "\(ticket)", "--json"] + arguments, environment: key)
        XCTAssertTrue(killed.output.contains("\"Threads\":[1041]"), killed.output + killed.error)
    }

    /// As the page shows it.
    func testTheExampleOfPytest() async throws {
        try OfficialClients.require()
        let python = try OfficialClients.interpreter()
        let found = try await FinishedProgram.run(python, ["-c", "import pytest"])
        try XCTSkipIf(found.status != 0, "needs pytest, of Clients/requirements.txt")
        let folder = try TestFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("killd"), withDestinationPath: KilldProcess.path)
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Examples/test_kill.py").path
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let run = try await FinishedProgram.run(
            python, ["-m", "pytest", "-p", "no:cacheprovider", file],
            environment: ["PATH": "\(folder.path):\(path)", "PYTHONDONTWRITEBYTECODE": "1"])
        XCTAssertEqual(run.status, 0, run.output + run.error)
    }
}
