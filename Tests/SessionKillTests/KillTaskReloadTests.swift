import SessionKill
import StoreContract
import TestSupport
import XCTest

/// What becomes of running tasks when another configuration is taken over.
final class KillTaskReloadTests: KillTaskTestCase {
    private var rule: KillRule { get throws { try KillRule(user: "batch") } }

    /// Takes over a configuration with these instances, in which `obstacle` keeps every task from running.
    private func reload(_ instances: [Instance], obstacle: KillTaskObstacle? = nil) async {
        await runner.replace(engine, instances) { _ in obstacle }
    }

    private func status() async throws -> KillTaskStatus? {
        try await runner.tasks(of: [instance.id], skipping: 0, limit: 1).first?.status
    }

    func testATaskGoesOnThroughAReloadThatChangesNothingForIt() async throws {
        _ = try await create(rule)
        try await gate.pause()
        await addSessions(.idle(101, user: "batch"), .idle(102))
        await reload([instance])
        try await eventually("the KILL") { await self.server.kills == [101] }
        try await eventually("the report") { !self.events.isEmpty }
        XCTAssertEqual(events, ["killed 101"])
    }

    func testATaskOfAnInstanceThatIsAwayKillsNobodyUntilItIsBack() async throws {
        _ = try await create(rule)
        try await gate.pause()
        await addSessions(.idle(101, user: "batch"))
        await reload([])
        for _ in 0..<3 { try await snapshot() }
        await assertKilled([])
        let away = try await status()
        XCTAssertEqual(away, .suspended)
        await reload([instance])
        try await eventually("the KILL") { await self.server.kills == [101] }
        try await eventually("the report") { self.events.count > 1 }
        XCTAssertEqual(events, ["suspended the instance is not configured", "killed 101"])
        let back = try await status()
        XCTAssertEqual(back, .running)
    }

    func testATaskOfAnInstanceThatWasAwayAtStartRunsWhenItIsThere() async throws {
        _ = try await create(rule)
        try await gate.pause()
        await runner.stop(within: .seconds(20))
        await addSessions(.idle(101, user: "batch"))
        runner = makeRunner()
        try await runner.load([]) { _ in nil }
        await runner.start()
        try await snapshot()
        await assertKilled([])
        await reload([instance])
        try await eventually("the KILL") { await self.server.kills == [101] }
    }

    func testATaskExpiresOnTimeWhileItsInstanceIsAway() async throws {
        let task = try await create(rule, lasting: .seconds(3))
        try await gate.pause()
        await reload([])
        try await snapshot()
        clock.advance(bySeconds: 5)
        await reload([instance])
        await addSessions(.idle(101, user: "batch"))
        try await eventually("the end") { await self.taskStates() != [.running] }
        let states = await taskStates()
        XCTAssertEqual(states, [.ended(.expired, at: try XCTUnwrap(task.endsAt))])
        await assertKilled([])
    }

    func testATaskCanBeCancelledWhileItsInstanceIsAway() async throws {
        _ = try await create(rule)
        try await gate.pause()
        await reload([])
        // By a request that began before the reload.
        try await runner.cancel(on: instance.id, by: "alice")
        await addSessions(.idle(101, user: "batch"))
        await reload([instance])
        let states = await taskStates()
        XCTAssertEqual(states, [.ended(.cancelled(by: "alice"), at: clock.now())])
        // A snapshot that comes all the same would be seen with the next task.
        _ = try await create(KillRule(user: "other"))
        try await gate.pause()
        await assertKilled([])
    }

    func testATaskWhoseAccountLosesTheRightKillsNobodyUntilItHasItAgain() async throws {
        _ = try await create(rule)
        try await gate.pause()
        await reload([instance], obstacle: .notPermitted)
        await addSessions(.idle(101, user: "batch"))
        for _ in 0..<3 { try await snapshot() }
        await assertKilled([])
        await reload([instance], obstacle: .notPermitted)
        XCTAssertEqual(
            events, ["suspended the account that created it may not run tasks on the instance"], "said twice")
        await reload([instance])
        try await eventually("the KILL") { await self.server.kills == [101] }
    }

