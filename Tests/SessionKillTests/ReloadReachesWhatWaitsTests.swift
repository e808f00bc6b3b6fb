import SessionKill
import StoreContract
import TestSupport
import XCTest

/// A configuration that is replaced holds for every KILL that was not sent before.
final class ReloadReachesWhatWaitsTests: SessionTaskTestCase {
    private enum Change: CaseIterable {
        case accountGone, rightLost, instanceGone, anotherServer, userProtected

        /// Why nobody is killed; `nil` if the sessions are protected.
        var obstacle: KillObstacle? {
            switch self {
            case .accountGone: .accountNotConfigured
            case .rightLost: .notPermitted
            case .instanceGone: .instanceNotConfigured
            case .anotherServer: .anotherServer
            case .userProtected: nil
            }
        }
    }

    private let otherServer = ScriptedServer((1...30).map { .idle($0) })

    /// By which `change` has come about.
    private func authority(_ change: Change) -> KillAuthority {
        let id = instance.id
        let (server, otherServer) = (server, otherServer)
        return KillAuthority { _ in
            switch change {
            case .accountGone, .rightLost, .instanceGone: .failure(change.obstacle ?? .notPermitted)
            case .anotherServer: .success(Instance(id: id, server: otherServer, protectedUsers: []))
            case .userProtected: .success(Instance(id: id, server: server, protectedUsers: ["app"]))
            }
        }
    }

    private func unchanged() -> KillAuthority {
        let instance = instance
        return KillAuthority { _ in .success(instance) }
    }

    private func assertNobodyIsKilled(_ change: Change, file: StaticString = #filePath, line: UInt = #line) async {
        for server in [server, otherServer] {
            let kills = await server.kills
            XCTAssertEqual(kills, [], "\(change)", file: file, line: line)
        }
    }

    // MARK: Commits

    func testACommitThatWaitedForAConnectionKillsNobodyWhomTheNewConfigurationForbids() async throws {
        for (index, change) in Change.allCases.enumerated() {
            let engine = engine
            engine.replace(unchanged())
            let id = ThreadID(integerLiteral: UInt32(index + 1))
            let plan = try await prepare([id])
            let authority = authority(change)
            await server.set { server in
                server.beforeSnapshot = { _, scope in if scope == .transactions { engine.replace(authority) } }
            }
            do {
                let report = try await engine.commit(plan.sqlExecID, on: instance, for: "ci")
                XCTAssertEqual(report.outcomes, [id: .protected(.protectedUser)], "\(change)")
                XCTAssertNil(change.obstacle)
            } catch KillError.notPermitted(let obstacle) {
                XCTAssertEqual(obstacle, change.obstacle)
                let state = await store.plans[plan.sqlExecID]?.state
                XCTAssertEqual(state, .prepared, "it can be committed when it is permitted again")
            }
            await server.set { $0.beforeSnapshot = { _, _ in } }
            await assertNobodyIsKilled(change)
        }
    }

    func testAChangeBetweenTheRecordOfTheIntentAndTheKillIsHeeded() async throws {
        for (index, change) in Change.allCases.enumerated() {
            let engine = engine
            engine.replace(unchanged())
            let id = ThreadID(integerLiteral: UInt32(index + 1))
            let plan = try await prepare([id])
            let authority = authority(change)
            await store.set { $0.afterClaim = { engine.replace(authority) } }
            let report = try await engine.commit(plan.sqlExecID, on: instance, for: "ci")
            XCTAssertEqual(
                report.outcomes, [id: change.obstacle.map { .failed(.notPermitted($0)) } ?? .protected(.protectedUser)])
            XCTAssertEqual(report.killed, [])
            await assertNobodyIsKilled(change)
        }
    }

    func testOnlyThoseAreSparedWhomTheNewConfigurationProtects() async throws {
        let engine = engine
        await server.set { $0.sessions.append(.idle(50, user: "batch")) }
        let plan = try await prepare([3, 50])
        let authority = authority(.userProtected)
        await store.set { $0.afterClaim = { engine.replace(authority) } }
        let report = try await engine.commit(plan.sqlExecID, on: instance, for: "ci")
        XCTAssertEqual(report.outcomes, [3: .protected(.protectedUser), 50: .killed])
        await assertKilled([50])
    }

