import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// What reaches the server from killd. A KILL inside a transaction stops a Galera node for ever (MDEV-30307).
final class StatementTests: XCTestCase {
    private static let beginnings = [
        "SET SESSION ", "SET NAMES ", "SET @killd_draw=UUID()", "SELECT ", "SHOW ", "DO 0", "SET @k=(SELECT ID ",
        "KILL CONNECTION @k",
        // A block, no transaction.
        "BEGIN NOT ATOMIC DECLARE ",
        // Ends what an init_connect may have begun.
        "ROLLBACK", "UNLOCK TABLES",
    ]

    func testNoTransactionIsBegunAndEveryKillIsGuarded() async throws {
        try await withKilld { scene in
            // Anew, so that the log has its connections from their beginning.
            try await scene.killd.stop()
            try await StatementLog.watch(scene) { log in
                try await scene.killd.start()
                let (victims, planned, ticket) = try await scene.prepareTwo()
                XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
                await victims.assertNoneAnswers()

                let check = try await KilldProcess.run(["check", "--config", scene.killd.configurationFile])
                XCTAssertEqual(check.status, 0, check.output)
                for entry in try await log.entries() {
                    let isKnown = Self.beginnings.contains { entry.statement.hasPrefix($0) }
                    XCTAssertTrue(isKnown, "\(entry.statement)")
                    XCTAssertFalse(entry.statement.contains("autocommit=0"), "\(entry.statement)")
                }
                try await log.assertOneKillEach(planned)
            }
        }
    }

    func testCommitsEveryStatementByItselfAlsoWhereThatIsNotTheDefault() async throws {
        try await withKilld { scene in
            try await scene.killd.stop()
            try await StatementLog.watch(scene) { log in
                let (victims, planned) = try await scene.openTwo()
                try await scene.withGlobal("autocommit", "0", afterwards: "1") {
                    try await scene.killd.start()
                    let ticket = try scene.client.prepare(planned).ticket()
                    XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
                }
                await victims.assertNoneAnswers()

                let sessions = Dictionary(grouping: try await log.entries(), by: \.connection)
                XCTAssertFalse(sessions.isEmpty)
                for (connection, entries) in sessions {
                    let first = entries[0].statement
                    XCTAssertTrue(first.hasPrefix("SET SESSION autocommit=1,"), "\(connection): \(first)")
                }
                let transactions = try await scene.administrator.query(
                    """
                    SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX \
                    WHERE trx_mysql_thread_id IN (\(sessions.keys.joined(separator: ",")))
                    """)
                XCTAssertEqual(transactions.first?.rows, [])
                if scene.server.kind == .mysql { try await assertAutocommit(scene) }
            }
        }
    }

    /// MariaDB shows no session's variables to another.
    private func assertAutocommit(_ scene: Scene) async throws {
        let values =
            try await scene.administrator.query(
                """
                SELECT VARIABLE_VALUE FROM performance_schema.variables_by_thread \
                JOIN performance_schema.threads USING (THREAD_ID) \
                WHERE VARIABLE_NAME = 'autocommit' AND PROCESSLIST_USER = 'killd'
                """
            ).first?.rows ?? []
        XCTAssertFalse(values.isEmpty)
        XCTAssertTrue(values.allSatisfy { $0 == ["ON"] }, "\(values)")
    }
}
