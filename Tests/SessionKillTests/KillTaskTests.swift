import SessionKill
import StoreContract
import TestSupport
import XCTest

/// Which sessions a task ends, and which it leaves alone. The thirty sessions of `app` are bystanders.
final class KillTaskTests: KillTaskTestCase {
    private func rule(_ user: String = "batch", commands: [String]? = nil) throws -> KillRule {
        try KillRule(user: user, commands: commands)
    }

    func testEndsWhoMatchesAtOnceAndWhoComesLater() async throws {
        await addSessions(.idle(101, user: "batch"), .idle(102, user: "batch"))
        let task = try await create(rule())
        try await gate.pause()
        await assertKilled([101, 102])

        await addSessions(.idle(103, user: "batch"))
        try await snapshot()
        try await snapshot()
        await assertKilled([101, 102, 103])
        let (left, plans) = (await server.sessions.count, await plans())
        XCTAssertEqual(left, 30)
        XCTAssertEqual(plans.map(\.plan.content.task), [task.name, task.name])
        XCTAssertEqual(plans.map(\.plan.content.account), ["ci", "ci"])
        XCTAssertEqual(plans.map(\.plan.content.recordHistory), [true, true])
        let outcomes = await outcomes()
        XCTAssertEqual(outcomes, [[101: .killed, 102: .killed], [103: .killed]])
        XCTAssertEqual(events, ["killed 101,102", "killed 103"])
    }

    func testAsksOnceASecondAndStoresNothingAsLongAsNobodyMatches() async throws {
        _ = try await create(rule())
        for _ in 0..<5 {
            let pause = try await gate.pause()
            XCTAssertEqual(pause, .seconds(1))
            try await snapshot()
        }
        let (plans, scopes) = (await store.plans.count, await server.scopes)
        XCTAssertEqual(plans, 0)
        // One for its creation; and never what costs the server more.
        XCTAssertEqual(scopes, Array(repeating: .sessions, count: 7))
    }

    func testARuleWithoutConditionsSparesWhoIsNeverKilled() async throws {
        await addSessions(
            .idle(101, user: "repl", command: "Binlog Dump GTID"), .idle(102, user: "system user", command: "Connect"),
            .idle(103, user: "x", command: "Slave_SQL"), .idle(104, user: "event_scheduler", command: "Daemon"),
            .idle(105, user: "monitor"), .idle(106, user: "killd"),
            // A connection that killd is opening, or another killd's.
            .idle(107, user: "killd"), .idle(108, user: "unauthenticated user", command: "Connect"),
            .idle(109, command: "Killed"))
        await server.set { $0.ownThreadIDs = [106] }
        _ = try await create(try KillRule())
        try await gate.pause()
        let (kills, left) = (await server.kills, await server.sessions)
        XCTAssertEqual(Set(kills), Set((1...30).compactMap { ThreadID($0) }))
        XCTAssertEqual(left.map(\.id), [101, 102, 103, 104, 105, 106, 107, 108, 109])
        let threads = await plans().flatMap(\.plan.content.threads)
        XCTAssertEqual(threads.count, 30, "who is never killed is in no plan")
    }

    func testWhoNoLongerMatchesAtTheKillIsSpared() async throws {
        await addSessions(.idle(101, user: "batch", command: "Query"), .idle(102, user: "batch", command: "Query"))
        await server.set { server in
            server.beforeSnapshot = { server, scope in
                guard scope == .transactions else { return }
                await server.set { $0.change(101) { $0.details.command = "Sleep" } }
            }
        }
        _ = try await create(rule(commands: ["Query"]))
        try await gate.pause()
        await assertKilled([102])
        let outcomes = await outcomes()
        XCTAssertEqual(outcomes, [[101: .failed(.noLongerMatched), 102: .killed]])
    }

