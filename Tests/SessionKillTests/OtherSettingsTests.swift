import SessionKill
import StoreContract
import Synchronization
import XCTest

/// An engine whose settings change while it works, as by a reload of the configuration.
final class OtherSettingsTests: KillEngineTestCase {
    private final class Later: Sendable {
        let commit = Mutex<Task<CommitReport, any Error>?>(nil)
    }

    func testTwoCommitsOfOnePlanKillOnceThoughTheSettingsChangeBetweenThem() async throws {
        let engine = engine
        let other = engine.with(.init(planLifetime: 5, killWait: .seconds(1)))
        let plan = try await prepare([3, 5])
        let instance = instance
        let later = Later()
        await server.set { server in
            server.beforeKill = { _ in
                let isFirst = later.commit.withLock { commit in
                    guard commit == nil else { return false }
                    commit = Task { try await other.commit(plan.sqlExecID, on: instance, for: "ci") }
                    return true
                }
                // Time for the other to do harm.
                if isFirst { for _ in 0..<1_000 { await Task.yield() } }
            }
        }
        let first = try await engine.commit(plan.sqlExecID, on: instance, for: "ci")
        let second = try await later.commit.withLock { $0 }?.value
        XCTAssertEqual(first.killed, [3, 5])
        XCTAssertEqual(second, first)
        let kills = await server.kills
        XCTAssertEqual(kills, [3, 5])
    }

    func testAPlanIsPreparedWithTheSettingsOfItsTime() async throws {
        let other = engine.with(.init(planLifetime: 5, killWait: .seconds(1)))
        let plan = try await other.prepare(.threads([3]), on: instance, for: "ci", recordHistory: true)
        XCTAssertEqual(plan.content.expiresAt, plan.content.preparedAt.advanced(bySeconds: 5))
        // The engine of before commits it all the same.
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3])
    }
}
