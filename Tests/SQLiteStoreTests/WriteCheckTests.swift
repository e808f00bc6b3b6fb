import Foundation
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class WriteCheckTests: StoreTestCase {
    func testTheCheckWritesToDiskAndChangesNothing() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        let before = try contents(path + "-wal").count
        try await store.checkWritable()
        XCTAssertGreaterThan(try contents(path + "-wal").count, before)
        try await store.close()

        let reopened = try await openStore()
        let plan = try await reopened.plan(named: PlanName(rawValue: "plan-1"))
        XCTAssertEqual(plan?.plan, .example())
    }

    func testTheCheckFailsWhereAWriteWould() async throws {
        let store = try await openStore()
        try FileManager.default.moveItem(atPath: path, toPath: path + ".moved")
        let error = try await storeError { try await store.checkWritable() }
        XCTAssertEqual(error.reason, .cannotWrite)
        XCTAssertTrue(error.description.contains("deleted, renamed or replaced"), error.description)
        try FileManager.default.moveItem(atPath: path + ".moved", toPath: path)
        try await store.checkWritable()
    }

    func testTheCheckOfAClosedStoreFails() async throws {
        let store = try await openStore()
        try await store.close()
        let error = try await storeError { try await store.checkWritable() }
        XCTAssertTrue(error.description.contains("closed"), error.description)
    }
}
