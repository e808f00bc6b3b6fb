import Foundation
import Migrations
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class MigrationTests: StoreTestCase {
    private let steps = [
        Migration(version: 1, name: "pets", sql: "CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT) STRICT;"),
        Migration(
            version: 2, name: "legs",
            sql: "ALTER TABLE pets ADD COLUMN legs INTEGER; INSERT INTO pets (name, legs) VALUES ('cat', 4);"),
        Migration(
            version: 3, name: "owners",
            sql: """
                CREATE TABLE owners (id INTEGER PRIMARY KEY) STRICT;
                CREATE TABLE new_pets (
                    id INTEGER PRIMARY KEY, name TEXT, legs INTEGER, owner INTEGER REFERENCES owners) STRICT;
                INSERT INTO new_pets SELECT id, name, legs, NULL FROM pets;
                DROP TABLE pets;
                ALTER TABLE new_pets RENAME TO pets;
                """),
    ]

    /// Creates the store at `path` with `migrations` only, whose tables need not be those of the product.
    func makeStore(_ migrations: [Migration]) throws { _ = try migrate(migrations) }

    private func migrate(_ migrations: [Migration]) throws -> [String] {
        let file = try StoreFile(path: path)
        let connection = try Connection(path: file.path)
        try connection.setPragma("journal_mode", to: "WAL", answering: "wal")
        let versions = try SchemaVersions(of: connection, known: migrations)
        try versions.applyPending(to: connection, at: openingTime)
        return try Statement(
            "SELECT version || ' ' || name AS migration FROM migrations ORDER BY version", on: connection
        )
        .rows { try $0.text("migration") }
    }

    private func makeEmptyFile() throws { try Data().write(to: URL(fileURLWithPath: path)) }

    private func read(_ sql: String) throws -> String? { try Connection(path: path).firstValue(of: sql) }

    /// Opens the store with the product's own code and asserts that it is refused and untouched.
    private func assertRefused(
        knowing migrations: [Migration], _ reason: StoreError.Reason, _ text: String, file: StaticString = #filePath,
        line: UInt = #line
    ) async throws {
        let before = try contents(path)
        let walBefore = (try? contents(path + "-wal")) ?? Data()
        let error = try await storeError(file: file, line: line) { _ = try await openStore(migrations: migrations) }
        XCTAssertEqual(error.reason, reason, file: file, line: line)
        XCTAssertTrue(error.description.contains(text), error.description, file: file, line: line)
        XCTAssertTrue(error.description.contains(path), error.description, file: file, line: line)
        XCTAssertEqual(try contents(path), before, file: file, line: line)
        XCTAssertEqual((try? contents(path + "-wal")) ?? Data(), walBefore, file: file, line: line)
    }

    func testTheListHoldsEveryFileOfTheFolderInOrder() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Migrations")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".sql") }
        let listed = Migration.all.map { migration in
            "V" + String(String(10_000 + migration.version).dropFirst()) + "__\(migration.name).sql"
        }
        XCTAssertEqual(listed, files.sorted())
        XCTAssertEqual(Migration.all.map(\.version), Array(1...Migration.all.count))
        for (migration, file) in zip(Migration.all, listed) {
            XCTAssertEqual(
                migration.sql, try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8))
        }
    }

    func testANewStoreRecordsWhatWasAppliedAndWhoseItIs() async throws {
        let store = try await openStore()
        let record = try await store.value(
            "SELECT group_concat(version || ' ' || name || ' ' || applied_at) FROM migrations ORDER BY version")
        let expected = Migration.all.map { "\($0.version) \($0.name) \(openingTime.milliseconds)" }
        XCTAssertEqual(record, expected.joined(separator: ","))
        let checksum = try await store.value("SELECT DISTINCT length(checksum) FROM migrations")
        XCTAssertEqual(checksum, "64")
        let application = try await store.value("PRAGMA application_id")
        XCTAssertEqual(application, String(0x6B69_6C64))
    }

    func testOpeningAgainAppliesNothing() async throws {
        try await openStore().close()
        let store = try await SQLiteStore.open(path: path, at: end)
        let times = try await store.value("SELECT group_concat(DISTINCT applied_at) FROM migrations")
        try await store.close()
        XCTAssertEqual(times, String(openingTime.milliseconds))
    }

    func testUpgradesFromEveryEarlierVersion() throws {
        for version in 0...steps.count {
            if version > 0 { try makeStore(Array(steps.prefix(version))) }
            let applied = try migrate(steps)
            XCTAssertEqual(applied, ["1 pets", "2 legs", "3 owners"], "from version \(version)")
            XCTAssertEqual(try read("SELECT name || legs FROM pets WHERE owner IS NULL"), "cat4")
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }
    }

    func testAnEmptyFileBecomesAStore() async throws {
        try makeEmptyFile()
        let store = try await openStore()
        try await store.insert(.example())
    }

    func testWhatACrashBeforeTheFirstMigrationLeavesBecomesAStore() async throws {
        try makeEmptyFile()
        try Connection(path: path).setPragma("journal_mode", to: "WAL", answering: "wal")
        XCTAssertFalse(try contents(path).isEmpty)
        let store = try await openStore()
        try await store.insert(.example())
    }

    func testAStoreFromANewerKilldIsRefusedAndLeftAlone() async throws {
        try await openStore(migrations: Migration.all + [future]).close()
        try await assertRefused(
            knowing: Migration.all, .other, "written by a newer killd: it has migration \(future.version) (future)")
    }

    func testAStoreFromANewerKilldThatCrashedIsRefusedAndLeftAlone() async throws {
        let newer = try await openStore(folder + "/newer.sqlite", migrations: Migration.all + [future])
        try await newer.insert(.example())
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: folder + "/newer.sqlite" + suffix, toPath: path + suffix)
        }
        XCTAssertFalse(try contents(path + "-wal").isEmpty)
        try await assertRefused(knowing: Migration.all, .other, "written by a newer killd")
        let recovered = try await openStore(migrations: Migration.all + [future])
        let stored = try await recovered.plan(with: KillPlan.example().sqlExecID)
        XCTAssertEqual(stored?.plan, .example())
    }

    func testAStoreWithAChangedMigrationIsRefusedAndLeftAlone() async throws {
        try await openStore().close()
        for changed in [
            Migration(version: 1, name: "kill_plans", sql: Migration.all[0].sql + " "),
            Migration(version: 1, name: "killing_plans", sql: Migration.all[0].sql),
        ] {
            try await assertRefused(
                knowing: [changed] + Migration.all.dropFirst(), .other, "migration 1 (kill_plans) with another text")
        }
    }

    func testAFailingMigrationLeavesNoTraceAndKeepsThoseBefore() async throws {
        let failing = Migration(
            version: future.version, name: "half",
            sql: "CREATE TABLE half (id INTEGER); INSERT INTO nowhere VALUES (1);")
        let error = try await storeError { _ = try await openStore(migrations: Migration.all + [failing]) }
        XCTAssertTrue(error.description.contains("apply migration \(future.version) (half)"), error.description)
        let store = try await openStore()
        let tables = try await store.value(
            "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)")
        XCTAssertEqual(
            tables,
            "audit_entries,decisions,kill_tasks,migrations,outbox,outbox_targets,plans,session_task_sessions,"
                + "session_tasks,threads")
    }

    func testAFailingFirstMigrationLeavesAnEmptyStore() async throws {
        let failing = Migration(version: 1, name: "half", sql: "CREATE TABLE half (id INTEGER); SELECT nonsense;")
        _ = try await storeError { _ = try await openStore(migrations: [failing]) }
        let store = try await openStore()
        try await store.insert(.example())
    }

    func testAMigrationThatBreaksReferencesIsUndone() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        try await store.close()
        let breaking = Migration(version: future.version, name: "forget", sql: "DELETE FROM plans;")
        let error = try await storeError { _ = try await openStore(migrations: Migration.all + [breaking]) }
        XCTAssertTrue(error.description.contains("rows of threads refer to rows"), error.description)
        let stored = try await openStore().plan(with: KillPlan.example().sqlExecID)
        XCTAssertEqual(stored?.plan, .example())
    }

    func testADamagedStoreIsNotUpgraded() async throws {
        let store = try await openStore()
        try await store.insert(.example(threads: 1_000))
        try await store.close()
        var bytes = try contents(path)
        // A page in the middle: far from those of the schema, inside those of the threads.
        let page = bytes.count / 4_096 / 2 * 4_096
        bytes.replaceSubrange(page..<page + 64, with: Data(count: 64))
        try bytes.write(to: URL(fileURLWithPath: path))
        try await assertRefused(knowing: Migration.all + [future], .damaged, "the store is damaged")
    }

    func testAnotherProgramsDatabaseIsRefusedAndLeftAlone() async throws {
        try makeEmptyFile()
        let foreign = try Connection(path: path)
        try foreign.execute("PRAGMA application_id = 252006673; CREATE TABLE blobs (id INTEGER)")
        try foreign.close()
        try await assertRefused(
            knowing: Migration.all, .damaged, "another program's database (application_id 252006673)")
    }

    func testAnUnmarkedDatabaseWithTablesIsRefusedAndLeftAlone() async throws {
        try makeEmptyFile()
        let foreign = try Connection(path: path)
        try foreign.execute("CREATE TABLE bookmarks (id INTEGER)")
        try foreign.close()
        try await assertRefused(knowing: Migration.all, .damaged, "another program's database (application_id 0)")
    }

    func testAFileThatIsNoDatabaseIsRefusedAndLeftAlone() async throws {
        let long = String(repeating: "{\"accounts\": []}\n", count: 1_000)
        for text in ["x", "SQLite format 2\0and more", "not a database\n", long] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            try await assertRefused(knowing: Migration.all, .damaged, "the file is no database")
        }
    }

    private let future = Migration(
        version: Migration.all.count + 1, name: "future", sql: "CREATE TABLE future (id INTEGER) STRICT;")
}
