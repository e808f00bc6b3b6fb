import MySQLSessions
import SessionKill
import Synchronization
import TestSupport
import XCTest

/// Law 5: however often a plan is committed: the server's log shows one KILL for each session.
final class OnceTests: XCTestCase {
    func testOfManyCommitsAtOnceTheServerSeesOne() async throws {
        try await withKilld { scene in
            try await StatementLog.watch(scene) { log in
                let victims = try await ClientSessions.open(3, on: scene.server)
                let planned = await victims.threadIDs
                let ticket = try scene.client.prepare(planned).ticket()
                let pending = try (0..<32).map { _ in try scene.client.sendCommit(ticket) }
                for answer in pending { XCTAssertEqual(try answer.wait().Threads, planned) }
                try await log.assertOneKillEach(planned)
                await victims.assertNoneAnswers()
            }
        }
    }

    func testManyPlansForTheSameSessionsEndEachOnce() async throws {
        try await withKilld { scene in
            try await StatementLog.watch(scene) { log in
                let (victims, planned) = try await scene.openTwo()
                let tickets = try (0..<16).map { _ in try scene.client.prepare(planned).ticket() }
                let first = try scene.client.commit(tickets[0])
                XCTAssertEqual(first.Threads, planned)
                // The others find nobody there any more, and say so.
                let pending = try tickets.dropFirst().map { try scene.client.sendCommit($0) }
                for answer in pending { XCTAssertEqual(try answer.wait().Threads, []) }
                try await log.assertOneKillEach(planned)
                await victims.assertNoneAnswers()
            }
        }
    }

    func testThePythonSDKThatSendsItsCommitThreeTimesKillsOnce() async throws {
        try await withOfficialClients { scene in
            try await StatementLog.watch(scene) { log in
                let (victims, planned) = try await scene.openTwo()
                // killd gets the first Commit, and the client no response.
                let first = FirstTime()
                let proxy = try TCPProxy(
                    to: scene.killd.port,
                    fromClient: { bytes in
                        bytes.firstRange(of: Array("Commit".utf8)) != nil && first.isNow
                            ? .forwardAndCut(bytes) : .forward(bytes)
                    })
                let arguments = ["--lossy-endpoint", "http://127.0.0.1:\(proxy.port)", "--threads"]
                try await OfficialClients.run("sdk_retry.py", arguments + planned.map(\.description), scene)
                proxy.stop()
                try await log.assertOneKillEach(planned)
                await victims.assertNoneAnswers()
            }
        }
    }

    private final class FirstTime: Sendable {
        private let hasBeen = Atomic(false)
        var isNow: Bool { !hasBeen.exchange(true, ordering: .sequentiallyConsistent) }
    }
}
