import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

final class ObservationTests: XCTestCase {
    private func observe(_ server: RealServer) async throws -> ServerObservation {
        let database = MySQLServer(server.configuration())
        let observation = try await database.withConnection { try await $0.observe(.transactions) }
        await database.close()
        return observation
    }

    func testTwoObservationsSeeTheSameServer() async throws {
        try await onEveryServer { server in
            let first = try await observe(server).fingerprint
            let second = try await observe(server).fingerprint
            XCTAssertNil(first.difference(from: second))
            XCTAssertEqual(first.port, Int(server.database.port))
            XCTAssertNotNil(first.uniqueID)
            XCTAssertGreaterThan(try XCTUnwrap(second.connectionCount), try XCTUnwrap(first.connectionCount))
        }
    }

    func testARestartedServerIsAnother() async throws {
        try await onEveryServer { shared in
            let server = try RealServer.start(shared.kind)
            try await server.createAccounts()
            let sessions = try await ClientSessions.open(30, on: server)
            let before = try await observe(server).fingerprint
            try await server.restart()
            let after = try await observe(server).fingerprint
            XCTAssertEqual(before.difference(from: after), .serverRestarted)
            _ = sessions
            server.database.stop()
        }
    }

    func testListsSessionsWithStatementAndTransaction() async throws {
        try await onEveryServer { server in
            let sessions = try await ClientSessions.open(3, on: server)
            let ids = await sessions.threadIDs
            try await sessions.run("CREATE TABLE IF NOT EXISTS d.observed (id INT PRIMARY KEY, v INT) ENGINE=InnoDB")
            try await sessions.run("BEGIN")
            try await sessions.run("INSERT INTO d.observed VALUES (1, 0), (2, 0), (3, 0)")
            try await sessions.run("USE d", on: 1)
            let sleep = "SELECT SLEEP(60) /* \(String(repeating: "long ", count: 400)) */"
            try await sessions.send(sleep, on: 1)

            var observation = try await observe(server)
            try await eventually("the transaction is shown", pause: .milliseconds(300)) {
                observation = try await observe(server)
                return observation.sessions.contains { $0.id == ids[0] && $0.details.transaction != nil }
                    && observation.sessions.contains { $0.id == ids[1] && $0.details.command == "Query" }
            }
            let listed = Dictionary(uniqueKeysWithValues: observation.sessions.map { ($0.id, $0) })
            let writer = try XCTUnwrap(listed[ids[0]])
            XCTAssertEqual(writer.identity.user, "app")
            XCTAssertNotNil(writer.identity.host.firstMatch(of: /^(localhost|127\.0\.0\.1):\d+$/), writer.identity.host)
            XCTAssertEqual(writer.details.transaction?.state, "RUNNING")
            XCTAssertEqual(writer.details.transaction?.rowsModified, 3)
            let age = try XCTUnwrap(writer.details.transaction?.age)
            XCTAssertTrue((0..<20).contains(age), "\(age)")
            let sleeper = try XCTUnwrap(listed[ids[1]])
            XCTAssertEqual(sleeper.details.statement, sleep)
            XCTAssertEqual(sleeper.details.database, "d")
            XCTAssertNil(sleeper.details.transaction)
            let idle = try XCTUnwrap(listed[ids[2]])
            XCTAssertEqual(idle.details.command, "Sleep")
            XCTAssertNil(idle.details.statement)
            XCTAssertNil(idle.details.database)
        }
    }

    func testOfLargeStatementsTheServerSendsBeginningsOnly() async throws {
        try await onEveryServer { server in
            let sessions = try await ClientSessions.open(4, on: server)
            let ids = await sessions.threadIDs
            let statement = "SELECT SLEEP(60), '" + String(repeating: "\u{E9}", count: 1_500_000) + "'"
            for index in 0..<3 { try await sessions.send(statement, on: index) }
            try await sessions.send("SELECT SLEEP(60), 'short'", on: 3)
            let database = MySQLServer(server.configuration())
            // Each of these has a memory of its own.
            try await eventually("all run") {
                let snapshot = try await observe(server)
                return ids.allSatisfy { id in snapshot.sessions.contains { $0.id == id && $0.details.statement != nil }
                }
            }
            let whole = try await database.observe(.sessions)
            let cut = try await database.observe(.sessions)
            let cutList = try await database.list().sessions
            for (name, snapshot) in [("whole", whole.sessions), ("cut", cut.sessions), ("cut list", cutList)] {
                let found = Dictionary(uniqueKeysWithValues: snapshot.map { ($0.id, $0) })
                let before = Dictionary(uniqueKeysWithValues: whole.sessions.map { ($0.id, $0) })
                for id in ids {
                    let session = try XCTUnwrap(found[id], name)
                    XCTAssertEqual(session.identity, before[id]?.identity, name)
                    let text = try XCTUnwrap(session.details.statement, name)
                    guard id != ids[3] else {
                        XCTAssertEqual(text, "SELECT SLEEP(60), 'short'", name)
                        XCTAssertNil(session.details.statementLength, name)
                        continue
                    }
                    XCTAssertTrue(statement.utf8.starts(with: text.utf8), name)
                    let most = name == "whole" || server.kind == .mariadb ? 65_535 : 1_024
                    XCTAssertTrue((most - 3...most).contains(text.utf8.count), "\(name): \(text.utf8.count)")
                    let length = try XCTUnwrap(session.details.statementLength, name)
                    if name == "whole" { XCTAssertEqual(length, statement.utf8.count) }
                    XCTAssertGreaterThan(length, text.utf8.count, name)
                }
            }
            await database.close()
            for id in ids { try await server.administrator().query("KILL \(id)") }
        }
    }

