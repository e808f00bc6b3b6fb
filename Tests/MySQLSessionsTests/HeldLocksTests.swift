import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

@testable import MySQLSessions

/// Who holds locks that are no table's, of real servers.
final class HeldLocksTests: XCTestCase {
    private func held(on server: RealServer) async throws -> HeldLocks {
        let database = MySQLServer(server.configuration())
        let observation = try await database.observe(.locks)
        await database.close()
        return observation.heldLocks
    }

    private func assertTold(on server: RealServer, backupLock: String, endOfBackup: String) async throws {
        try await server.createAccounts()
        let root = try await server.administrator()
        try await root.query("GRANT SELECT ON performance_schema.* TO killd@'%'")
        try await root.query("GRANT ALL ON *.* TO app@'%'")
        try await root.query("CREATE TABLE IF NOT EXISTS d.held (id INT PRIMARY KEY) ENGINE=InnoDB")
        let sessions = try await ClientSessions.open(4, on: server)
        let ids = await sessions.threadIDs
        try await sessions.run("SELECT GET_LOCK('nightly', 0)", on: 0)
        // Takes locks of the same objects as a backup does, but of a kind that is no harm.
        try await sessions.run("BEGIN", on: 3)
        try await sessions.run("INSERT INTO d.held VALUES (1)", on: 3)
        let before = try await held(on: server)
        XCTAssertEqual(before, HeldLocks(user: [ids[0]]), "\(server.kind)")
        try await sessions.run("ROLLBACK", on: 3)

        try await sessions.run("FLUSH TABLES WITH READ LOCK", on: 1)
        let flushed = try await held(on: server)
        XCTAssertEqual(flushed, HeldLocks(global: [ids[1]], user: [ids[0]]), "\(server.kind)")
        try await sessions.run("UNLOCK TABLES", on: 1)

        try await sessions.run(backupLock, on: 2)
        let backup = try await held(on: server)
        XCTAssertEqual(backup, HeldLocks(global: [ids[2]], user: [ids[0]]), "\(server.kind)")
        try await sessions.run(endOfBackup, on: 2)
        try await sessions.run("SELECT RELEASE_LOCK('nightly')", on: 0)
        let after = try await held(on: server)
        XCTAssertEqual(after, HeldLocks(), "\(server.kind)")
        await root.close()
    }

    func testMySQLTellsOfThemWhetherAnybodyWaitsOrNot() async throws {
        let server = try RealServer.start(.mysql)
        try await assertTold(
            on: server, backupLock: "LOCK INSTANCE FOR BACKUP", endOfBackup: "UNLOCK INSTANCE")
        server.database.stop()
    }

    func testMariaDBTellsOfThemWhereItsPerformanceSchemaWatchesThem() async throws {
        let server = try RealServer.start(
            .mariadb,
            options: [
                "--performance-schema=ON", "--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON",
            ])
        try await assertTold(on: server, backupLock: "BACKUP STAGE START", endOfBackup: "BACKUP STAGE END")
        server.database.stop()
    }

    func testWhereNobodyTellsNobodyIsSaidToHoldAny() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        let sessions = try await ClientSessions.open(1, on: server)
        try await sessions.run("SELECT GET_LOCK('untold', 0)")
        let held = try await held(on: server)
        XCTAssertEqual(held, HeldLocks())
    }

    /// As MariaDB 10.11 showed them with the plugin, which comes with its full package only.
    func testTheRowsOfMariaDBsPluginAreRead() throws {
        let rows: [[String?]] = [
            ["6", "Backup lock", "MDL_BACKUP_FTWRL2"], ["8", "Backup lock", "MDL_BACKUP_START"],
            ["10", "Backup lock", "MDL_BACKUP_WAIT_COMMIT"], ["14", "User lock", "MDL_SHARED_NO_WRITE"],
            ["18", "Backup lock", "MDL_BACKUP_DDL"], ["20", "Backup lock", "MDL_BACKUP_TRANS_DML"],
            [nil, "Backup lock", "MDL_BACKUP_START"],
        ]
        let held = try MySQLConnection.heldLocks(
            try Rows(MySQLResult(columns: ["owner", "object", "type"], rows: rows), "locks"))
        XCTAssertEqual(held, HeldLocks(global: [6, 8, 10].threads, user: [14].threads))
    }
}

extension [UInt32] {
    fileprivate var threads: Set<ThreadID> { Set(compactMap { ThreadID($0) }) }
}
