import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Nodes of a Galera cluster, healthy and without a quorum.
final class GaleraTests: XCTestCase {
    private func sessions(_ clients: ClientSessions, on database: MySQLServer) async throws -> [SessionIdentity] {
        let ids = await Set(clients.threadIDs)
        return try await database.observe(.locks).sessions.map(\.identity).filter { ids.contains($0.id) }
    }

    /// Half of the sessions have run a statement, by whose number killd tells them on other MariaDBs.
    func testSessionsThatAreAsleepDieOnANodeWithAQuorumAndOnOneWithout() async throws {
        let node = try await GaleraNode.start()
        defer { node.server.database.stop() }
        try await node.server.createAccounts()
        let root = try await node.server.administrator()
        try await root.query("CREATE TABLE d.t (a INT PRIMARY KEY)")
        await root.close()
        let bystanders = try await Bystanders.open(on: node.server)
        let first = try await ClientSessions.open(40, on: node.server)
        let second = try await ClientSessions.open(40, on: node.server)
        for index in 0..<20 {
            try await first.run("DO 0", on: index)
            try await second.run("DO 0", on: index)
        }
        let database = MySQLServer(node.server.configuration())
        try await assertSessionsDie(first, on: database)
        try await node.loseQuorum()
        let reader = try await ClientSessions.open(1, on: node.server)
        do {
            try await reader.run("SELECT COUNT(*) FROM d.t")
            XCTFail("the node still has its quorum")
        } catch let error as ClientError {
            // ER_UNKNOWN_COM_ERROR, "WSREP has not yet prepared node for application use".
            XCTAssertEqual(error.code, 1_047, "\(error)")
        }
        // Those of before know of nothing yet.
        await database.close()
        let databaseAfter = MySQLServer(node.server.configuration())
        try await assertSessionsDie(second, on: databaseAfter)
        await bystanders.assertAllAnswer()
        await databaseAfter.close()
    }

    private func assertSessionsDie(
        _ victims: ClientSessions, on database: MySQLServer, file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let sessions = try await sessions(victims, on: database)
        XCTAssertEqual(sessions.count, 40, file: file, line: line)
        try await database.withConnection { connection in
            let responses = await connection.kill(sessions)
            XCTAssertEqual(responses.filter(\.isAccepted).count, 40, "\(responses)", file: file, line: line)
            try await eventually("they are gone", file: file, line: line) {
                try await connection.present(among: sessions).isEmpty
            }
        }
    }

    /// A schema change that all nodes make at the same place of their order of writes.
    func testASessionThatTheClusterDoesNotLetDieIsDeniedInTheServersWords() async throws {
        let node = try await GaleraNode.start()
        defer { node.server.database.stop() }
        try await node.server.createAccounts()
        let bystanders = try await Bystanders.open(on: node.server)
        let victims = try await ClientSessions.open(1, on: node.server)
        let root = try await node.server.administrator()
        try await root.query(
            "CREATE TABLE d.big (a INT PRIMARY KEY, b CHAR(200) DEFAULT 'x')")
        for start in 0..<2 {
            try await root.query("INSERT INTO d.big (a) SELECT seq + \(start * 250_000) FROM d.seq_1_to_250000")
        }
        let database = MySQLServer(node.server.configuration())
        let sessions = try await sessions(victims, on: database)
        try await victims.send("ALTER TABLE d.big ADD COLUMN c INT DEFAULT 3, ALGORITHM=COPY")
        try await eventually("the table is being copied", pause: .milliseconds(10)) {
            let states = try await root.query("SELECT state FROM information_schema.PROCESSLIST WHERE user = 'app'")
            return states.first?.rows.contains { $0.first == "copy to tmp table" } == true
        }
        let responses = try await database.withConnection { await $0.kill(sessions) }
        guard case .notPermitted(let message)? = responses.first else { return XCTFail("\(responses)") }
        XCTAssertTrue(message.contains("high priority"), "\(message)")
        let present = try await database.withConnection { try await $0.present(among: sessions) }
        XCTAssertEqual(present.count, 1)
        await bystanders.assertAllAnswer()
        await root.close()
        await database.close()
    }
}
