import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class PurgeTests: StoreTestCase {
    private let limit = UnixTime(milliseconds: 1_800_000_000_000)
    private let before = UnixTime(milliseconds: 1_799_999_999_999)

    private func names(_ store: SQLiteStore) async throws -> String? {
        try await store.value("SELECT group_concat(name) FROM (SELECT name FROM plans ORDER BY name)")
    }

    func testDeletesWhatEndedOrExpiredBeforeTheGivenTime() async throws {
        let store = try await openStore()
        try await store.insert(.example(1, expiresAt: before))
        try await store.insert(.example(2, expiresAt: limit))
        for number in 3...4 {
            // Its expiry, long ago or far away, no longer matters once it has ended.
            try await store.insert(.example(number, expiresAt: number == 4 ? before : limit))
            _ = try await store.claim(PlanName(rawValue: "plan-\(number)"), intending: [], at: commit)
        }
        for (number, time) in [(3, before), (4, limit)] {
            _ = try await store.finish(PlanName(rawValue: "plan-\(number)"), as: .committed, outcomes: [:], at: time)
        }
        let deleted = try await store.purge(endedOrExpiredBefore: limit)
        XCTAssertEqual(deleted, 2)
        let left = try await names(store)
        XCTAssertEqual(left, "plan-2,plan-4")
        let orphans = try await store.value("SELECT count(*) FROM threads WHERE plan NOT IN (SELECT id FROM plans)")
        XCTAssertEqual(orphans, "0")
        let threads = try await store.value("SELECT count(*) FROM threads")
        XCTAssertEqual(threads, "4")
    }

    func testNeverDeletesAPlanThatIsCommitting() async throws {
        let store = try await openStore()
        try await store.insert(.example(1, expiresAt: before))
        _ = try await store.claim(PlanName(rawValue: "plan-1"), intending: [.number(101)], at: commit)
        let deleted = try await store.purge(endedOrExpiredBefore: UnixTime(milliseconds: .max))
        XCTAssertEqual(deleted, 0)
        let left = try await names(store)
        XCTAssertEqual(left, "plan-1")
    }

    func testDeletesMoreThanOnePortion() async throws {
        let store = try await openStore()
        let count = SQLiteStore.portion * 2
        for number in 0..<count + 3 {
            try await store.insert(.example(number, expiresAt: number < count ? before : limit))
        }
        let deleted = try await store.purge(endedOrExpiredBefore: limit)
        XCTAssertEqual(deleted, count)
        let left = try await store.value("SELECT count(*) FROM plans")
        XCTAssertEqual(left, "3")
    }

    func testFindsOldPlansThroughTheirIndex() async throws {
        let store = try await openStore()
        let steps = try await store.withConnection { connection in
            try Statement(
                """
                EXPLAIN QUERY PLAN SELECT id FROM plans
                WHERE state <> 'committing' AND coalesce(ended_at, expires_at) < 5
                ORDER BY coalesce(ended_at, expires_at) LIMIT 1
                """, on: connection
            ).rows { try $0.text("detail") }
        }
        XCTAssertEqual(steps.count, 1)
        XCTAssertTrue(steps.first?.contains("USING INDEX plans_by_end_of_life") ?? false, "\(steps)")
    }
}