    /// The client library keeps as much memory as the largest row had.
    func testAConnectionThatReadALargeStatementMakesRoomForAnother() async throws {
        try await onEveryServer { server in
            let sessions = try await ClientSessions.open(1, on: server)
            try await sessions.send("SELECT SLEEP(60), '" + String(repeating: "x", count: 4_000_000) + "'", on: 0)
            let id = await sessions.threadIDs[0]
            try await eventually("it runs") {
                try await observe(server).sessions.contains { $0.id == id && $0.details.statement != nil }
            }
            let database = MySQLServer(server.configuration())
            let first = try await database.observe(.sessions).ownThreadIDs
            XCTAssertEqual(first.count, 1)
            try await eventually("another connection in its place") {
                try await database.observe(.server).ownThreadIDs.isDisjoint(with: first)
            }
            let list = try await database.list().sessions
            XCTAssertTrue(list.contains { $0.id == id })
            await database.close()
            // Or it would run on, where the next tests list sessions.
            try await server.administrator().query("KILL \(id)")
        }
    }

    /// On MySQL such a statement makes every SELECT from information_schema.PROCESSLIST fail.
    func testAStatementBeyondTheServersCharacterSetIsListedAllTheSame() async throws {
        let odd: [[UInt8]] = [Array("\u{1F600}".utf8), [0xFF, 0xC3, 0x28]]
        try await onEveryServer { server in
            for bytes in odd {
                let sessions = try await ClientSessions.open(1, on: server)
                let id = await sessions.threadIDs[0]
                try await sessions.send(Array("SELECT SLEEP(60), '".utf8) + bytes + Array("' AS odd".utf8))
                try await eventually("the statement is listed") {
                    let session = try await observe(server).sessions.first { $0.id == id }
                    return session?.details.statement?.hasSuffix("' AS odd") == true
                }
            }
        }
    }

    func testKnowsItsOwnConnections() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration())
            let observation = try await database.withConnection { _ in
                try await database.withConnection { try await $0.observe(.transactions) }
            }
            let own = observation.sessions.filter { $0.identity.user == "killd" }.map(\.id)
            XCTAssertEqual(observation.ownThreadIDs.count, 2)
            XCTAssertTrue(observation.ownThreadIDs.isSubset(of: own))
            await database.close()
        }
    }

    func testRefusesAListThatWouldBePartial() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration(user: "app"))
            let error = try await assertThrows(ServerError.self) {
                try await database.withConnection { try await $0.observe(.transactions) }
            }
            XCTAssertEqual(error.reason, .privilegeMissing("PROCESS"))
            await database.close()
        }
    }

    func testReadsTheListWholeWhateverTheServersDefaults() async throws {
        try await onEveryServer { server in
            let root = try await server.administrator()
            let sessions = try await ClientSessions.open(5, on: server)
            try await root.query("SET GLOBAL sql_select_limit=2, GLOBAL autocommit=0, GLOBAL time_zone='+13:00'")
            let observation = try await observe(server)
            try await root.query(
                "SET GLOBAL sql_select_limit=18446744073709551615, GLOBAL autocommit=1, GLOBAL time_zone='SYSTEM'")
            let ids = await sessions.threadIDs
            XCTAssertTrue(Set(ids).isSubset(of: observation.sessions.map(\.id)))
        }
    }

    func testNoAnonymousUserCatchesLogins() async throws {
        try await onEveryServer { server in
            let root = try await server.administrator()
            let answer = try await root.query("SELECT COUNT(*) FROM mysql.user WHERE user=''")
            XCTAssertEqual(answer[0].rows, [["0"]])
        }
    }
}
