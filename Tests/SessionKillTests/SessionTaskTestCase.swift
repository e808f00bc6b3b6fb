import SessionKill
import StoreContract
import Synchronization
import TestSupport
import XCTest

/// A runner of session tasks over a scripted server.
class SessionTaskTestCase: KillEngineTestCase {
    private let log = EventLog()
    lazy var runner = makeRunner()
    var login: KillingAccount {
        get throws { .login(try DatabaseLogin(user: "dba", password: DatabasePassword("s3cret"))) }
    }

    /// What the runner reported, in words.
    var events: [String] { log.events.withLock { $0 } }

    override func tearDown() async throws { await runner.stop(within: .seconds(20)) }

    /// Another one on the same store, as after a restart.
    func makeRunner() -> SessionTaskRunner {
        let log = log
        return SessionTaskRunner(
            engine: engine, store: store, clock: .init(now: clock.now, sleep: clock.sleep)
        ) { event in
            log.events.withLock { $0.append(event.words) }
        }
    }

    func create(
        _ selection: Selection, by killer: KillingAccount? = nil
    ) async throws -> SessionTask {
        let tasks = try await runner.create(
            selection, on: [instance], by: killer ?? (try login), for: "ci")
        return try XCTUnwrap(tasks.first)
    }

    /// Creates a task and waits for its end.
    func run(
        _ selection: Selection, by killer: KillingAccount? = nil
    ) async throws -> StoredSessionTask {
        try await ended(try await create(selection, by: killer))
    }

    func ended(_ task: SessionTask) async throws -> StoredSessionTask {
        try await eventually("the end of the task", pause: .milliseconds(1)) {
            await self.store.sessionTasks[task.id]?.state != .running
        }
        let stored = await store.sessionTasks[task.id]
        return try XCTUnwrap(stored)
    }

    /// The end of a task is reported a moment after it is in the store.
    func assertReported(_ expected: [String], file: StaticString = #filePath, line: UInt = #line) async throws {
        try await eventually("the reports", pause: .milliseconds(1)) { self.events.count >= expected.count }
        XCTAssertEqual(events, expected, file: file, line: line)
    }

    func assertKilled(_ ids: Set<ThreadID>, file: StaticString = #filePath, line: UInt = #line) async {
        let kills = await server.kills
        XCTAssertEqual(kills.count, ids.count, "\(kills)", file: file, line: line)
        XCTAssertEqual(Set(kills), ids, file: file, line: line)
    }

    func plan(of task: SessionTask) async throws -> StoredPlan {
        let plan = try await store.plan(named: task.plan)
        return try XCTUnwrap(plan)
    }
}

private final class EventLog: Sendable {
    let events = Mutex<[String]>([])
}

extension StoredSessionTask {
    var outcomes: [ThreadID: SessionTaskOutcome] {
        sessions.reduce(into: [:]) { $0[$1.id] = $1.outcome }
    }
    var ending: SessionTaskEnding? {
        if case .ended(let ending, _) = state { ending } else { nil }
    }
}

extension SessionTaskRunner.Event {
    fileprivate var words: String {
        switch self {
        case .created: "created"
        case .ended(_, let ending, let killed, let failed, let spared):
            "ended \(ending): \(killed) killed, \(failed) failed, \(spared) spared"
        case .failed(_, let error as ServerError): "failed \(error.reason)"
        case .failed(_, let error as StoreError): "failed \(error.reason)"
        case .failed(_, let error): "failed \(error)"
        }
    }
}

/// Keeps the first who come until it is opened.
actor Gate {
    private let count: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var isOpen = false
    private(set) var arrived = 0

    init(for count: Int) { self.count = count }

    func wait() async {
        arrived += 1
        guard !isOpen, arrived <= count else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for waiter in waiting { waiter.resume() }
        waiting = []
    }
}