    func testASnapshotUnderWayKillsNobodyOnceTheRightIsLost() async throws {
        await addSessions(.idle(101, user: "batch"))
        await server.set { [runner, engine, instance] server in
            server.beforeSnapshot = { _, scope in
                guard scope == .transactions else { return }
                await runner.replace(engine, [instance]) { _ in .notPermitted }
            }
        }
        _ = try await create(rule)
        try await eventually("the plan's end") { await self.outcomes().contains { !$0.isEmpty } }
        await assertKilled([])
        let outcomes = await outcomes()
        XCTAssertEqual(outcomes, [[101: .failed(.taskRevoked)]])
        let states = await taskStates()
        XCTAssertEqual(states, [.running])
    }

    func testAReloadThatTakesTheRightAwayWaitsForTheKillUnderWay() async throws {
        await addSessions(.idle(101, user: "batch"))
        let kill = await holdKills()
        _ = try await create(rule)
        try await kill.pause()
        let reload = Task { [runner, engine, instance, server] in
            await runner.replace(engine, [instance]) { _ in .accountNotConfigured }
            return await server.kills
        }
        try await eventually("the suspension") { try await self.status() == .suspended }
        // What does not wait for the KILL's answer would happen now.
        for _ in 0..<1_000 { await Task.yield() }
        kill.open()
        let killedAtReturn = await reload.value
        XCTAssertEqual(killedAtReturn, [101])
    }

    func testAPlanBegunOnAnInstanceThatIsRemovedIsFinishedThere() async throws {
        await addSessions(.idle(101, user: "batch"))
        await server.set { [runner, engine] server in
            server.beforeKill = { _ in Task { await runner.replace(engine, []) { _ in nil } } }
        }
        _ = try await create(rule)
        try await eventually("the plan's end") { await self.outcomes() == [[101: .killed]] }
        let states = await taskStates()
        XCTAssertEqual(states, [.running])
    }

    func testHoweverOftenAnInstanceComesAndGoesItIsAskedOnceASecond() async throws {
        _ = try await create(rule)
        try await gate.pause()
        for _ in 0..<5 {
            await reload([])
            await reload([instance])
        }
        try await snapshot()
        let before = await server.scopes.count
        try await snapshot()
        try await snapshot()
        let snapshots = await server.scopes.count - before
        XCTAssertEqual(snapshots, 2)
    }

    func testTheServerOfTheNewConfigurationIsTheNextToBeAsked() async throws {
        _ = try await create(rule)
        try await gate.pause()
        await addSessions(.idle(101, user: "batch"))
        let other = ScriptedServer([.idle(201, user: "batch"), .idle(202)])
        await reload([Instance(id: instance.id, server: other, protectedUsers: [])])
        try await eventually("the KILL") { await other.kills == [201] }
        try await snapshot()
        await assertKilled([])
    }

    func testUsersThatAReloadProtectsAreSpared() async throws {
        _ = try await create(rule)
        try await gate.pause()
        await addSessions(.idle(101, user: "batch"))
        await reload([Instance(id: instance.id, server: server, protectedUsers: ["batch"])])
        for _ in 0..<2 { try await snapshot() }
        await assertKilled([])
    }

    func testATaskCreatedWhileItsAccountLosesTheRightDoesNotRun() async throws {
        await runner.start()
        await reload([instance])
        await server.set { [runner, engine, instance] server in
            server.beforeSnapshot = { _, _ in await runner.replace(engine, [instance]) { _ in .notPermitted } }
        }
        _ = try await create(rule)
        await server.set { $0.beforeSnapshot = { _, _ in } }
        await addSessions(.idle(101, user: "batch"))
        for _ in 0..<2 { try await snapshot() }
        await assertKilled([])
        XCTAssertEqual(events, ["suspended the account that created it may not run tasks on the instance"])
    }
}
