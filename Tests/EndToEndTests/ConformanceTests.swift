import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// The official Python SDK in all its forms, and tccli, by `Clients/sdk_conformance.py`.
final class ConformanceTests: XCTestCase {
    /// How many combinations there are; fewer would mean that some were lost.
    private static let combinations = 1_926
    /// One for each client in each of its forms.
    private static let victims = 26

    func testTheOfficialClientsWorkInEveryCombination() async throws {
        try OfficialClients.require()
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.accounts.append(.init(name: "reader"))
        configuration.accounts[0].may.append("rule")
        configuration.accounts[1].may = ["list"]
        var limited = configuration
        limited.requestsPerSecond = nil
        let limitedKilld = try await KilldProcess.start(limited)
        try await withKilld(configuration, on: server) { scene in
            let victims = try await ClientSessions.open(Self.victims, on: server)
            let taskVictims = try await ClientSessions.open(4, on: server)
            for number in 0..<4 {
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
                    + taskVictims.threadIDs.map(\.description), scene)
            await victims.assertNoneAnswers()
            _ = try await survivors.run("SELECT 1", on: 0)
            let after = try await scene.sessions()
            XCTAssertTrue(surviving.allSatisfy(after.keys.contains))
            let ended = await taskVictims.threadIDs
            XCTAssertFalse(ended.contains(where: after.keys.contains))

            let summary = try XCTUnwrap(output.split(separator: "\n").last, output)
            print(summary)
            let numbers = summary.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
            XCTAssertEqual(numbers.count, 2, String(summary))
            XCTAssertEqual(numbers.first, numbers.last, String(summary))
            XCTAssertGreaterThanOrEqual(numbers.first ?? 0, Self.combinations)
        }
        try await limitedKilld.stop()
    }
}
