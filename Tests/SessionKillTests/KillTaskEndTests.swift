import SessionKill
import StoreContract
import Synchronization
import TestSupport
import XCTest

/// How tasks end, and how they go on after a restart.
final class KillTaskEndTests: KillTaskTestCase {
    private var rule: KillRule { get throws { try KillRule(user: "batch") } }

    // MARK: Duration

    func testEndsWithItsDurationToTheMillisecond() async throws {
        let task = try await create(rule, lasting: .seconds(2))
        XCTAssertEqual(task.endsAt, task.createdAt.advanced(bySeconds: 2))
        try await snapshot(after: 1_999)
        await addSessions(.idle(101, user: "batch"))
        gate.open()
        try await gate.pause()
        await assertKilled([101])
        let pause = try await gate.pause()
        XCTAssertEqual(pause, .milliseconds(1))

        await addSessions(.idle(102, user: "batch"))
        clock.advance(milliseconds: 1)
        gate.open()
        try await eventually("the end") { await self.taskStates() != [.running] }
        let states = await taskStates()
        XCTAssertEqual(states, [.ended(.expired, at: try XCTUnwrap(task.endsAt))])
        await assertKilled([101])
        XCTAssertEqual(events, ["killed 101", "ended expired"])
    }

    func testAKillThatWouldComeAfterTheEndIsNotSent() async throws {
        await addSessions(.idle(101, user: "batch"))
        await server.set { [clock] server in
            server.beforeSnapshot = { _, scope in
                if scope == .transactions { clock.advance(bySeconds: 1) }
            }
        }
        _ = try await create(rule, lasting: .seconds(1))
        try await gate.pause()
        gate.open()
        try await eventually("the end") { await self.taskStates() != [.running] }
        await assertKilled([])
        let outcomes = await outcomes()
        XCTAssertEqual(outcomes, [[101: .failed(.taskRevoked)]])
    }

    func testAnEndThatCannotBeStoredIsStoredLater() async throws {
        await store.set { $0.failing = [.end] }
        let task = try await create(rule, lasting: .seconds(1))
        await addSessions(.idle(101, user: "batch"))
        try await gate.pause()
        await addSessions(.idle(102, user: "batch"))
        for _ in 0..<3 { try await snapshot() }
        let killed = await server.kills
        XCTAssertFalse(killed.contains(102))
        let listed = try await runner.tasks(of: [instance.id], skipping: 0, limit: 10)
        XCTAssertEqual(listed.map(\.status), [.expired])
        XCTAssertEqual(listed.map(\.endedAt), [task.endsAt])

        await store.set { $0.failing = [] }
        gate.open()
        try await eventually("the end") { await self.taskStates() != [.running] }
        let states = await taskStates()
        XCTAssertEqual(states, [.ended(.expired, at: try XCTUnwrap(task.endsAt))])
    }

    // MARK: Cancellation

    func testACancelledTaskKillsNobodyAnyMore() async throws {
        _ = try await create(rule)
        try await gate.pause()
        try await runner.cancel(on: instance.id, by: "alice")
        await addSessions(.idle(101, user: "batch"))
        gate.open()
        let states = await taskStates()
        XCTAssertEqual(states, [.ended(.cancelled(by: "alice"), at: clock.now())])
        XCTAssertEqual(events, ["ended cancelled by alice"])
        // A snapshot that comes all the same would be seen with the next task.
        _ = try await create(KillRule(user: "other"))
        try await gate.pause()
        await assertKilled([])
        let listed = try await runner.tasks(of: [instance.id], skipping: 0, limit: 10)
        XCTAssertEqual(listed.map(\.status), [.running, .cancelled])
        XCTAssertEqual(listed.map(\.cancelledBy), [nil, "alice"])
    }

    func testACancellationDuringASnapshotComesBeforeItsKill() async throws {
        await addSessions(.idle(101, user: "batch"))
        let cancelled = Mutex(false)
        await server.set { [runner, instance] server in
            server.beforeSnapshot = { _, scope in
                guard scope == .transactions else { return }
                try? await runner.cancel(on: instance.id, by: "alice")
                cancelled.withLock { $0 = true }
            }
        }
        _ = try await create(rule)
        try await eventually("the plan's end") { await self.outcomes().contains { !$0.isEmpty } }
        XCTAssertTrue(cancelled.withLock { $0 })
        await assertKilled([])
        let outcomes = await outcomes()
        XCTAssertEqual(outcomes, [[101: .failed(.taskRevoked)]])
    }

    func testACancellationDuringAKillWaitsForIt() async throws {
        await addSessions(.idle(101, user: "batch"))
        let kill = await holdKills()
        _ = try await create(rule)
        try await kill.pause()
        let isOver = Mutex(false)
        let cancellation = Task { [runner, instance] in
            try await runner.cancel(on: instance.id, by: "alice")
            isOver.withLock { $0 = true }
        }
        var status = KillTaskStatus.running
        try await eventually("the cancellation") {
            status = try await self.runner.tasks(of: [self.instance.id], skipping: 0, limit: 1)[0].status
            return status != .running
        }
        // What does not wait for the KILL's answer would happen now.
        for _ in 0..<1_000 { await Task.yield() }
        let states = await taskStates()
        XCTAssertEqual(states, [.running], "stored before the KILL was answered")
        XCTAssertEqual(status, .suspended)
        XCTAssertFalse(isOver.withLock { $0 })
        kill.open()
        try await cancellation.value
        await assertKilled([101])
        XCTAssertTrue(isOver.withLock { $0 })
    }

