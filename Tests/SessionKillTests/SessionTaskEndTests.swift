import SessionKill
import StoreContract
import Synchronization
import TestSupport
import XCTest

/// What is recorded of session tasks, and what becomes of those that are interrupted.
final class SessionTaskEndTests: SessionTaskTestCase {
    // MARK: No record, no kill

    func testKillsNobodyUnlessPlanAndTaskAreStored() async throws {
        for step in [MemoryStore.Step.insert, .insertSessionTask] {
            await store.set { $0.failing = [step] }
            do {
                _ = try await create(.threads([3]))
                XCTFail("created without \(step)")
            } catch let error as StoreError {
                XCTAssertEqual(error.reason, .cannotWrite)
            }
        }
        await assertKilled([])
    }

    func testATaskThatIsStoredThoughItsCreationFailedEndsWithoutAKill() async throws {
        await store.set { $0.dyingAfter = [.insertSessionTask] }
        do {
            _ = try await create(.threads([3]))
            XCTFail("created")
        } catch is StoreError {}
        try await allEnd()
        let endings = await store.sessionTasks.values.map(\.ending)
        XCTAssertEqual(endings, [.error])
        await assertKilled([])
    }

    func testKillsNobodyIfTheIntentCannotBeRecorded() async throws {
        await store.set { $0.failing = [.claim] }
        let stored = try await run(.threads([3]))
        XCTAssertEqual(stored.ending, .error)
        XCTAssertEqual(stored.outcomes, [3: .decided(.failed(.taskInterrupted))])
        await assertKilled([])
    }

    func testATaskRunsUntilItsEndIsStored() async throws {
        await store.set { $0.failing = [.endSessionTask] }
        let task = try await create(.threads([3]))
        try await eventually("the failure") { self.events.contains("failed cannotWrite") }
        let state = try await runner.task(task.id, at: instance.target, of: "ci")?.state
        XCTAssertEqual(state, .running)
        await store.set { $0.failing = [] }
        let stored = try await ended(task)
        XCTAssertEqual(stored.ending, .success)
        await assertKilled([3])
    }

    func testAPlanWhoseOutcomesCannotBeStoredIsClosedLater() async throws {
        await store.set { $0.failing = [.finish] }
        let task = try await create(.threads([3]))
        try await eventually("the failure") { self.events.contains("failed cannotWrite") }
        await store.set { $0.failing = [] }
        let stored = try await ended(task)
        // What was seen is remembered until there is room for it.
        XCTAssertEqual(stored.ending, .success)
        XCTAssertEqual(stored.outcomes, [3: .decided(.killed)])
        let status = try await plan(of: task).state.status
        XCTAssertEqual(status, .committed)
        await assertKilled([3])
    }

    // MARK: Restarts

    func testARestartAfterTheKillsKillsNobodyAndFindsOutWhoIsGone() async throws {
        await server.set { $0.answerToKill = { $0 == 4 ? .rejected(code: 1, message: "no") : nil } }
        let task = try await interruptedAfterClaim(.threads([3, 4, 999]))
        let before = await server.kills
        let next = makeRunner()
        try await next.load()
        await store.set {
            $0.failing = []; $0.dyingAfter = []
        }
        await next.start { [instance] _ in instance }
        let stored = try await ended(task)
        XCTAssertEqual(stored.ending, .error)
        XCTAssertEqual(
            stored.outcomes,
            [3: .decided(.ended), 4: .decided(.failed(.taskInterrupted)), 999: .decided(.gone)])
        let kills = await server.kills
        XCTAssertEqual(kills, before)
        let plan = try await plan(of: task)
        guard case .ended(.abandoned, _, let outcomes, _) = plan.state else { return XCTFail("\(plan.state)") }
        XCTAssertEqual(outcomes, [3: .ended, 4: .failed(.taskInterrupted), 999: .gone])
    }

    /// The plan is claimed and the KILLs were sent, when everything is forgotten that was not stored.
    private func interruptedAfterClaim(_ scope: Selection) async throws -> SessionTask {
        await store.set { $0.failing = [.finish, .endSessionTask] }
        let task = try await create(scope)
        try await eventually("the interruption") { self.events.contains("failed cannotWrite") }
        await runner.stop(within: .zero)
        return task
    }

    func testARestartWithTheServerAwayProvesNothingAndClosesThePlanAllTheSame() async throws {
        let task = try await interruptedAfterClaim(.threads([3, 4]))
        await server.set { $0.failure = ServerError(.unreachable, "no answer") }
        await store.set { $0.failing = [] }
        let next = makeRunner()
        try await next.load()
        await next.start { [instance] _ in instance }
        let stored = try await ended(task)
        XCTAssertEqual(stored.ending, .error)
        XCTAssertEqual(stored.outcomes, [3: .decided(.unknown), 4: .decided(.unknown)])
        let status = try await plan(of: task).state.status
        XCTAssertEqual(status, .abandoned)
    }

    func testARestartOfTheServerProvesThatAllAreGone() async throws {
        let task = try await interruptedAfterClaim(.threads([3, 4]))
        await server.set {
            $0.fingerprint.startedAt = 1_700_001_000; $0.sessions = [.idle(3)]
        }
        await store.set { $0.failing = [] }
        let next = makeRunner()
        try await next.load()
        await next.start { [instance] _ in instance }
        let stored = try await ended(task)
        XCTAssertEqual(stored.outcomes, [3: .decided(.ended), 4: .decided(.ended)])
    }