    func testWhoTookOverAnIDMeanwhileIsSpared() async throws {
        await addSessions(.idle(101, user: "batch"), .idle(102, user: "batch"))
        await server.set { server in
            server.beforeSnapshot = { server, scope in
                await server.set { server in
                    // Between the snapshot that found them and the one that pins, and between that and the KILL.
                    if scope == .locks { server.change(101) { $0.identity.user = "payroll" } }
                    if scope == .transactions { server.change(102) { $0.identity.host = "10.0.0.9:1" } }
                }
            }
        }
        _ = try await create(rule())
        try await gate.pause()
        await assertKilled([])
        let outcomes = await outcomes()
        XCTAssertEqual(outcomes, [[102: .replaced]])
    }

    func testAPlanHasAThousandSessionsAtMostThoseOfTheLongestTimeFirst() async throws {
        await server.set { server in
            for number in 0..<1_001 {
                var session = Session.idle(UInt32(1_000 + number), user: "batch")
                session.details.seconds = Int64(number)
                server.sessions.append(session)
            }
        }
        _ = try await create(rule())
        try await gate.pause()
        let first = await server.kills
        XCTAssertEqual(first.count, 1_000)
        XCTAssertFalse(first.contains(1_000))
        try await snapshot()
        let kills = await server.kills
        XCTAssertEqual(kills.count, 1_001)
        let sizes = await plans().map(\.plan.content.threads.count)
        XCTAssertEqual(sizes, [1_000, 1])
    }

    // MARK: Who cannot be ended

    func testASessionThatCannotBeEndedIsTriedOnceAMinute() async throws {
        await addSessions(.idle(101, user: "batch"))
        await server.set { $0.answerToKill = { $0 == 101 ? .notPermitted(message: "not owner") : nil } }
        _ = try await create(rule())
        try await gate.pause()
        for _ in 0..<58 { try await snapshot() }
        try await snapshot(after: 1_999)
        await assertKilled([101])
        try await snapshot(after: 1)
        await assertKilled([101, 101])
        let outcomes = await outcomes()
        XCTAssertEqual(
            outcomes,
            [[101: .denied(.byServer(message: "not owner"))], [101: .denied(.byServer(message: "not owner"))]])
    }

    func testAnotherSessionUnderItsIDIsNotSparedForIt() async throws {
        await addSessions(.idle(101, user: "batch"))
        await server.set { $0.answerToKill = { $0 == 101 ? .notPermitted(message: "not owner") : nil } }
        _ = try await create(rule())
        try await gate.pause()
        await server.set { server in
            server.answerToKill = { _ in nil }
            server.change(101) { $0.identity.host = "10.0.0.9:1" }
        }
        try await snapshot()
        await assertKilled([101, 101])
        let outcomes = await outcomes()
        XCTAssertEqual(outcomes, [[101: .denied(.byServer(message: "not owner"))], [101: .killed]])
    }

    func testServersThatTakeTurnsBehindOneAddressMakeNoPlanASecond() async throws {
        await addSessions(.idle(101, user: "batch"))
        await server.set { server in
            server.beforeSnapshot = { server, scope in
                await server.set { $0.fingerprint.hostname = scope == .transactions ? "db2" : "db1" }
            }
        }
        _ = try await create(rule())
        try await gate.pause()
        for _ in 0..<5 { try await snapshot() }
        await assertKilled([])
        let states = await plans().map(\.state.status)
        XCTAssertEqual(states, [.stale])
    }

    // MARK: No record, no kill

    func testNothingIsKilledWithoutItsRecord() async throws {
        _ = try await create(rule())
        try await gate.pause()
        await addSessions(.idle(101, user: "batch"))
        for (step, plans) in [(MemoryStore.Step.insert, 0), (.claim, 1)] {
            await store.set { $0.failing = [step] }
            for _ in 0..<3 { try await snapshot() }
            await assertKilled([])
            let count = await store.plans.count
            XCTAssertEqual(count, plans, "\(step)")
        }
        await store.set { $0.failing = [] }
        try await snapshot()
        await assertKilled([101])
        let plans = await plans().map(\.state.status)
        XCTAssertEqual(plans, [.committed], "the plan that could not be claimed was taken up again")
        XCTAssertEqual(events, ["failed cannotWrite", "killed 101", "recovered"])
    }

