import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Tencent's own clients, by the Python programs in `Clients`, each of which says in words what it did not expect.
final class OfficialClientTests: XCTestCase {
    func testThePythonSDKKillsInTwoStages() async throws {
        try await withOfficialClients { scene in
            for mode in [[], ["--gateway"]] {
                let victims = try await ClientSessions.open(2, on: scene.server)
                let ids = await victims.threadIDs.map(\.description)
                try await run("sdk_kill.py", mode + ["--threads"] + ids + ["4000000000", "--killed"] + ids, scene)
                await victims.assertNoneAnswers()
            }
        }
    }

    func testTheCommandLineClientKillsInTwoStages() async throws {
        try await withOfficialClients { scene in
            let victims = try await ClientSessions.open(2, on: scene.server)
            try await run("tccli_kill.py", ["--threads"] + victims.threadIDs.map(\.description), scene)
            await victims.assertNoneAnswers()
        }
    }

    func testThePythonSDKRaisesEveryErrorInBothLanguages() async throws {
        try await withOfficialClients { scene in
            let survivor = try await ClientSessions.open(1, on: scene.server)
            try await run("sdk_errors.py", ["--live-thread", survivor.threadIDs[0].description], scene)
            await survivor.assertAllAnswer()
        }
    }

    func testThePythonSDKMeetsTheRateLimit() async throws {
        try requireOfficialClients()
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.requestsPerSecond = nil
        let killd = try await KilldProcess.start(configuration)
        try await run("sdk_rate_limit.py", [], killd)
        try await killd.stop()
    }

    private static let python = ProcessInfo.processInfo.environment["KILLD_PYTHON"]

    private func requireOfficialClients() throws {
        try XCTSkipIf(Self.python == nil, "needs KILLD_PYTHON: a Python with the packages of Clients/requirements.txt")
    }

    private func withOfficialClients(_ body: (Scene) async throws -> Void) async throws {
        try requireOfficialClients()
        let configure = { (configuration: inout KilldConfiguration) in
            configuration.requestsPerSecond = nil
            configuration.accounts.append(.init(name: "reader"))
            configuration.accounts[1].may = ["list"]
        }
        try await withKilld(configure: configure, body)
    }

    private func run(_ program: String, _ arguments: [String], _ scene: Scene) async throws {
        try await run(program, arguments, scene.killd)
    }

    private func run(_ program: String, _ arguments: [String], _ killd: KilldProcess) async throws {
        var environment = try killd.credentials()
        if let reader = killd.configuration.accounts.last {
            environment["KILLD_UNAUTHORIZED_SECRET_ID"] = reader.secretId
            environment["KILLD_UNAUTHORIZED_SECRET_KEY"] = reader.secretKey
        }
        let path = try XCTUnwrap(Bundle.module.path(forResource: program, ofType: nil, inDirectory: "Clients"))
        let options = ["--endpoint", killd.endpoint, "--instance", "cdb-test"]
        let client = try await FinishedProgram.run(
            XCTUnwrap(Self.python), [path] + options + arguments, environment: environment)
        XCTAssertEqual(client.status, 0, "\(program): \(client.error)")
    }
}
