import StoreContract
import Synchronization
import XCTest

@testable import SessionKill

final class CommitProgressTests: KillEngineTestCase {
    private static func transaction(_ rows: UInt64, _ state: String) -> Transaction {
        Transaction(id: "4711", age: 9, rowsModified: rows, state: state)
    }

    func testWhoAsksDuringACommitIsToldHowManyHaveEndedAndWhatIsLeftToUndo() async throws {
        let engine = engine
        await server.set { server in
            server.sessions.append(.idle(50, transaction: Self.transaction(260_000, "RUNNING")))
            server.afterKill = { $0.id == 50 ? $0 : nil }
            server.openTransactions = [
                OpenTransaction(Self.transaction(200_000, "ROLLING BACK"), thread: 50)
            ]
        }
        let plan = try await engine.prepare(.threads([3, 4, 50]), on: instance, for: "ci", recordHistory: true)
        XCTAssertNil(engine.progress(of: plan.name))
        let seen = Mutex<[CommitProgress?]>([])
        let clock = clock
        // The first question has the transactions read, of which the second is told.
        clock.whenSlept(for: .seconds(1)) {
            seen.withLock { $0.append(engine.progress(of: plan.name)) }
            clock.whenSlept(for: .seconds(1)) { seen.withLock { $0.append(engine.progress(of: plan.name)) } }
        }
        let report = try await engine.commit(plan.sqlExecID, on: instance, for: "ci")
        XCTAssertEqual(report.outcomes[50], .rollingBack(rowsLeft: 200_000))
        var first = CommitProgress(total: 3)
        first.ended = 2
        var second = first
        second.rollingBack = 1
        second.rowsLeft = 200_000
        XCTAssertEqual(seen.withLock { $0 }, [first, second])
        XCTAssertNil(engine.progress(of: plan.name), "of a Commit that has come to its end nothing is kept")
    }
}