    func testACancellationThatCannotBeStoredStopsTheTaskAllTheSame() async throws {
        _ = try await create(rule)
        try await gate.pause()
        await store.set { $0.failing = [.end] }
        let error = try await assertThrows(KillTaskError.self) { try await runner.cancel(on: instance.id, by: "alice") }
        XCTAssertEqual(error, .cancellationNotStored(MemoryStore.full))
        let time = clock.now()
        await addSessions(.idle(101, user: "batch"))
        try await snapshot()
        await assertKilled([])
        let listed = try await runner.tasks(of: [instance.id], skipping: 0, limit: 1)
        XCTAssertEqual(listed.map(\.status), [.suspended])
        let duplicate = try await assertThrows(KillTaskError.self) { try await create(rule) }
        XCTAssertEqual(duplicate, .duplicate)

        await store.set { $0.failing = [] }
        try await runner.cancel(on: instance.id, by: "bob")
        let states = await taskStates()
        XCTAssertEqual(states, [.ended(.cancelled(by: "alice"), at: time)])
        await assertKilled([])
    }

    func testThereIsNothingToCancelWithoutARunningTask() async throws {
        func assertNothingToCancel(line: UInt = #line) async throws {
            let error = try await assertThrows(KillTaskError.self, line: line) {
                try await runner.cancel(on: instance.id, by: "ci")
            }
            XCTAssertEqual(error, .notFound, line: line)
        }
        try await assertNothingToCancel()
        _ = try await create(rule, lasting: .seconds(1))
        try await gate.pause()
        clock.advance(bySeconds: 1)
        try await assertNothingToCancel()
        gate.open()
    }

    func testAnInstanceHasOneTaskAtATime() async throws {
        let first = try await create(rule)
        let error = try await assertThrows(KillTaskError.self) { try await create(KillRule(user: "app")) }
        XCTAssertEqual(error, .duplicate)
        try await gate.pause()
        await assertKilled([])
        try await runner.cancel(on: instance.id, by: "ci")
        let second = try await create(rule)
        XCTAssertNotEqual(first.name, second.name)
        XCTAssertNotNil(second.name.rawValue.wholeMatch(of: /task-[a-z2-9]{12}/))
    }

    // MARK: Restart

    func testGoesOnAfterARestart() async throws {
        _ = try await create(rule)
        try await gate.pause()
        await runner.stop(within: .seconds(20))
        await addSessions(.idle(101, user: "batch"))
        runner = makeRunner()
        try await runner.load([instance]) { _ in nil }
        await assertKilled([])
        await runner.start()
        try await gate.pause()
        await assertKilled([101])
        try await runner.cancel(on: instance.id, by: "ci")
    }

    func testATaskWhoseTimeRanOutMeanwhileIsEndedAsOfThen() async throws {
        let task = try await create(rule, lasting: .seconds(10))
        try await gate.pause()
        await runner.stop(within: .seconds(20))
        clock.advance(bySeconds: 3_600)
        await addSessions(.idle(101, user: "batch"))
        runner = makeRunner()
        try await runner.load([]) { _ in nil }
        let states = await taskStates()
        XCTAssertEqual(states, [.ended(.expired, at: try XCTUnwrap(task.endsAt))])
        await assertKilled([])
    }

    func testATaskThatMustNotRunAnyMoreKillsNobodyButCanBeCancelled() async throws {
        _ = try await create(rule)
        try await gate.pause()
        await runner.stop(within: .seconds(20))
        await addSessions(.idle(101, user: "batch"))
        runner = makeRunner()
        try await runner.load([]) { _ in nil }
        runner = makeRunner()
        try await runner.load([instance]) { $0.account == "ci" ? .notPermitted : nil }
        await runner.start()
        for _ in 0..<3 { try await snapshot() }
        await assertKilled([])
        let listed = try await runner.tasks(of: [instance.id], skipping: 0, limit: 1)
        XCTAssertEqual(listed.map(\.status), [.suspended])
        XCTAssertEqual(
            events,
            [
                "suspended the instance is not configured",
                "suspended the account that created it may not run tasks on the instance",
            ])
        try await runner.cancel(on: instance.id, by: "bob")
        let states = await taskStates()
        XCTAssertEqual(states, [.ended(.cancelled(by: "bob"), at: clock.now())])
    }

    func testAnInterruptedPlanIsBroughtToItsEndWithoutAKill() async throws {
        await addSessions(.idle(101, user: "batch"), .idle(102, user: "batch"))
        await store.set { $0.dyingAfter = [.claim] }
        _ = try await create(rule)
        try await gate.pause()
        await runner.stop(within: .seconds(20))
        await store.set { $0.dyingAfter = [] }
        // Whether it died of a KILL or not, nobody knows.
        await server.set { $0.sessions.removeAll { $0.id == 101 } }
        runner = makeRunner()
        try await runner.load([instance]) { _ in .accountNotConfigured }
        await runner.start()
        try await gate.pause()
        await assertKilled([])
        let outcomes = await outcomes()
        XCTAssertEqual(outcomes, [[101: .ended, 102: .failed(.taskInterrupted)]])
    }

    func testStoppingWaitsForTheKillUnderWayAndBeginsNoOther() async throws {
        await addSessions(.idle(101, user: "batch"))
        let kill = await holdKills()
        _ = try await create(rule)
        try await kill.pause()
        let stopping = Task { [runner] in await runner.stop(within: .seconds(20)) }
        await addSessions(.idle(102, user: "batch"))
        kill.open()
        await stopping.value
        await assertKilled([101])
        let states = await taskStates()
        XCTAssertEqual(states, [.running])
        let outcomes = await outcomes()
        XCTAssertEqual(outcomes, [[101: .killed]])
    }
}
