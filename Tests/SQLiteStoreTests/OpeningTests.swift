import TestSupport
import CSQLite
import Foundation
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class OpeningTests: StoreTestCase {
    func testWritesAreSyncedAtEachCommitAndReferencesEnforced() async throws {
        let store = try await openStore()
        let expected = [
            ("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("busy_timeout", "5000"),
            ("temp_store", "2"),
        ]
        for (pragma, value) in expected {
            let answer = try await store.value("PRAGMA \(pragma)")
            XCTAssertEqual(answer, value, pragma)
        }
    }

    func testANewStoreIsForItsOwnersEyesOnly() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/" + file)
            XCTAssertEqual(attributes[.posixPermissions] as? Int, 0o600, file)
        }
    }

    func testTheModeOfAnExistingStoreIsKept() async throws {
        try await openStore().close()
        XCTAssertEqual(chmod(path, 0o640), 0)
        try await openStore().close()
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        XCTAssertEqual(attributes[.posixPermissions] as? Int, 0o640)
    }

    func testAStoreInUseIsRefused() async throws {
        let store = try await openStore()
        let link = folder + "/link.sqlite"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        for name in [path, folder + "/./killd.sqlite", link] {
            let error = try await storeError { _ = try await openStore(name) }
            XCTAssertEqual(error.reason, .busy)
            XCTAssertTrue(error.description.contains("\(path).lock"), error.description)
        }
        try await store.insert(.example())
        let stored = try await store.plan(with: KillPlan.example().sqlExecID)
        XCTAssertEqual(stored?.plan, .example())
    }

    func testAStoreInUseIsRefusedUnderAHardLinkToo() async throws {
        let store = try await openStore()
        let other = folder + "/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: false)
        for link in [folder + "/link.sqlite", other + "/killd.sqlite"] {
            try FileManager.default.linkItem(atPath: path, toPath: link)
            let error = try await storeError { _ = try await openStore(link) }
            XCTAssertEqual(error.reason, .busy)
            XCTAssertTrue(error.description.contains("\(link) is locked"), error.description)
        }
        try await store.insert(.example())
        let stored = try await store.plan(with: KillPlan.example().sqlExecID)
        XCTAssertEqual(stored?.plan, .example())
    }

    func testALockThatIsASymbolicLinkIsRefusedAndNothingIsMadeWhereItLeads() async throws {
        let elsewhere = folder + "/elsewhere"
        try FileManager.default.createSymbolicLink(atPath: path + ".lock", withDestinationPath: elsewhere)
        let error = try await storeError { _ = try await openStore() }
        XCTAssertEqual(error.reason, .cannotWrite)
        XCTAssertTrue(error.description.contains("\(path).lock: it is a symbolic link"), error.description)
        XCTAssertFalse(FileManager.default.fileExists(atPath: elsewhere))
        XCTAssertFalse(FileManager.default.fileExists(atPath: path))
    }

    func testTheWALShrinksAgainWhenALongReaderHasLeft() async throws {
        let store = try await openStore()
        func sizeOfWAL() throws -> Int {
            let attributes = try FileManager.default.attributesOfItem(atPath: path + "-wal")
            return try XCTUnwrap(attributes[.size] as? Int)
        }
        let reader = try Connection(path: path)
        try reader.execute("BEGIN; SELECT * FROM plans")
        try await store.execute("CREATE TABLE big (bytes BLOB); INSERT INTO big VALUES (zeroblob(30000000))")
        try await store.insert(.example())
        XCTAssertGreaterThan(try sizeOfWAL(), 30_000_000)
        try reader.execute("COMMIT")
        for number in 2...3 { try await store.insert(.example(number)) }
        XCTAssertLessThanOrEqual(try sizeOfWAL(), Database.largestLeftWAL)
    }

    func testAStoreIsFreeAgainAfterCloseAndAfterRelease() async throws {
        try await openStore().close()
        do {
            let store = try await SQLiteStore.open(path: path, at: openingTime)
            try await store.insert(.example())
        }
        // A released store ends on whichever thread lets go of it last, perhaps a moment later.
        try await eventually("the end of the released store") {
            guard let store = try? await openStore() else { return false }
            let stored = try await store.plan(with: KillPlan.example().sqlExecID)
            XCTAssertEqual(stored?.plan, .example())
            return true
        }
    }

    func testASymbolicLinkLeadsToTheStore() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        try await store.close()
        let link = folder + "/link.sqlite"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        let linked = try await openStore(link)
        let stored = try await linked.plan(with: KillPlan.example().sqlExecID)
        XCTAssertEqual(stored?.plan, .example())
    }

    func testARelativePathIsTakenFromTheWorkingFolder() async throws {
        let before = FileManager.default.currentDirectoryPath
        XCTAssertTrue(FileManager.default.changeCurrentDirectoryPath(folder))
        defer { XCTAssertTrue(FileManager.default.changeCurrentDirectoryPath(before)) }
        let store = try await openStore("killd.sqlite")
        try await store.insert(.example())
        XCTAssertTrue(FileManager.default.fileExists(atPath: path))
    }

    func testAPathWhereNoStoreCanBeIsRefused() async throws {
        for path in ["", "/", folder, "/dev/null", folder + "/missing/killd.sqlite", path + "/killd.sqlite"] {
            let error = try await storeError { _ = try await openStore(path) }
            XCTAssertEqual(error.reason, .cannotWrite, path)
            XCTAssertTrue(error.description.contains("cannot open the store \(path)"), error.description)
        }
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder), [])
    }

    /// Runs `body` without the superuser's power to write everywhere.
    private func asOrdinaryUser(_ body: () async throws -> Void) async throws {
        let isSuperuser = geteuid() == 0
        guard !isSuperuser || seteuid(65_534) == 0 else { throw XCTSkip("cannot stop being the superuser") }
        defer { if isSuperuser { XCTAssertEqual(seteuid(0), 0) } }
        try await body()
    }

    func testAReadOnlyFolderIsRefused() async throws {
        XCTAssertEqual(chmod(folder, 0o555), 0)
        defer { XCTAssertEqual(chmod(folder, 0o755), 0) }
        try await asOrdinaryUser {
            let error = try await storeError { _ = try await openStore() }
            XCTAssertEqual(error.reason, .cannotWrite)
            XCTAssertTrue(error.description.contains("cannot write to the folder"), error.description)
            XCTAssertTrue(error.description.contains("Permission denied"), error.description)
            let standing = try await storeError { _ = try SQLiteStore.standing(of: path) }
            XCTAssertEqual(standing, error)
        }
    }

    func testAReadOnlyFolderIsRefusedAlsoWhereAllFilesAreThere() async throws {
        XCTAssertEqual(chmod(folder, 0o777), 0)
        try await asOrdinaryUser {
            try await openStore().close()
        }
        XCTAssertEqual(chmod(folder, 0o555), 0)
        defer { XCTAssertEqual(chmod(folder, 0o755), 0) }
        try await asOrdinaryUser {
            let error = try await storeError { _ = try await openStore() }
            XCTAssertEqual(error.reason, .cannotWrite)
            XCTAssertTrue(error.description.contains("cannot write to the folder \(folder)"), error.description)
        }
    }

    func testWhatStandsAtAPlaceIsToldWithoutATrace() async throws {
        XCTAssertEqual(try SQLiteStore.standing(of: path), .free)
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder), [])
        let store = try await openStore()
        XCTAssertEqual(try SQLiteStore.standing(of: path), .inUse)
        try await store.insert(.example())
        try await store.close()
        XCTAssertEqual(try SQLiteStore.standing(of: path), .free)
        try Data("no database".utf8).write(to: URL(fileURLWithPath: path))
        let error = try await storeError { _ = try SQLiteStore.standing(of: path) }
        XCTAssertEqual(error.reason, .damaged)
    }

    func testAWriteProtectedStoreIsRefused() async throws {
        XCTAssertEqual(chmod(folder, 0o777), 0)
        try await asOrdinaryUser {
            try await openStore().close()
            XCTAssertEqual(chmod(path, 0o400), 0)
            let error = try await storeError { _ = try await openStore() }
            XCTAssertEqual(error.reason, .cannotWrite)
            XCTAssertTrue(error.description.contains("Permission denied"), error.description)
        }
    }

    func testPeopleCanReadAStoreInUse() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        let reader = try Connection(path: path)
        XCTAssertEqual(try reader.firstValue(of: "SELECT name FROM plans"), "plan-1")
        // A reader in the middle of its transaction must not stop the writer, nor an orderly close.
        try reader.execute("BEGIN; SELECT * FROM plans")
        try await store.insert(.example(2))
        try await store.close()
        XCTAssertEqual(try reader.firstValue(of: "SELECT count(*) FROM plans"), "1")
        try reader.execute("COMMIT")
        XCTAssertEqual(try reader.firstValue(of: "SELECT count(*) FROM plans"), "2")
    }

    func testAWriterBesideTheStoreMakesItBusy() async throws {
        let store = try await openStore()
        let intruder = try Connection(path: path)
        try intruder.execute("BEGIN IMMEDIATE")
        try await store.withConnection { _ = sqlite3_busy_timeout($0.handle, 1) }
        let error = try await storeError { try await store.insert(.example()) }
        XCTAssertEqual(error.reason, .busy)
        try intruder.execute("COMMIT")
        try await store.insert(.example())
    }

    func testAFullDiskStoresNothingAndIsReported() async throws {
        let store = try await openStore()
        try await store.insert(.example(1))
        let pages = try await store.value("PRAGMA page_count") ?? ""
        try await store.execute("PRAGMA max_page_count = \(pages)")
        let error = try await storeError { try await store.insert(.example(2, threads: 1_000)) }
        XCTAssertEqual(error.reason, .cannotWrite)
        let rows = try await store.value("SELECT (SELECT count(*) FROM plans) || ' ' || count(*) FROM threads")
        XCTAssertEqual(rows, "1 2")
        // What needs no new page still gets in: a kill under way must find its end.
        let claimed = try await store.claim(PlanName(rawValue: "plan-1"), intending: [.number(101)], at: commit)
        XCTAssertTrue(claimed)
        try await store.execute("PRAGMA max_page_count = 1000000")
        try await store.insert(.example(2, threads: 1_000))
    }

    func testCloseMovesEverythingIntoTheFile() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        try await store.close()
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        XCTAssertEqual(files, ["killd.sqlite", "killd.sqlite.lock"])
    }
}
