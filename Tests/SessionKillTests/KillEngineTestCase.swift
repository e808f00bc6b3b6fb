import SessionKill
import StoreContract
import XCTest

/// An engine over a scripted server with thirty idle sessions, a store in
/// memory, and a clock that the test moves.
class KillEngineTestCase: XCTestCase {
    let server = ScriptedServer((1...30).map { .idle($0) })
    let store = MemoryStore()
    let clock = TestClock()

    var engine: KillEngine {
        KillEngine(
            store: store, settings: .init(planLifetime: 600, killWait: .seconds(3), maximumStatementBytes: 40),
            clock: .init(now: clock.now, sleep: clock.sleep))
    }
    lazy var instance = Instance(
        id: InstanceID(rawValue: "cdb-1"), server: server, protectedUsers: ["monitor"])

    func prepare(_ threads: [ThreadID], recordHistory: Bool = true) async throws -> KillPlan {
        try await engine.prepare(.threads(threads), on: instance, for: "ci", recordHistory: recordHistory)
    }

    func commit(_ plan: KillPlan) async throws -> CommitReport {
        try await engine.commit(plan.sqlExecID, on: instance, for: "ci")
    }
}
