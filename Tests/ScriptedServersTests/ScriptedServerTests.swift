import Foundation
import ScriptedServers
import SessionKill
import TestSupport
import XCTest

/// What a scripted server shows and answers, as time goes on.
final class ScriptedServerTests: XCTestCase {
    private func session(_ id: ThreadID, of scene: Scene) async throws -> Session? {
        try await scene.server.sessions().first { $0.id == id }
    }

    // MARK: Sessions

    func testWhoWaitedForAKilledSessionGoesOnAndOthersWait() async throws {
        let scene = try await Scene("locks")
        let plan = try await scene.prepare([61])
        let details = try XCTUnwrap(plan.content.threads[0].session?.details)
        XCTAssertEqual(details.freedSessions, 2)
        XCTAssertEqual(Set(details.wantedLocks.map(\.lock.kind)), [.row, .metadata])
        XCTAssertEqual(plan.content.impact?.unexplainedWaiters, 1)
        let report = try await scene.commit(plan)
        XCTAssertEqual(report.outcomes, [61: .killed])
        for id in [62, 63] as [ThreadID] {
            let details = try await session(id, of: scene)?.details
            XCTAssertEqual(details?.command, "Sleep")
            XCTAssertNil(details?.transaction)
        }
        let left = try await session(68, of: scene)?.details
        XCTAssertEqual(left?.transaction?.state, "LOCK WAIT", "nobody's prepared transaction keeps its lock")
    }

    func testAStatementIsAnotherInEachList() async throws {
        let scene = try await Scene("between-the-stages")
        var seen: [String?] = []
        for _ in 0..<4 {
            seen.append(try await scene.server.list().sessions.first { $0.id == 58 }?.details.statement)
        }
        XCTAssertEqual(seen, ["SELECT 1", "SELECT 2", "SELECT 3", "SELECT 1"])
    }

    func testTimesGoOnWithTheClock() async throws {
        let scene = try await Scene("rolls-back")
        scene.time.advance(by: .seconds(10))
        let details = try await session(41, of: scene)?.details
        XCTAssertEqual(details?.seconds, 910)
        XCTAssertEqual(details?.transaction?.age, 910)
    }

    func testARollbackGoesOnAfterTheCommitAndIsOverInTime() async throws {
        let scene = try await Scene("rolls-back")
        let report = try await scene.run([41, 42])
        guard case .rollingBack(let rows)? = report.outcomes[41] else { return XCTFail("\(report.outcomes)") }
        XCTAssertTrue((100_000..<120_000).contains(rows), "\(rows)")
        XCTAssertEqual(report.outcomes[42], .killed)
        let rolling = try await session(41, of: scene)?.details
        XCTAssertEqual(rolling?.command, "Killed")
        XCTAssertEqual(rolling?.transaction?.state, "ROLLING BACK")
        scene.time.advance(by: .seconds(60))
        let left = try await scene.server.sessions().map(\.id)
        XCTAssertTrue(left.contains(43) && !left.contains(41))
    }

    /// MySQL takes it off the list at once; its thread, locks and transaction are there until all is undone.
    func testASleepingSessionIsOffTheListOfMySQLWhileItIsRolledBackAndOnThatOfMariaDB() async throws {
        for (kind, isListed) in [("mysql", false), ("mariadb", true)] {
            let seed = try Seed(
                json: Array(
                    """
                    {"instances":[{"id":"x","kind":"\(kind)","sessions":[{"id":21,"user":"app",
                    "behaviour":{"rollsBack":{"seconds":30,"rows":9}}}]}]}
                    """.utf8))
            let scene = try await Scene(seed)
            let (present, list) = try await scene.server.withConnection { connection in
                let sessions = try await connection.observe(.sessions).sessions
                let victim = try XCTUnwrap(sessions.first { $0.id == 21 }).identity
                _ = await connection.kill([victim])
                return (
                    try await connection.present(among: [victim]),
                    try await connection.observe(.transactions).sessions.map(\.id)
                )
            }
            XCTAssertEqual(present, [21], kind)
            XCTAssertEqual(list.contains(21), isListed, kind)
        }
    }

