import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

final class PerformanceSchemaTests: XCTestCase {
    private func createAccounts(on server: RealServer) async throws {
        try await server.createAccounts()
        let root = try await server.administrator()
        try await root.query("GRANT SELECT ON performance_schema.threads TO killd@'%'")
    }

    private func assertPinsAndKillsByThreadID(on server: RealServer) async throws {
        try await createAccounts(on: server)
        let bystanders = try await Bystanders.open(on: server)
        let victims = try await ClientSessions.open(3, on: server)
        let ids = await victims.threadIDs
        let database = MySQLServer(server.configuration())
        try await database.withConnection { connection in
            let listed = try await connection.observe(.sessions).sessions.filter { ids.contains($0.id) }.map(\.identity)
            XCTAssertEqual(Set(listed.compactMap(\.performanceSchemaThreadID)).count, 3)
            if server.kind == .mysql {
                // Everything but the THREAD_ID is right, as when an id comes round again.
                let others = listed.map { session in
                    var other = session
                    other.performanceSchemaThreadID = session.performanceSchemaThreadID.map { $0 + 1_000_000 }
                    return other
                }
                let spared = await connection.kill(others)
                XCTAssertEqual(spared, [.notFound, .notFound, .notFound])
            }
            let answers = await connection.kill(listed)
            XCTAssertEqual(answers.count(where: \.isAccepted), 3)
            if server.kind == .mysql {
                XCTAssertEqual(answers, Array(repeating: .accepted(by: .threadID), count: 3))
            }
            try await eventually("they are gone") { try await connection.present(among: listed).isEmpty }
        }
        await database.close()
        await bystanders.assertAllAnswer()
    }

    func testPinsTheThreadIDOnMariaDBWithPerformanceSchema() async throws {
        let server = try RealServer.start(.mariadb, options: ["--performance-schema=ON"])
        try await assertPinsAndKillsByThreadID(on: server)
        server.database.stop()
    }

    func testPinsTheThreadIDOnMySQL() async throws {
        try await assertPinsAndKillsByThreadID(on: try RealServer.shared(.mysql))
        // Other tests want the account without that right.
        let root = try await RealServer.shared(.mysql).administrator()
        try await root.query("REVOKE SELECT ON performance_schema.threads FROM killd@'%'")
    }

    func testSeesAllSessionsWherePerformanceSchemaLacksSome() async throws {
        let server = try RealServer.start(.mysql, options: ["--performance-schema-max-thread-instances=60"])
        try await createAccounts(on: server)
        let sessions = try await ClientSessions.open(80, on: server)
        let ids = await sessions.threadIDs
        let database = MySQLServer(server.configuration())
        try await database.withConnection { connection in
            let listed = try await connection.observe(.sessions).sessions.filter { ids.contains($0.id) }.map(\.identity)
            XCTAssertEqual(listed.count, 80)
            XCTAssertLessThan(listed.compactMap(\.performanceSchemaThreadID).count, 80)
            let present = try await connection.present(among: listed)
            XCTAssertEqual(present, Set(ids))
            let answers = await connection.kill(listed)
            XCTAssertEqual(answers.filter(\.isAccepted).count, 80)
        }
        let lost = await database.check().contains { finding in
            if case .threadInstancesLost(let count) = finding.subject { count > 0 } else { false }
        }
        XCTAssertTrue(lost)

        // Now SHOW PROCESSLIST is blind too.
        let root = try await server.administrator()
        try await root.query("SET GLOBAL performance_schema_show_processlist=ON")
        let error = try await assertThrows(ServerError.self) {
            try await database.withConnection { try await $0.observe(.sessions) }
        }
        XCTAssertTrue(error.description.contains("partial"), "\(error)")
        await database.close()
        server.database.stop()
    }
}