    func testOutcomesThatCannotBeStoredAreStoredLaterAndNobodyIsKilledAgain() async throws {
        await addSessions(.idle(101, user: "batch"), .idle(102, user: "batch"))
        await server.set { $0.answerToKill = { $0 == 102 ? .notPermitted(message: "not owner") : nil } }
        await store.set { $0.failing = [.finish] }
        _ = try await create(rule())
        try await gate.pause()
        try await snapshot()
        await store.set { $0.failing = [] }
        try await snapshot()
        await assertKilled([101, 102])
        let outcomes = await outcomes()
        XCTAssertEqual(outcomes, [[101: .killed, 102: .denied(.byServer(message: "not owner"))]])
    }

    // MARK: Errors

    func testAnErrorIsToldOnceAndTheNextSnapshotTriesAgain() async throws {
        _ = try await create(rule())
        try await gate.pause()
        await addSessions(.idle(101, user: "batch"))
        await server.set { $0.failure = ServerError(.unreachable, code: 2_003, "no answer, try 1") }
        try await snapshot()
        await server.set { $0.failure = ServerError(.unreachable, code: 2_003, "no answer, try 2") }
        try await snapshot()
        await server.set { $0.failure = ServerError(.loginRefused, code: 1_045, "wrong password") }
        try await snapshot()
        try await snapshot()
        await server.set { $0.failure = nil }
        try await snapshot()
        await assertKilled([101])
        XCTAssertEqual(events, ["failed unreachable", "failed loginRefused", "killed 101", "recovered"])
    }

    func testAPrivilegeThatWasTakenAwayIsAnErrorAlsoWhenNobodyMatches() async throws {
        _ = try await create(rule())
        try await gate.pause()
        await server.set { $0.missingKillPrivilege = "CONNECTION_ADMIN" }
        try await snapshot()
        XCTAssertEqual(events, ["failed privilegeMissing(\"CONNECTION_ADMIN\")"])
    }

    func testATaskIsNotCreatedWhereItCouldNotDoItsWork() async throws {
        await server.set { $0.missingKillPrivilege = "CONNECTION_ADMIN" }
        let error = try await assertThrows(ServerError.self) { try await create(rule()) }
        XCTAssertEqual(error.reason, .privilegeMissing("CONNECTION_ADMIN"))
        await server.set { server in
            server.missingKillPrivilege = nil
            server.failure = ServerError(.other, "the server's session list is partial")
        }
        _ = try await assertThrows(ServerError.self) { try await create(rule()) }
        await server.set { $0.failure = nil }
        await store.set { $0.failing = [.insert] }
        _ = try await assertThrows(StoreError.self) { try await create(rule()) }
        let tasks = await store.killTasks
        XCTAssertEqual(tasks, [])
    }

    func testNobodyCommitsATasksPlanButTheTask() async throws {
        _ = try await create(rule())
        try await gate.pause()
        await addSessions(.idle(101, user: "batch"))
        await store.set { $0.failing = [.claim] }
        try await snapshot()
        await store.set { $0.failing = [] }
        let plans = await plans()
        let plan = try XCTUnwrap(plans.first?.plan)
        let error = try await assertThrows(KillError.self) { try await commit(plan) }
        XCTAssertEqual(error, .planNotFound)
        await assertKilled([])
    }
}

extension ScriptedServer {
    /// Changes a session in the midst of whatever goes on.
    func change(_ id: ThreadID, _ change: (inout Session) -> Void) {
        for index in sessions.indices where sessions[index].id == id { change(&sessions[index]) }
    }
}
