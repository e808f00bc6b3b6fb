import Foundation
import Migrations
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class MemoryStoresTests: StoreTestCase {
    private func stores() throws -> MemoryStores { try MemoryStores() }

    func testKeepTheContractOfAStore() async throws {
        let stores = try stores()
        try await StoreContract.check(self) { try await stores.open(at: openingTime) }
    }

    func testHaveTheTablesOfAStoreInAFile() async throws {
        let schema = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY type, name)"
        let (inMemory, inFile) = (try await stores().open(at: openingTime), try await openStore())
        let (found, expected) = (try await inMemory.value(schema), try await inFile.value(schema))
        XCTAssertEqual(found, expected)
        let enforced = try await inMemory.value("PRAGMA foreign_keys")
        XCTAssertEqual(enforced, "1")
    }

    func testKnowNothingOfEachOther() async throws {
        let stores = try stores()
        let (first, second) = (try await stores.open(at: openingTime), try await stores.open(at: openingTime))
        try await first.insert(.example())
        let known = try await second.plan(named: KillPlan.example().name)
        XCTAssertNil(known)
        let (name, other) = (try await first.auditName(), try await second.auditName())
        XCTAssertNotEqual(name, other)
    }

    func testLeaveTheOthersOnTheirThreadOpen() async throws {
        let stores = try stores()
        let (first, second) = (try await stores.open(at: openingTime), try await stores.open(at: openingTime))
        try await first.close()
        try await second.insert(.example())
        let error = try await storeError { try await first.insert(.example()) }
        XCTAssertTrue(error.description.contains("the store is closed"), error.description)
    }

    func testACopyHasAllThatTheStoreHadAndGoesItsOwnWay() async throws {
        let stores = try stores()
        let store = try await stores.open(at: openingTime)
        try await store.insert(.example(1))
        let claimed = try await store.claim(KillPlan.example(1).name, intending: [.number(101)], at: commit)
        XCTAssertTrue(claimed)
        let copy = try await stores.open(try await store.serialized(), at: openingTime)
        let (before, after) = (
            try await store.plan(named: KillPlan.example(1).name), try await copy.plan(named: KillPlan.example(1).name)
        )
        XCTAssertEqual(after, before)
        let (name, sameName) = (try await store.auditName(), try await copy.auditName())
        XCTAssertEqual(sameName, name)
        try await copy.insert(.example(2))
        let unknown = try await store.plan(named: KillPlan.example(2).name)
        XCTAssertNil(unknown)
    }

    func testBytesOfAnotherKilldsSchemaAreRefusedInWords() async throws {
        let earlier = try Database(
            at: .memory(copying: nil), migrations: Array(Migration.all.dropLast()), at: openingTime
        ).connection.serialized()
        let (stores, last) = (try stores(), try XCTUnwrap(Migration.all.last))
        var error = try await storeError { _ = try await stores.open(earlier, at: openingTime) }
        XCTAssertTrue(
            error.description.contains("an earlier killd made it, without migration \(last.version) (\(last.name))"),
            error.description)
        let later = try Database(
            at: .memory(copying: nil),
            migrations: Migration.all + [Migration(version: last.version + 1, name: "later", sql: "SELECT 1")],
            at: openingTime
        ).connection.serialized()
        error = try await storeError { _ = try await stores.open(later, at: openingTime) }
        XCTAssertTrue(
            error.description.contains("written by a newer killd: it has migration \(last.version + 1)"),
            error.description)
    }

    func testWhatIsNoStoreInMemoryIsRefused() async throws {
        let stores = try stores()
        let inFile = try await openStore()
        var damaged = try await stores.open(at: openingTime).serialized()
        for index in damaged.indices where index >= 1_024 && index % 7 == 0 { damaged[index] ^= 0xFF }
        let refused: [([UInt8], String)] = [
            ([], "the bytes are no database"), (Array("SQLite format 3\0".utf8), "the bytes are no database"),
            (try await inFile.serialized(), "a store in a file"), (damaged, "cannot open a store in memory"),
        ]
        for (bytes, words) in refused {
            let error = try await storeError { _ = try await stores.open(bytes, at: openingTime) }
            XCTAssertTrue(error.description.contains(words), error.description)
        }
    }

    func testMakeNoFile() async throws {
        let before = try FileManager.default.contentsOfDirectory(atPath: ".")
        let store = try await stores().open(at: openingTime)
        try await store.insert(.example())
        let after = try FileManager.default.contentsOfDirectory(atPath: ".")
        XCTAssertEqual(Set(after), Set(before))
    }
}
