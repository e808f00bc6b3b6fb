import Foundation
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

/// A store as killd wrote it before reasons were codes: `Stores/migration-7.sql`, made by that killd's own store.
final class ReasonMigrationTests: StoreTestCase {
    private func openEarlierStore() async throws -> SQLiteStore {
        let dump = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Stores/migration-7.sql")
        try Data().write(to: URL(fileURLWithPath: path))
        let connection = try Connection(path: path)
        try connection.execute(try String(contentsOf: dump, encoding: .utf8))
        try connection.close()
        return try await openStore()
    }

    private let outcomes: [Outcome] =
        [
            .killed, .rollingBack(rowsLeft: 7), .gone, .replaced, .protected(.replication), .denied(.untold),
            .denied(.byServer(message: "You are not owner of thread 107")), .denied(.ownSessionsOnly), .xaPrepared,
            .xaUnknown, .alreadyCommitted, .unknown,
        ]
        + [
            .outlivedKill, .outlivedKillCommitted,
            .refused(ServerMessage(code: 1_317, text: "Query execution was interrupted")), .unkillable,
            .connectionBroke, .planExpired, .taskRevoked, .noLongerMatched, .notPermitted(.instanceNotConfigured),
            .notPermitted(.anotherServer), .notPermitted(.accountNotConfigured), .notPermitted(.notPermitted),
            .sparedByInterruptedCommit, .unknownConnection, .notPinnable, .notFoundByGuard,
            .worded("something that nobody words like this"), .worded("1205"),
        ].map(Outcome.failed)

    private func plan(_ number: Int, in store: SQLiteStore) async throws -> StoredPlan {
        let stored = try await store.plan(named: PlanName(rawValue: "plan-\(number)"))
        return try XCTUnwrap(stored)
    }

    func testEverySentenceBecomesItsReason() async throws {
        let stored = try await plan(1, in: try await openEarlierStore())
        guard case .ended(.committed, _, let found, let guards) = stored.state else {
            return XCTFail("\(stored.state)")
        }
        XCTAssertEqual(stored.plan.content.threads.map { found[$0.id] }, outcomes)
        XCTAssertEqual(guards, [.number(101): .list])
    }

    func testPeopleReadWhatTheyReadBefore() async throws {
        let dump = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Stores/migration-7.sql")
        let text = try String(contentsOf: dump, encoding: .utf8)
        let stored = try await plan(1, in: try await openEarlierStore())
        guard case .ended(_, _, let found, _) = stored.state else { return XCTFail("\(stored.state)") }
        for case .failed(let reason)? in stored.plan.content.threads.map({ found[$0.id] }) {
            XCTAssertTrue(text.contains("'\(reason.description.replacing("'", with: "''"))'"), "\(reason)")
        }
    }

    func testEveryPlanStillHasItsDigest() async throws {
        let store = try await openEarlierStore()
        for number in 1...8 {
            let stored = try await plan(number, in: store)
            XCTAssertEqual(try stored.plan.digest(), stored.digest, "plan \(number)")
        }
    }

    func testPlansOfTasksThatCouldNotGoOnAreAbandoned() async throws {
        let store = try await openEarlierStore()
        var statuses: [PlanStatus] = []
        for number in 1...8 { statuses.append(try await plan(number, in: store).state.status) }
        XCTAssertEqual(
            statuses,
            [.committed, .abandoned, .abandoned, .abandoned, .committed, .stale, .prepared, .committing])
        let interrupted = try await plan(2, in: store)
        guard case .ended(_, _, let found, _) = interrupted.state else { return XCTFail("\(interrupted.state)") }
        XCTAssertEqual(found, [.number(101): .ended, .number(102): .failed(.taskInterrupted)])
    }

    func testSessionTasksKeepWhatBecameOfTheirSessions() async throws {
        let store = try await openEarlierStore()
        func outcomesOfTask(_ digit: String) async throws -> [SessionTaskOutcome?]? {
            try await store.sessionTask(SessionTaskID(rawValue: String(repeating: digit, count: 32)))?.sessions
                .map(\.outcome)
        }
        let interrupted = try await outcomesOfTask("2")
        XCTAssertEqual(interrupted, [.decided(.ended), .decided(.failed(.taskInterrupted)), .ignoredUser])
        let refused = try await outcomesOfTask("3")
        XCTAssertEqual(refused, [.loginRefused])
        let all = try await outcomesOfTask("9")
        XCTAssertEqual(all, outcomes.map(SessionTaskOutcome.decided))
    }

    func testAnOpenPlanCanStillBeCommitted() async throws {
        let store = try await openEarlierStore()
        let open = try await plan(7, in: store)
        let claimed = try await store.claim(open.plan.name, intending: [.number(101)], at: commit)
        XCTAssertTrue(claimed)
        let finished = try await store.finish(
            open.plan.name, as: .abandoned, outcomes: [.number(101): .ended, .number(102): .failed(.notPinnable)],
            at: end)
        XCTAssertNotNil(finished)
        let status = try await plan(7, in: store).state.status
        XCTAssertEqual(status, .abandoned)
    }
}