    func testWhoIsHandedToAnotherUserIsTheSameThreadAndANewConnectionIsAnother() async throws {
        let scene = try await Scene("between-the-stages")
        let before = try await scene.server.observe(.locks).sessions
        let after = try await scene.server.withConnection { try await $0.observe(.locks).sessions }
        func identity(_ id: ThreadID, _ list: [Session]) throws -> SessionIdentity {
            try XCTUnwrap(list.first { $0.id == id }).identity
        }
        XCTAssertEqual(try identity(52, after).user, "payroll")
        XCTAssertEqual(
            try identity(52, before).performanceSchemaThreadID, try identity(52, after).performanceSchemaThreadID)
        XCTAssertNotEqual(
            try identity(53, before).performanceSchemaThreadID, try identity(53, after).performanceSchemaThreadID)
        XCTAssertEqual(try identity(53, after).host, "10.0.0.9:40022")
    }

    func testAServerSessionOfAnODPEndsAndItsSessionLives() async throws {
        let scene = try await Scene("odp")
        let plan = try await scene.prepare(.serverSessions([ServerSessionName(thread: 101, serverSession: 2)]))
        let report = try await scene.commit(plan)
        XCTAssertEqual(report.outcomes, [101: .killed])
        let found = try await session(101, of: scene)
        let session = try XCTUnwrap(found)
        let held = try await scene.server.withConnection { try await $0.serverSessions(of: session.identity) }
        XCTAssertEqual(held?.map(\.id), [1])
        // By the id of a connection, the session itself.
        let whole = try await scene.run([3_221_487_619])
        XCTAssertEqual(whole.outcomes, [104: .killed])
    }

    // MARK: Servers

    func testItsIdsBeginAgainWhenItIsRestartedAndAnotherServerHasAnotherName() async throws {
        for (instance, reason) in [("cdb-restarts", StaleReason.serverRestarted), ("cdb-fails-over", .anotherServer)] {
            let scene = try await Scene("restarts", instance)
            let plan = try await scene.prepare([21, 22])
            let before = try await scene.server.observe(.server)
            let error = try await assertThrows(KillError.self) { try await scene.commit(plan) }
            XCTAssertEqual(error, .stale(reason, afterInterruption: false))
            let after = try await scene.server.observe(.sessions)
            XCTAssertEqual(after.sessions.map(\.identity.user), ["payroll", "killd"])
            XCTAssertEqual(before.fingerprint.difference(from: after.fingerprint), reason)
            XCTAssertEqual(before.fingerprint.uniqueID == after.fingerprint.uniqueID, reason == .serverRestarted)
            XCTAssertLessThan(
                try XCTUnwrap(after.fingerprint.connectionCount), try XCTUnwrap(before.fingerprint.connectionCount) + 1)
        }
    }

    func testAServerThatHangsIsGivenUpAtTheDeadlineOfARealClient() async throws {
        let scene = try await Scene("connections", "cdb-hangs")
        let plan = try await scene.prepare([21])
        var begin = scene.time.now
        var error = try await assertThrows(ServerError.self) { try await scene.commit(plan) }
        XCTAssertEqual(error.reason, .timedOut)
        XCTAssertEqual(scene.time.now.milliseconds - begin.milliseconds, 10_000)
        begin = scene.time.now
        // A new connection is not to be had either.
        error = try await assertThrows(ServerError.self) { try await scene.commit(plan) }
        XCTAssertEqual(error.reason, .timedOut)
        XCTAssertEqual(scene.time.now.milliseconds - begin.milliseconds, 5_000)
    }

    func testAServerThatIsSlowAnswersInTheEnd() async throws {
        let scene = try await Scene("connections", "cdb-slow")
        let plan = try await scene.prepare([21])
        let begin = scene.time.now
        let report = try await scene.commit(plan)
        XCTAssertEqual(report.outcomes, [21: .killed])
        XCTAssertEqual(scene.time.now.milliseconds - begin.milliseconds, 4_000)
    }

