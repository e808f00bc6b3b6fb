import SessionKill
import StoreContract
import Synchronization
import TestSupport
import XCTest

/// A runner of tasks whose pauses the test ends.
class KillTaskTestCase: KillEngineTestCase {
    let gate = PauseGate()
    private let log = EventLog()
    lazy var runner = makeRunner()

    /// What the runner reported, in words.
    var events: [String] { log.events.withLock { $0 } }

    override func tearDown() async throws {
        await runner.stop(within: .seconds(20))
        gate.open()
    }

    /// Another one on the same store, as after a restart.
    func makeRunner() -> KillTaskRunner {
        let log = log
        return KillTaskRunner(engine: engine, store: store, clock: .init(now: clock.now, sleep: gate.sleep)) { event in
            log.events.withLock { $0.append(event.words) }
        }
    }

    func create(
        _ rule: KillRule, lasting duration: KillTaskDuration = .untilCancelled
    ) async throws -> KillTask {
        await runner.start()
        return try await runner.create(rule, lasting: duration, on: instance, for: "ci")
    }

    /// Has the runner take another snapshot, a second later, and waits until it has.
    func snapshot(after milliseconds: Int64 = 1_000) async throws {
        try await gate.pause()
        clock.advance(milliseconds: milliseconds)
        gate.open()
        try await gate.pause()
    }

    func addSessions(_ sessions: Session...) async { await server.set { $0.sessions += sessions } }

    /// Has the server hold each KILL before it takes effect, until the gate is opened.
    func holdKills() async -> PauseGate {
        let kill = PauseGate()
        await server.set { server in
            server.beforeKill = { _ in try? await kill.sleep(.zero) }
        }
        return kill
    }

    func assertKilled(_ ids: [ThreadID], file: StaticString = #filePath, line: UInt = #line) async {
        let kills = await server.kills
        XCTAssertEqual(kills, ids, file: file, line: line)
    }

    /// The plans that tasks made, in the order of their preparation.
    func plans() async -> [StoredPlan] {
        await store.plans.values.sorted { $0.plan.content.preparedAt < $1.plan.content.preparedAt }
    }

    func outcomes() async -> [[ThreadID: Outcome]] {
        await plans().map { plan in
            if case .ended(_, _, let outcomes, _) = plan.state { outcomes } else { [:] }
        }
    }

    func taskStates() async -> [KillTaskState] { await store.killTasks.map(\.state) }
}

private final class EventLog: Sendable {
    let events = Mutex<[String]>([])
}

extension KillTaskRunner.Event {
    fileprivate var words: String {
        switch self {
        case .committed(let report): "killed \(report.killed.map(\.description).joined(separator: ","))"
        case .failed(_, let error as ServerError): "failed \(error.reason)"
        case .failed(_, let error as StoreError): "failed \(error.reason)"
        case .failed(_, let error): "failed \(error)"
        case .recovered: "recovered"
        case .ended(_, .expired): "ended expired"
        case .ended(_, .cancelled(let account)): "ended cancelled by \(account.rawValue)"
        case .suspended(_, let obstacle): "suspended \(obstacle)"
        }
    }
}
