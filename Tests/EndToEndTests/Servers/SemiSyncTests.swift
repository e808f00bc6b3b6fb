import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Semi-synchronous replication without a replica that would acknowledge anything.
final class SemiSyncTests: XCTestCase {
    private static let mariaDB = Result {
        try RealServer.start(
            .mariadb,
            options: [
                "--log-bin=binlog", "--server-id=1", "--rpl-semi-sync-master-wait-no-slave=ON",
                "--rpl-semi-sync-master-timeout=600000",
            ])
    }
    private static let mySQL = Result { try RealServer.start(.mysql, options: ["--log-bin=binlog", "--server-id=1"]) }

    private static func server(_ kind: RealServer.Kind) throws -> RealServer {
        switch kind {
        case .mariadb: try mariaDB.get()
        case .mysql: try mySQL.get()
        }
    }

    private func switchOn(_ scene: Scene, _ isOn: Bool, waitPoint: String) async throws {
        let root = scene.administrator
        guard scene.server.kind == .mysql else {
            try await root.query(
                """
                SET GLOBAL rpl_semi_sync_master_wait_point=\(waitPoint);
                SET GLOBAL rpl_semi_sync_master_enabled=\(isOn ? 1 : 0)
                """)
            return
        }
        let plugins = try await root.query("SHOW PLUGINS").first?.rows.compactMap { $0[0] } ?? []
        if !plugins.contains("rpl_semi_sync_source") {
            try await root.query("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
        }
        try await root.query(
            """
            SET GLOBAL rpl_semi_sync_source_wait_point=\(waitPoint); SET GLOBAL rpl_semi_sync_source_timeout=600000;
            SET GLOBAL rpl_semi_sync_source_enabled=\(isOn ? 1 : 0)
            """)
    }

    func testAChangeThatWaitsForAReplicaIsCommittedAndIsSaidToBe() async throws {
        try await onEveryServer(from: Self.server) { server in
            var configuration = KilldConfiguration(port: server.database.port)
            configuration.killWaitSeconds = 3
            try await withKilld(configuration, on: server) { scene in
                for (number, waitPoint) in ["AFTER_SYNC", "AFTER_COMMIT"].enumerated() {
                    let victim = try await ClientSessions.open(1, on: server)
                    if number == 0 {
                        try await victim.run("CREATE TABLE d.acknowledged (id INT PRIMARY KEY) ENGINE=InnoDB")
                    }
                    try await self.switchOn(scene, true, waitPoint: waitPoint)
                    let id = await victim.threadIDs[0]
                    try await victim.send("INSERT INTO d.acknowledged VALUES (\(number))")
                    try await eventually("it waits for a replica") {
                        let rows = try await scene.administrator.query("SHOW PROCESSLIST").first?.rows ?? []
                        let state = rows.first { $0[0] == id.description }?[6]
                        return state?.hasPrefix("Waiting for semi-sync ACK from ") == true
                    }
                    let ticket = try scene.client.prepare([id]).ticket()
                    XCTAssertEqual(try scene.client.describe(ticket: ticket).Threads[0].AwaitsReplica, true)
                    let committed = try scene.client.commit(ticket)
                    let thread = try scene.client.describe(ticket: ticket).Threads[0]
                    if server.kind == .mariadb {
                        XCTAssertEqual(thread.Outcome, "already-committed", waitPoint)
                        XCTAssertEqual(committed.Threads, [id])
                    } else {
                        XCTAssertEqual(thread.Outcome, "failed", waitPoint)
                        XCTAssertEqual(thread.OutcomeDetail, SessionKill.Outcome.failed(.outlivedKillCommitted).detail)
                        XCTAssertEqual(committed.Threads, [])
                    }
                    try await self.switchOn(scene, false, waitPoint: waitPoint)
                    try await scene.assertGone([id])
                    let rows = try await scene.administrator.query(
                        "SELECT id FROM d.acknowledged WHERE id = \(number)"
                    ).first?.rows
                    XCTAssertEqual(rows, [["\(number)"]], "the change of a killed session was undone")
                }
            }
        }
    }
}
