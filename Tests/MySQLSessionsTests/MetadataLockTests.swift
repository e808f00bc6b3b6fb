@testable import MySQLSessions
import SessionKill
import XCTest

/// Who waits for whom, from the rows of `metadata_locks` as servers showed them.
final class MetadataLockTests: XCTestCase {
    private func locks(_ rows: [[String?]]) throws -> [MetadataLock] {
        let columns = ["owner", "status", "type", "object_type", "object_schema", "object_name"]
        return try MetadataLock.locks(try Rows(MySQLResult(columns: columns, rows: rows), "locks"))
    }

    private func waits(_ rows: [[String?]]) throws -> Set<String> {
        Set(
            MetadataLock.waits(among: try locks(rows), atMost: mostLocks).map { wait in
                "\(wait.waiter) for \(wait.holder?.description ?? "nobody") (\(wait.lock.kind.rawValue) \(wait.lock.object))"
            })
    }

    private func table(_ thread: String?, _ status: String, _ type: String) -> [String?] {
        [thread, status, type, "TABLE", "d", "t"]
    }

    func testAnAlterWaitsForReadersAndOthersForTheAlter() {
        let rows = [
            table("1", "GRANTED", "SHARED_READ"), table("2", "GRANTED", "SHARED_UPGRADABLE"),
            table("2", "PENDING", "EXCLUSIVE"), table("3", "PENDING", "SHARED_READ"),
            table("4", "PENDING", "SHARED_WRITE"),
        ]
        XCTAssertEqual(
            try waits(rows), ["2 for 1 (metadata d.t)", "3 for 2 (metadata d.t)", "4 for 2 (metadata d.t)"])
    }

    func testAnUpdateWaitsForALockTablesRead() {
        let rows = [table("1", "GRANTED", "SHARED_READ_ONLY"), table("2", "PENDING", "SHARED_WRITE")]
        XCTAssertEqual(try waits(rows), ["2 for 1 (metadata d.t)"])
    }

    func testWhoeverWaitsForANameWaitsForItsHolderOnly() {
        // MySQL's type, then MariaDB's.
        for type in ["EXCLUSIVE", "SHARED_NO_WRITE"] {
            let rows = [
                ["1", "GRANTED", type, "USER LEVEL LOCK", nil, "nightly"],
                ["2", "PENDING", type, "USER LEVEL LOCK", nil, "nightly"],
                ["3", "PENDING", type, "USER LEVEL LOCK", nil, "nightly"],
                ["4", "GRANTED", type, "USER LEVEL LOCK", nil, "hourly"],
            ]
            XCTAssertEqual(try waits(rows), ["2 for 1 (user nightly)", "3 for 1 (user nightly)"])
        }
    }

    func testWritersWaitForAGlobalReadLockAndItForWriters() {
        let held: [[String?]] = [
            ["1", "GRANTED", "SHARED", "GLOBAL", nil, nil],
            ["2", "PENDING", "INTENTION_EXCLUSIVE", "GLOBAL", nil, nil],
        ]
        XCTAssertEqual(try waits(held), ["2 for 1 (metadata GLOBAL)"])
        let wanted: [[String?]] = [
            ["1", "GRANTED", "INTENTION_EXCLUSIVE", "GLOBAL", nil, nil],
            ["2", "PENDING", "SHARED", "GLOBAL", nil, nil],
            ["3", "PENDING", "INTENTION_EXCLUSIVE", "GLOBAL", nil, nil],
        ]
        XCTAssertEqual(try waits(wanted), ["2 for 1 (metadata GLOBAL)", "3 for 2 (metadata GLOBAL)"])
    }

    func testALockOfAThreadThatIsNoSessionIsInNobodysPower() {
        let rows = [table(nil, "GRANTED", "SHARED_READ"), table("2", "PENDING", "EXCLUSIVE")]
        XCTAssertEqual(try waits(rows), ["2 for nobody (metadata d.t)"])
    }

    func testNobodyWaitsForHimself() {
        let rows = [table("1", "GRANTED", "SHARED_WRITE"), table("1", "PENDING", "EXCLUSIVE")]
        XCTAssertEqual(try waits(rows), [])
    }

    func testLocksOnDifferentTablesHaveNothingToDoWithEachOther() {
        let rows = [
            table("1", "GRANTED", "EXCLUSIVE"), ["2", "PENDING", "SHARED_READ", "TABLE", "d", "u"],
        ]
        XCTAssertEqual(try waits(rows), [])
    }

    /// A thousand who wait for a thousand would be a million pairs.
    func testOfAWaiterForTooManyNothingIsSaid() throws {
        let holders = (1...1_000).map { table("\($0)", "GRANTED", "SHARED_READ") }
        let waiters = (2_001...3_000).map { table("\($0)", "PENDING", "EXCLUSIVE") }
        let waits = MetadataLock.waits(among: try locks(holders + waiters), atMost: 5_000)
        XCTAssertEqual(waits.count, 5_000)
        for (_, pairs) in Dictionary(grouping: waits, by: \.waiter) { XCTAssertEqual(pairs.count, 1_000) }
    }
}