    func testAFaultOfSomeCallsIsOverAfterThem() async throws {
        let scene = try await Scene("connections", "cdb-full")
        for _ in 0..<2 {
            let error = try await assertThrows(ServerError.self) { try await scene.prepare([21]) }
            XCTAssertEqual(error.reason, .tooManyConnections)
            XCTAssertEqual(error.code, 1_040)
        }
        let report = try await scene.run([21])
        XCTAssertEqual(report.outcomes, [21: .killed])
    }

    func testAConnectionThatIsLostAfterTheKillsLosesTheAnswersOnly() async throws {
        let scene = try await Scene("connections", "cdb-lost-after")
        let report = try await scene.run([21])
        XCTAssertEqual(report.outcomes, [21: .unknown])
        let left = try await scene.server.sessions().map(\.id)
        XCTAssertFalse(left.contains(21))
        XCTAssertTrue(left.contains(22))
        let before = try await Scene("connections", "cdb-lost-before")
        let spared = try await before.run([21])
        XCTAssertEqual(spared.outcomes, [21: .failed(.connectionBroke)])
        let alive = try await before.server.sessions().map(\.id)
        XCTAssertTrue(alive.contains(21))
        // Once only.
        let again = try await before.run([21])
        XCTAssertEqual(again.outcomes, [21: .killed])
    }

    func testServersOfOneInstanceAreToldApart() async throws {
        let scene = try await Scene("nodes")
        XCTAssertEqual(scene.servers.keys.sorted(), ["pc-standin", "pc-standin/pi-reader"])
        let own = try await XCTUnwrap(scene.servers["pc-standin"]).observe(.sessions)
        let node = try await XCTUnwrap(scene.servers["pc-standin/pi-reader"]).observe(.sessions)
        XCTAssertEqual(own.fingerprint.difference(from: node.fingerprint), .anotherServer)
        XCTAssertEqual(node.sessions.map(\.identity.user), ["report", "killd"])
    }

    // MARK: Connections

    func testKilldsOwnConnectionsAreListedAndToldApart() async throws {
        let scene = try await Scene("dies")
        let first = try await scene.server.observe(.sessions)
        XCTAssertEqual(first.ownThreadIDs, [24])
        XCTAssertEqual(first.sessions.first { $0.id == 24 }?.details.statement, "SHOW FULL PROCESSLIST")
        let (one, other) = try await scene.server.withConnection { one in
            try await scene.server.withConnection { other in
                (try await one.observe(.server).connection, try await other.observe(.server).connection)
            }
        }
        XCTAssertEqual(one, first.connection)
        XCTAssertNotEqual(one, other)
        let preferred = try await scene.server.withConnection(preferring: other) {
            try await $0.observe(.server).connection
        }
        XCTAssertEqual(preferred, other)
    }

    func testWhoComesBehindFourConnectionsWaitsForOneOrGivesUp() async throws {
        let scene = try await Scene("dies")
        let server = try scene.server
        let begin = scene.time.now
        let error = try await server.withConnection { _ in
            try await server.withConnection { _ in
                try await server.withConnection { _ in
                    try await server.withConnection { _ in
                        try await assertThrows(ServerError.self) { try await server.observe(.server) }
                    }
                }
            }
        }
        XCTAssertEqual(error.reason, .timedOut)
        XCTAssertEqual(scene.time.now.milliseconds - begin.milliseconds, 10_000)
        let later = try await server.observe(.server)
        XCTAssertEqual(later.ownThreadIDs.count, 4)
    }

    func testOnlyAUserOfTheSeedWithHisPasswordIsLetIn() async throws {
        let scene = try await Scene("logins", "rm-standin")
        for (user, password) in [("dba", "wrong"), ("nobody", "kills-nobody"), ("DBA", "kills-nobody")] {
            let login = try DatabaseLogin(user: user, password: DatabasePassword(password))
            let error = try await assertThrows(ServerError.self) {
                try await scene.server.withConnection(as: login) { _ in }
            }
            XCTAssertEqual(error.reason, .loginRefused)
            XCTAssertEqual(error.code, 1_045)
            XCTAssertFalse("\(error)".contains(password), "\(error)")
        }
        let login = try DatabaseLogin(user: "app", password: DatabasePassword("kills-nobody"))
        let own = try await scene.server.observe(.sessions).sessions
        let responses = try await scene.server.withConnection(as: login) { connection in
            await connection.kill(own.filter { [21, 22].contains($0.id) }.map(\.identity))
        }
        XCTAssertEqual(responses, [.accepted(by: .threadID), .notFound])
    }