    func testAPlanThatExpiresWhileItsCommitWaitsIsNotCommitted() async throws {
        let plan = try await prepare([3])
        await server.set { [clock] server in
            server.beforeSnapshot = { _, scope in if scope == .transactions { clock.advance(bySeconds: 600) } }
        }
        do {
            _ = try await commit(plan)
            XCTFail("an expired plan was committed")
        } catch KillError.expired {}
        await assertKilled([])
    }

    func testAPlanThatExpiresRightBeforeTheKillIsNotCarriedOut() async throws {
        let plan = try await prepare([3])
        await store.set { [clock] store in store.afterClaim = { clock.advance(bySeconds: 600) } }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .failed(.planExpired)])
        await assertKilled([])
    }

    func testACommitThatJoinsAnotherAcrossAReloadHearsTheSameRefusal() async throws {
        let engine = engine
        let plan = try await prepare([3])
        let gate = Gate(for: 1)
        await server.set { server in
            server.beforeSnapshot = { _, scope in if scope == .transactions { await gate.wait() } }
        }
        let instance = instance
        let first = Task { try await engine.commit(plan.sqlExecID, on: instance, for: "ci") }
        try await eventually("the snapshot") { await gate.arrived == 1 }
        engine.replace(authority(.anotherServer))
        let renewed = Instance(id: instance.id, server: otherServer, protectedUsers: [])
        let second = Task { try await engine.commit(plan.sqlExecID, on: renewed, for: "ci") }
        for _ in 0..<1_000 { await Task.yield() }
        await gate.open()
        for commit in [first, second] {
            do {
                let report = try await commit.value
                XCTFail("\(report.outcomes)")
            } catch KillError.notPermitted(.anotherServer) {}
        }
        await assertNobodyIsKilled(.anotherServer)
    }

    // MARK: A reload's return

    func testAReloadWaitsForKillsUnderWayThatItForbidsAndForNoOthers() async throws {
        // A limit that is never reached.
        let never = PauseGate()
        let engine = KillEngine(
            store: store, settings: .init(planLifetime: 600, killWait: .seconds(3)),
            clock: .init(now: clock.now, sleep: never.sleep))
        let plan = try await prepare([3])
        let gate = Gate(for: 1)
        await server.set { $0.beforeKill = { _ in await gate.wait() } }
        let instance = instance
        let commit = Task { try await engine.commit(plan.sqlExecID, on: instance, for: "ci") }
        try await eventually("the KILL") { await gate.arrived == 1 }
        engine.replace(unchanged())
        await engine.settle(within: .seconds(2))
        engine.replace(authority(.rightLost))
        let reload = Task { [server] in
            await engine.settle(within: .seconds(2))
            return await server.kills
        }
        for _ in 0..<1_000 { await Task.yield() }
        await gate.open()
        let killedAtReturn = await reload.value
        XCTAssertEqual(killedAtReturn, [3])
        let report = try await commit.value
        XCTAssertEqual(report.outcomes, [3: .killed], "what was sent is watched to its end")
    }

    func testAReloadWaitsForASilentServerNoLongerThanToItsLimit() async throws {
        let engine = engine
        let plan = try await prepare([3])
        let gate = Gate(for: 1)
        await server.set { $0.beforeKill = { _ in await gate.wait() } }
        let instance = instance
        let commit = Task { try await engine.commit(plan.sqlExecID, on: instance, for: "ci") }
        try await eventually("the KILL") { await gate.arrived == 1 }
        engine.replace(authority(.rightLost))
        await engine.settle(within: .seconds(2))
        let kills = await server.kills
        XCTAssertEqual(kills, [])
        await gate.open()
        _ = try await commit.value
    }

    // MARK: Session tasks

    func testASessionTaskInTheQueueGoesByTheConfigurationOfNow() async throws {
        await otherServer.set { $0.fingerprint.hostname = "db2" }
        for (index, change) in Change.allCases.enumerated() {
            let engine = engine
            engine.replace(unchanged())
            runner = SessionTaskRunner(
                engine: engine, store: store, clock: .init(now: clock.now, sleep: clock.sleep), report: { _ in })
            let gate = Gate(for: 2)
            await server.set { server in
                server.beforeSnapshot = { _, scope in if scope == .transactions { await gate.wait() } }
            }
            let ids = (1...3).map { ThreadID(integerLiteral: UInt32(index * 3 + $0)) }
            var tasks: [SessionTask] = []
            for id in ids { tasks.append(try await create(.threads([id]), by: .killd)) }
            try await eventually("two Commits") { await gate.arrived == 2 }
            engine.replace(authority(change))
            await gate.open()
            for (task, id) in zip(tasks, ids) {
                let stored = try await ended(task)
                guard case .decided(let outcome)? = stored.outcomes[id] else { return XCTFail("\(stored.outcomes)") }
                switch change {
                case .userProtected: XCTAssertEqual(outcome, .protected(.protectedUser))
                // The plan of one that waited in the queue is stale there.
                case .anotherServer: XCTAssertEqual(outcome.kind, .failed)
                default: XCTAssertEqual(outcome, change.obstacle.map { .failed(.notPermitted($0)) })
                }
            }
            await assertNobodyIsKilled(change)
        }
    }

    func testASessionTaskInTheQueueUsesTheNewWayToItsServer() async throws {
        let engine = engine
        runner = SessionTaskRunner(
            engine: engine, store: store, clock: .init(now: clock.now, sleep: clock.sleep), report: { _ in })
        let gate = Gate(for: 2)
        await server.set { $0.beforeKill = { _ in await gate.wait() } }
        for id in [1, 2] as [ThreadID] { _ = try await create(.threads([id]), by: .killd) }
        let task = try await create(.threads([3]), by: .killd)
        try await eventually("two KILLs") { await gate.arrived == 2 }
        // The same server with another password: its fingerprint is the plan's.
        engine.replace(authority(.anotherServer))
        await gate.open()
        let stored = try await ended(task)
        XCTAssertEqual(stored.outcomes, [3: .decided(.killed)])
        let kills = await otherServer.kills
        XCTAssertEqual(kills, [3])
        await assertKilled([1, 2])
    }

    // MARK: Kill tasks

    func testAKillTasksPlanUnderWayGoesByTheConfigurationOfNow() async throws {
        for (index, change) in Change.allCases.enumerated() {
            let engine = engine
            engine.replace(unchanged())
            let pauses = PauseGate()
            let id = ThreadID(integerLiteral: UInt32(101 + index))
            await server.set { $0.sessions.append(.idle(id.rawValue, user: "app\(index)")) }
            let (server, otherServer, name) = (server, otherServer, instance.id)
            let authority = KillAuthority { _ in
                switch change {
                case .userProtected:
                    .success(Instance(id: name, server: server, protectedUsers: ["app\(index)"]))
                case .anotherServer: .success(Instance(id: name, server: otherServer, protectedUsers: []))
                default: .failure(change.obstacle ?? .notPermitted)
                }
            }
            await store.set { $0.afterClaim = { engine.replace(authority) } }
            let runner = KillTaskRunner(
                engine: engine, store: store, clock: .init(now: clock.now, sleep: pauses.sleep), report: { _ in })
            await runner.start()
            _ = try await runner.create(
                KillRule(user: "app\(index)"), lasting: .untilCancelled, on: instance, for: "ci")
            try await pauses.pause()
            try await runner.cancel(on: instance.id, by: "ci")
            let stopping = Task { await runner.stop(within: .zero) }
            pauses.open()
            await stopping.value
            await store.set { $0.afterClaim = {} }
            let plan = await store.plans.values.first { $0.plan.content.threads.map(\.id) == [id] }
            guard case .ended(.committed, _, let outcomes, _)? = plan?.state else {
                XCTFail("\(change): \(String(describing: plan?.state))")
                continue
            }
            XCTAssertEqual(
                outcomes, [id: change.obstacle.map { .failed(.notPermitted($0)) } ?? .protected(.protectedUser)])
            await assertNobodyIsKilled(change)
        }
    }

    /// Law 5 and the cancellation: the record of the intent does not oblige anybody to kill.
    func testATaskThatIsCancelledBetweenTheRecordOfTheIntentAndTheKillKillsNobody() async throws {
        let pauses = PauseGate()
        await server.set { $0.sessions.append(.idle(101, user: "batch")) }
        let runner = KillTaskRunner(
            engine: engine, store: store, clock: .init(now: clock.now, sleep: pauses.sleep), report: { _ in })
        let id = instance.id
        await store.set { $0.afterClaim = { try? await runner.cancel(on: id, by: "ci") } }
        await runner.start()
        _ = try await runner.create(KillRule(user: "batch"), lasting: .untilCancelled, on: instance, for: "ci")
        try await eventually("the plan's end") {
            await self.store.plans.values.contains { $0.state.status == .committed }
        }
        let stopping = Task { await runner.stop(within: .zero) }
        pauses.open()
        await stopping.value
        await assertKilled([])
    }
}
