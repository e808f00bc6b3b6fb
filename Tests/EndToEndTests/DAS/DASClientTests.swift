import Foundation
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Alibaba Cloud's own clients, by the Python programs in `Clients`, each of which says in words what it did not
/// expect.
final class DASClientTests: XCTestCase {
    func testTheSDKsListAndKillSessions() async throws {
        try OfficialClients.require()
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.das = KilldConfiguration.DAS()
        try await withKilld(configuration, on: server) { scene in
            let victims = try await ClientSessions.open(8, on: server, as: "app2")
            let last = try await ClientSessions.open(1, on: server, as: "app2")
            let threads = await victims.threadIDs.map(\.description)
            try await OfficialClients.runDAS(
                "das_sessions.py", ["--user", "killd", "--ignored-user", "app", "--threads"] + threads, scene.killd)
            await victims.assertNoneAnswers()
            await last.assertNoneAnswers()
            try await assertHoldsNoPassword(scene.killd)
        }
    }

    func testTheSDKsRaiseEveryErrorAsWhatItIs() async throws {
        try OfficialClients.require()
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.das = KilldConfiguration.DAS()
        configuration.requestsPerSecond = nil
        configuration.accounts.append(.init(name: "reader"))
        configuration.accounts[1].may = ["list"]
        try await withKilld(configuration, on: server) { scene in
            let before = try await scene.killsRun()
            try await OfficialClients.runDAS("das_errors.py", [], scene.killd)
            try await scene.assertKillsRun(0, since: before)
            let log = try await scene.killd.wholeLog()
            XCTAssertFalse(log.contains("hunter2"))
            XCTAssertFalse(log.contains("/?"), "a request target is in the log")
        }
    }

    private func assertHoldsNoPassword(_ killd: KilldProcess) async throws {
        let log = try await killd.wholeLog()
        let store = Data(try killd.storeBytes())
        for trace in RealServer.passwordTraces {
            XCTAssertFalse(log.contains(trace), trace)
            XCTAssertNil(store.range(of: Data(trace.utf8)), trace)
        }
    }
}

extension OfficialClients {
    /// - Returns: what the program printed.
    @discardableResult
    static func runDAS(_ program: String, _ arguments: [String], _ killd: KilldProcess) async throws -> String {
        let account = try XCTUnwrap(killd.configuration.accounts.first)
        var environment = [
            "ALIBABA_CLOUD_ACCESS_KEY_ID": account.secretId, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": account.secretKey,
            "KILLD_DATABASE_PASSWORD": RealServer.password,
        ]
        if let reader = killd.configuration.accounts.last {
            environment["KILLD_UNAUTHORIZED_ACCESS_KEY_ID"] = reader.secretId
            environment["KILLD_UNAUTHORIZED_ACCESS_KEY_SECRET"] = reader.secretKey
        }
        let options = ["--endpoint", killd.dasEndpoint, "--instance", "cdb-test"]
        return try await run(program, options + arguments, environment)
    }

    /// Runs a program that speaks to both listeners, with the keys of the first account.
    static func runForBoth(_ program: String, _ killd: KilldProcess) async throws {
        let account = try XCTUnwrap(killd.configuration.accounts.first)
        let environment = try killd.credentials().merging([
            "ALIBABA_CLOUD_ACCESS_KEY_ID": account.secretId, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": account.secretKey,
        ]) { $1 }
        try await run(
            program, ["--dbbrain", killd.endpoint, "--das", killd.dasEndpoint, "--instance", "cdb-test"], environment)
    }
}