    func testSessionsThatNothingWasSentToAreGoneOnlyIfTheirServerProvesIt() async throws {
        let restarted: @Sendable (isolated ScriptedServer) -> Void = { $0.fingerprint.startedAt = 1_700_001_000 }
        // As MySQL does when its clock is set back.
        let drewAnew: @Sendable (isolated ScriptedServer) -> Void = { $0.fingerprint.startMark = "8663-02fc00000001" }
        let untried = SessionTaskOutcome.decided(.failed(.taskInterrupted))
        for (change, expected) in [(drewAnew, untried), (restarted, .decided(.gone))] {
            await server.set {
                $0.beforeSnapshot = { server, scope in
                    // The Commit's.
                    if scope == .transactions { await server.set(change) }
                }
            }
            let stored = try await run(.threads([3, 4]))
            XCTAssertEqual(stored.ending, .error)
            XCTAssertEqual(stored.outcomes, [3: expected, 4: expected])
        }
        await assertKilled([])
    }

    func testATaskOfAnInstanceThatIsNotConfiguredAnyMoreEnds() async throws {
        let task = try await interruptedAfterClaim(.threads([3]))
        await store.set { $0.failing = [] }
        let next = makeRunner()
        try await next.load()
        await next.start { _ in nil }
        let stored = try await ended(task)
        XCTAssertEqual(stored.ending, .error)
        XCTAssertEqual(stored.outcomes, [3: .decided(.unknown)])
    }

    func testATaskWhosePlanCameToItsEndEndsAsThatTells() async throws {
        await store.set { $0.failing = [.endSessionTask] }
        let task = try await create(.threads([3]))
        try await eventually("the interruption") { self.events.contains("failed cannotWrite") }
        await runner.stop(within: .zero)
        await store.set { $0.failing = [] }
        let next = makeRunner()
        try await next.load()
        await next.start { [instance] _ in instance }
        let stored = try await ended(task)
        XCTAssertEqual(stored.ending, .success)
        XCTAssertEqual(stored.outcomes, [3: .decided(.killed)])
    }

    func testTasksThatWaitWhenKilldEndsKillNobody() async throws {
        let gate = Gate(for: 2)
        await server.set { $0.beforeKill = { _ in await gate.wait() } }
        let first = try await create(.threads([1]))
        var tasks: [SessionTask] = []
        for id in UInt32(2)...9 { tasks.append(try await create(.threads([ThreadID(integerLiteral: id)]))) }
        try await eventually("two KILLs", pause: .milliseconds(1)) { await gate.arrived == 2 }
        let runner = runner
        let end = Task { await runner.stop(within: .seconds(20)) }
        try await eventually("the refusal of new tasks", pause: .milliseconds(1)) {
            do {
                _ = try await self.create(.threads([30]))
                return false
            } catch SessionTaskError.stopping {
                return true
            }
        }
        await gate.open()
        await end.value
        let outcome = try await ended(first).outcomes[1]
        XCTAssertEqual(outcome, .decided(.killed))
        var endings: [SessionTaskEnding?] = []
        for task in tasks { endings.append(try await ended(task).ending) }
        XCTAssertEqual(endings, [.success] + Array(repeating: .error, count: 7))
        await assertKilled([1, 2])
    }

    // MARK: Who is told

    func testATaskIsToldOfToItsCreatorAtItsPlaceForADay() async throws {
        let stored = try await run(.threads([3]))
        let (id, target) = (stored.task.id, stored.task.target)
        func find(_ target: SessionTaskTarget, _ account: AccountName) async throws -> StoredSessionTask? {
            try await runner.task(id, at: target, of: account)
        }
        var found = try await find(target, "ci")
        XCTAssertEqual(found, stored)
        found = try await find(target, "alice")
        XCTAssertNil(found)
        found = try await find(SessionTaskTarget(instance: target.instance, node: NodeID(rawValue: "pi-1")), "ci")
        XCTAssertNil(found)
        found = try await find(SessionTaskTarget(instance: InstanceID(rawValue: "cdb-2"), node: nil), "ci")
        XCTAssertNil(found)
        found = try await runner.task(try .random(), at: target, of: "ci")
        XCTAssertNil(found)
        clock.advance(bySeconds: 86_399)
        found = try await find(target, "ci")
        XCTAssertEqual(found, stored)
        clock.advance(bySeconds: 1)
        found = try await find(target, "ci")
        XCTAssertNil(found)
    }

    func testIdsAreThirtyTwoHexadecimalDigits() throws {
        let ids = [try SessionTaskID.random(), try .random()]
        for id in ids { XCTAssertNotNil(id.rawValue.wholeMatch(of: /[0-9a-f]{32}/)) }
        XCTAssertNotEqual(ids[0], ids[1])
    }

    private func allEnd() async throws {
        try await eventually("the end of all tasks") {
            await self.store.sessionTasks.values.allSatisfy { $0.state != .running }
        }
    }

    // MARK: Too many

    func testAtMostTwoTasksRunAtOnePlaceAndSoManyWait() async throws {
        let gate = Gate(for: 2)
        await server.set { $0.beforeKill = { _ in await gate.wait() } }
        for _ in 0..<102 { _ = try await create(.threads([3])) }
        do {
            _ = try await create(.threads([3]))
            XCTFail("created one too many")
        } catch SessionTaskError.tooMany {}
        let arrived = await gate.arrived
        XCTAssertLessThanOrEqual(arrived, 2)
        await gate.open()
        try await allEnd()
        _ = try await run(.threads([4]))
    }
}
