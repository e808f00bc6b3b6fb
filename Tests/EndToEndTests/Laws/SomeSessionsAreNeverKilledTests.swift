import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Law 4: replication on a source and its replica: without it there is no telling what these threads look like.
final class SomeSessionsAreNeverKilledTests: XCTestCase {
    func testTheDumpToAReplicaSurvivesItsPlan() async throws {
        try await onEveryReplication { pair in
            try await withKilld(KilldConfiguration(port: pair.source.database.port), on: pair.source) { scene in
                var dumps: [ThreadID: Thread] = [:]
                try await eventually("the dump thread") {
                    dumps = try await scene.threads().filter { $0.value.command.hasPrefix("Binlog Dump") }
                    return dumps.count == 1
                }
                try await assertSpared(dumps, scene)
                try await pair.assertReplicates(1)
            }
        }
    }

    func testTheThreadsOfAReplicaSurviveTheirPlan() async throws {
        try await onEveryReplication { pair in
            try await withKilld(KilldConfiguration(port: pair.replica.database.port), on: pair.replica) { scene in
                // The one that fetches, the one that applies or hands out, and two that apply.
                let threads = try await scene.threads().filter { $0.value.user == "system user" }
                XCTAssertGreaterThanOrEqual(threads.count, 4, "\(threads)")
                try await assertSpared(threads, scene)
                try await pair.assertReplicates(2)
            }
        }
    }

    func testATaskWithoutConditionsSparesBothEndsOfAReplication() async throws {
        try await onEveryReplication { pair in
            for server in [pair.source, pair.replica] {
                try await withTasks(
                    on: server,
                    configure: { configuration in
                        configuration.instances[0].protectedUsers = ["app", PrivateDatabase.rootUser]
                    }
                ) { scene in
                    let killsBefore = try await scene.killsRun()
                    try scene.create("")
                    for _ in 0..<2 { try await scene.assertEnded(try await scene.open()) }
                    try scene.cancel()
                    // The two, and whom other tests have left: nobody else was in a plan.
                    let plans = try XCTUnwrap(scene.client.call("DescribeKillPlans", members: "").Plans)
                    let planned = plans.map(\.ThreadCount).reduce(0, +)
                    XCTAssertGreaterThanOrEqual(planned, 2)
                    func count(_ outcome: String) -> Int { plans.compactMap { $0.Outcomes[outcome] }.reduce(0, +) }
                    // Whoever was about to leave may be gone before the KILL.
                    XCTAssertEqual(count("killed") + count("gone"), planned, "\(plans)")
                    XCTAssertGreaterThanOrEqual(count("killed"), 2, "\(plans)")
                    try await scene.assertKillsRun(count("killed"), since: killsBefore)
                }
            }
            try await pair.assertReplicates(3)
        }
    }

    /// Checks that a Commit of these threads, of killd's connections, of the event scheduler and of two sessions ends
    /// the sessions only.
    private func assertSpared(_ threads: [ThreadID: Thread], _ scene: Scene) async throws {
        let (victims, planned) = try await scene.openTwo()
        // Makes sure that killd has a connection.
        _ = try scene.client.prepare(planned)
        let others = try await scene.threads().filter { ["killd", "event_scheduler"].contains($0.value.user) }
        XCTAssertEqual(Set(others.values.map(\.user)), ["killd", "event_scheduler"])
        let spared = threads.merging(others) { first, _ in first }

        let killsBefore = try await scene.killsRun()
        let ticket = try scene.client.prepare(Array(spared.keys) + planned).ticket()
        XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
        try await scene.assertKillsRun(planned.count, since: killsBefore)
        await victims.assertNoneAnswers()
        let after = try await scene.threads()
        XCTAssertEqual(after.filter { spared[$0.key] != nil }.mapValues(\.user), spared.mapValues(\.user))
    }

    private func onEveryReplication(_ body: (Replication) async throws -> Void) async throws {
        try await onEveryServer(from: { try Replication.shared($0).source }) { source in
            let pair = try Replication.shared(source.kind)
            try await pair.start()
            try await body(pair)
        }
    }
}

private struct Thread {
    let user: String
    let command: String
}

extension Scene {
    fileprivate func threads() async throws -> [ThreadID: Thread] {
        let rows = try await administrator.query("SHOW PROCESSLIST").first?.rows ?? []
        return rows.reduce(into: [:]) { threads, row in
            guard let id = row[0].flatMap({ UInt64($0) }).flatMap({ ThreadID($0) }) else { return }
            threads[id] = Thread(user: row[1] ?? "", command: row[4] ?? "")
        }
    }
}
