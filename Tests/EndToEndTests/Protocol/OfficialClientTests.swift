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
                let arguments = mode + ["--threads"] + ids + ["4000000000", "--killed"] + ids
                try await OfficialClients.run("sdk_kill.py", arguments, scene)
                await victims.assertNoneAnswers()
            }
        }
    }

    func testTheCommandLineClientKillsInTwoStages() async throws {
        try await withOfficialClients { scene in
            let victims = try await ClientSessions.open(2, on: scene.server)
            try await OfficialClients.run("tccli_kill.py", ["--threads"] + victims.threadIDs.map(\.description), scene)
            await victims.assertNoneAnswers()
        }
    }

    func testThePythonSDKCreatesAndCancelsATask() async throws {
        try OfficialClients.require()
        try await withTasks { scene in
            try await OfficialClients.run("sdk_task.py", ["--user", "nobody"], scene)
        }
    }

    func testThePythonSDKRaisesEveryErrorInBothLanguages() async throws {
        try await withOfficialClients { scene in
            let survivor = try await ClientSessions.open(1, on: scene.server)
            try await OfficialClients.run("sdk_errors.py", ["--live-thread", survivor.threadIDs[0].description], scene)
            await survivor.assertAllAnswer()
        }
    }

    func testThePythonSDKMeetsTheRateLimit() async throws {
        try OfficialClients.require()
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.requestsPerSecond = nil
        let killd = try await KilldProcess.start(configuration)
        try await OfficialClients.run("sdk_rate_limit.py", [], killd)
        try await killd.stop()
    }
}
