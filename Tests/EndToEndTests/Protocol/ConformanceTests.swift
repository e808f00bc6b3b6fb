import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// The official Python SDK in all its forms, and tccli, by `Clients/sdk_conformance.py`.
final class ConformanceTests: XCTestCase {
    func testTheOfficialClientsWorkInEveryCombination() async throws {
        // One victim for each client in each of its forms. Fewer combinations would mean that some were lost.
        try await assertClientsWork(inCombinations: 1_926, victims: 26, taskVictims: 4, certificates: nil)
    }

    /// Without tccli, which trusts no authority of ours.
    func testTheOfficialClientsWorkInEveryCombinationOverHTTPS() async throws {
        try await assertClientsWork(
            inCombinations: 1_906, victims: 25, taskVictims: 3, certificates: try TestCertificates())
    }

    private func assertClientsWork(
        inCombinations expected: Int, victims victimCount: Int, taskVictims taskVictimCount: Int,
        certificates: TestCertificates?
    ) async throws {
        try OfficialClients.require()
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.accounts.append(.init(name: "reader"))
        configuration.accounts[0].may.append("rule")
        configuration.accounts[1].may = ["list"]
        for index in configuration.accounts.indices { configuration.accounts[index].unsignedPayload = true }
        configuration.tls = certificates.map { .init($0.server) }
        var limited = configuration
        limited.requestsPerSecond = nil
        let limitedKilld = try await KilldProcess.start(limited)
        try await withKilld(configuration, on: server) { scene in
            let victims = try await ClientSessions.open(victimCount, on: server)
            let taskVictims = try await ClientSessions.open(taskVictimCount, on: server)
            for number in 0..<taskVictimCount {
                try await taskVictims.send("SELECT SLEEP(600) /* doomed \(number) */", on: number)
            }
            let survivors = try await ClientSessions.open(3, on: server)
            try await survivors.send("SELECT SLEEP(600) /* c+d~中文 */", on: 1)
            try await survivors.send("/* p = 7351 , f=abd */ SELECT SLEEP(600)", on: 2)
            let surviving = await survivors.threadIDs
            let output = try await OfficialClients.run(
                "sdk_conformance.py",
                [
                    "--limited-endpoint", limitedKilld.endpoint, "--live-thread", "\(surviving[0])",
                    "--sleeping-thread", "\(surviving[1])", "--victims",
                ] + victims.threadIDs.map(\.description) + ["--task-victims"]
                    + taskVictims.threadIDs.map(\.description), scene,
                trusting: certificates?.authority.certificate)
            await victims.assertNoneAnswers()
            _ = try await survivors.run("SELECT 1", on: 0)
            let after = try await scene.sessions()
            XCTAssertTrue(surviving.allSatisfy(after.keys.contains))
            let ended = await taskVictims.threadIDs
            XCTAssertFalse(ended.contains(where: after.keys.contains))
            // A statement that sleeps outlives its client, and the next run would find it.
            for id in surviving { try await scene.administrator.query("KILL \(id)") }

            let summary = try XCTUnwrap(output.split(separator: "\n").last, output)
            print(summary)
            let numbers = summary.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
            XCTAssertEqual(numbers.count, 2, String(summary))
            XCTAssertEqual(numbers.first, numbers.last, String(summary))
            XCTAssertGreaterThanOrEqual(numbers.first ?? 0, expected)
        }
        try await limitedKilld.stop()
    }
}