    // MARK: Scenes

    func testEqualSeedsMakeEqualScenes() async throws {
        var seen: [ServerObservation] = []
        for _ in 0..<2 {
            let scene = try await Scene(Seed.standard())
            _ = try await scene.run([1041, 1060])
            seen.append(try await scene.server.observe(.locks))
        }
        XCTAssertEqual(seen[0], seen[1])
    }

    func testASceneGoesOnFromWhereItWasKept() async throws {
        let scene = try await Scene("rolls-back")
        _ = try await scene.run([41])
        let kept = try await JSONEncoder().encode(scene.server.state)
        let state = try JSONDecoder().decode(ScriptedServerState.self, from: kept)
        let restored = ScriptedServer(state, clock: scene.time.clock)
        let own: Set<ThreadID> = [44, 45, 46, 47]
        func clients(_ server: ScriptedServer) async -> [Session] {
            await server.sessions().filter { !own.contains($0.id) }
        }
        var (before, after) = (try await clients(scene.server), await clients(restored))
        XCTAssertEqual(before, after)
        XCTAssertEqual(after.first { $0.id == 41 }?.details.command, "Killed")
        scene.time.advance(by: .seconds(60))
        (before, after) = (try await clients(scene.server), await clients(restored))
        XCTAssertEqual(before, after)
        XCTAssertFalse(after.contains { $0.id == 41 })
        let observation = try await restored.observe(.sessions)
        let first = try await scene.server.observe(.server).fingerprint
        XCTAssertNil(first.difference(from: observation.fingerprint))
    }

    /// A scene that was kept is a file like any other: whatever numbers stand in it, nothing ends the process.
    func testWhateverNumbersAKeptSceneHoldsItIsRefusedOrShown() async throws {
        let scene = try await Scene("rolls-back")
        _ = try await scene.run([41])
        let text = String(decoding: try await JSONEncoder().encode(scene.server.state), as: UTF8.self)
        let numbers = text.matches(of: /[:,\[](-?\d+)/)
        XCTAssertGreaterThan(numbers.count, 60)
        var taken = 0
        for number in numbers {
            for replacement in ["0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615"] {
                var forged = text
                forged.replaceSubrange(number.1.startIndex..<number.1.endIndex, with: replacement)
                guard let state = try? JSONDecoder().decode(ScriptedServerState.self, from: Data(forged.utf8)) else {
                    continue
                }
                taken += 1
                let server = ScriptedServer(state, clock: SceneClock().clock)
                _ = try? await server.withConnection { connection in
                    let sessions = try await connection.observe(.locks).sessions.map(\.identity)
                    _ = await connection.kill(sessions.filter { $0.user != "killd" })
                    _ = try await connection.present(among: sessions)
                    _ = try await connection.transactions()
                    _ = try await connection.observe(.locks)
                }
            }
        }
        XCTAssertGreaterThan(taken, 60)
    }

    func testWhoLooksFromOutsideChangesNothing() async throws {
        let scene = try await Scene("dies")
        let before = try await scene.server.state
        for _ in 0..<5 { _ = try await scene.server.sessions() }
        let after = try await scene.server.state
        XCTAssertEqual(before, after)
    }

    /// Set to before the server began, the clock must not make it one that was started moments ago.
    func testAServerIsAsOldAsItWasWhereTheClockIsSetBack() async throws {
        let scene = try await Scene("dies")
        scene.time.advance(by: .seconds(-20 * 31_536_000))
        let uptime = try await scene.server.observe(.server).uptime
        XCTAssertEqual(uptime, 864_000)
    }
}
