@testable import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// On seekdb, which is the SQL kernel of OceanBase 4.3.5 in one process: not a
/// cluster, without tenants and without the proxy. What is specific to these is
/// not tested here.
final class OceanBaseTests: XCTestCase {
    private func observe(
        _ server: SeekDB, as user: String = "killd", _ scope: ObservationScope = .transactions
    ) async throws -> ServerObservation {
        let database = MySQLServer(server.configuration(user: user))
        let observation = await Result { try await database.observe(scope) }
        await database.close()
        return try observation.get()
    }

    private func findings(_ server: SeekDB, as user: String) async -> [MySQLFinding] {
        let database = MySQLServer(server.configuration(user: user))
        let findings = await database.check()
        await database.close()
        return findings
    }

    // MARK: Observing

    func testListsSessionsWithStatementAndTransaction() async throws {
        let server = try await SeekDB.shared()
        let sessions = try await ClientSessions.open(3, at: server.port)
        let ids = await sessions.threadIDs
        try await sessions.run("CREATE TABLE IF NOT EXISTS d.observed (id INT PRIMARY KEY, v INT)")
        try await sessions.run("BEGIN")
        try await sessions.run("INSERT INTO d.observed VALUES (1, 0), (2, 0), (3, 0)")
        try await sessions.run("USE d", on: 1)
        let sleep = "SELECT SLEEP(9), '\u{1F600}' /* \(String(repeating: "long ", count: 400)) */"
        try await sessions.send(sleep, on: 1)

        var observation = try await observe(server)
        try await eventually("the statement is shown") {
            observation = try await observe(server)
            return observation.sessions.contains { $0.id == ids[1] && $0.details.command == "Query" }
        }
        let listed = Dictionary(uniqueKeysWithValues: observation.sessions.map { ($0.id, $0) })
        let writer = try XCTUnwrap(listed[ids[0]])
        XCTAssertEqual(writer.identity.user, "app")
        XCTAssertNotNil(writer.identity.host.firstMatch(of: /^127\.0\.0\.1:\d+$/), writer.identity.host)
        let transaction = try XCTUnwrap(writer.details.transaction)
        XCTAssertNotNil(transaction.id)
        XCTAssertNil(transaction.rowsModified)
        XCTAssertEqual(transaction.state, "EXPLICIT_ACTIVE")
        XCTAssertTrue((0..<20).contains(transaction.age), "\(transaction.age)")
        let sleeper = try XCTUnwrap(listed[ids[1]])
        XCTAssertEqual(sleeper.details.statement, sleep)
        XCTAssertEqual(sleeper.details.state, "ACTIVE")
        XCTAssertEqual(sleeper.details.database, "d")
        let idle = try XCTUnwrap(listed[ids[2]])
        XCTAssertEqual(idle.details.command, "Sleep")
        XCTAssertEqual(idle.details.state, "SLEEP")
        XCTAssertNil(idle.details.statement)
        XCTAssertNil(idle.details.transaction)
        XCTAssertNil(idle.details.database, "the server says NULL in letters")
        try await sessions.run("ROLLBACK")
    }

    /// On OceanBase the tables of InnoDB are there and say nothing.
    func testTheTablesOfInnoDBHoldNoTransaction() async throws {
        let server = try await SeekDB.shared()
        let root = try await server.administrator()
        let rows = try await root.query("SELECT trx_id, trx_mysql_thread_id FROM information_schema.INNODB_TRX")
        XCTAssertEqual(rows.first?.rows, [["0", "0"]])
        await root.close()
    }

    func testTellsWhoWaitsForWhoseLocks() async throws {
        let server = try await SeekDB.shared()
        let holder = try await ClientSessions.open(1, at: server.port)
        let waiters = try await ClientSessions.open(3, at: server.port)
        try await holder.run("CREATE TABLE IF NOT EXISTS d.wanted (id INT PRIMARY KEY, v INT)")
        try await holder.run("REPLACE INTO d.wanted VALUES (1, 0)")
        try await holder.run("BEGIN")
        try await holder.run("UPDATE d.wanted SET v = 1 WHERE id = 1")
        for index in 0..<3 { try await waiters.send("UPDATE d.wanted SET v = v + 1 WHERE id = 1", on: index) }
        let (held, waiting) = (await holder.threadIDs[0], Set(await waiters.threadIDs))
        try await eventually("three wait for one", pause: .milliseconds(300)) {
            let waits = try await observe(server, .locks).lockWaits
            return Set(waits.known.filter { $0.holder == held }.map(\.waiter)) == waiting
        }
        let waits = try await observe(server, .locks).lockWaits
        XCTAssertEqual(waits.unexplained, [])
        let lock = try XCTUnwrap(waits.known.first?.lock)
        XCTAssertEqual(lock.kind, .row)
        XCTAssertTrue(lock.object.contains(#"{"INT":1}"#), lock.object)
        try await holder.run("ROLLBACK")
        for index in 0..<3 { _ = try await waiters.receive(on: index) }
    }

    func testAWaitThatIsNotForARowIsUnexplained() throws {
        let rows: [[String?]] = [
            ["7", "5", #"200001-{"INT":1}"#, "TR"], ["7", "5", "200001", "TM"], ["8", "5", "200001", "TM"],
            ["9", "5", nil, "TX"],
        ]
        let answer = MySQLResult(columns: ["waiter", "holder", "object", "type"], rows: rows)
        let waits = try OceanBaseViews.lockWaits(try Rows(answer, "locks"))
        XCTAssertEqual(waits.known.map(\.waiter), [ThreadID(7)])
        XCTAssertEqual(waits.unexplained, Set([8, 9].compactMap { ThreadID($0) }))
    }

    /// The session is gone, what it changed is not yet undone: only the servers where the rows are know of it.
    func testATransactionIsOpenAsLongAsItsRowsAreBeingUndone() throws {
        let transactions = try OceanBaseViews.transactions(
            MySQLResult(
                columns: ["id", "thread", "age", "state"],
                rows: [
                    ["41", "7", "3", "ENDING"], ["41", "7", "2", "EXPLICIT_ACTIVE"], ["42", "8", "9", "ENDING"],
                    ["42", "8", "9", "ENDING"], ["43", "0", "0", "IDLE"],
                ]))
        let states = Dictionary(uniqueKeysWithValues: transactions.map { ($0.transaction.id, $0.transaction.state) })
        XCTAssertEqual(states, ["41": "EXPLICIT_ACTIVE", "42": "ENDING", "43": "IDLE"])
        XCTAssertEqual(transactions.first { $0.transaction.id == "43" }?.thread, nil)
    }

    func testARestartedServerIsAnother() async throws {
        let server = try await SeekDB.start()
        let before = try await observe(server).fingerprint
        XCTAssertEqual(before.port, Int(server.port))
        XCTAssertNotNil(before.uniqueID)
        let again = try await observe(server).fingerprint
        XCTAssertNil(before.difference(from: again))
        try await server.restart()
        let after = try await observe(server).fingerprint
        XCTAssertEqual(before.uniqueID, after.uniqueID)
        XCTAssertEqual(before.difference(from: after), .serverRestarted)
    }

    // MARK: Killing

    func testEndsExactlyTheSessionsItIsGiven() async throws {
        let server = try await SeekDB.shared()
        let bystanders = try await Bystanders.open(12, at: server.port)
        let victims = try await ClientSessions.open(40, at: server.port)
        let ids = await victims.threadIDs
        let spared = [0, 7, 8, 39]
        try await withConnection(to: server.configuration()) { connection in
            var pinned = try await identities(of: ids, over: connection)
            pinned[0].user = "app2"
            pinned[7].host += "0"
            pinned[8].user = "APP"
            pinned[39].user = "app "
            let answers = await connection.kill(pinned)
            for (index, answer) in answers.enumerated() {
                XCTAssertEqual(answer, spared.contains(index) ? .notFound : .accepted(by: .list), "\(index)")
            }
            let killed = ids.indices.filter { !spared.contains($0) }.map { pinned[$0] }
            try await eventually("they are gone") { try await connection.present(among: killed).isEmpty }
        }
        let answering = await victims.answering()
        XCTAssertEqual(answering, Set(spared.map { ids[$0] }))
        await bystanders.assertAllAnswer()
    }

    /// Error 1094 is the server's own word for an id that nobody has.
    func testAnIDThatNobodyHasIsNoSuchThread() async throws {
        let server = try await SeekDB.shared()
        let nobody = SessionIdentity(id: try XCTUnwrap(ThreadID(4_000_000_001)), user: "app", host: "127.0.0.1:1")
        let answers = try await withConnection(to: server.configuration()) { await $0.kill([nobody]) }
        XCTAssertEqual(answers, [.notFound])
        let root = try await server.administrator()
        let error = try await assertThrows(ServerError.self) { try await root.query("KILL 4000000001") }
        XCTAssertEqual(error.code, 1_094)
        await root.close()
    }

    func testSparesASessionThatWasHandedToAnotherUser() async throws {
        let server = try await SeekDB.shared()
        let sessions = try await ClientSessions.open(2, at: server.port)
        let ids = await sessions.threadIDs
        try await withConnection(to: server.configuration()) { connection in
            let pinned = try await identities(of: ids, over: connection)
            try await sessions.changeUser(to: "app2", on: 0)
            let present = try await connection.present(among: pinned)
            XCTAssertEqual(present, [ids[1]])
            let answers = await connection.kill(pinned)
            XCTAssertEqual(answers, [.notFound, .accepted(by: .list)])
        }
        let answering = await sessions.answering()
        XCTAssertEqual(answering, [ids[0]])
    }

    // MARK: Rights

    func testTheGrantsThatItNamesAreTheOnesThatAreMissing() async throws {
        let server = try await SeekDB.shared()
        let root = try await server.administrator()
        try await root.query(RealServer.creation(of: "deputy"))
        let before = await findings(server, as: "deputy").filter { $0.severity == .problem }
        XCTAssertEqual(before.map(\.subject), [.processMissing, .connectionAdminMissing, .oceanBaseViewsUnreadable])
        for finding in before {
            // Without any one of them, nobody may be pinned.
            let error = try await assertThrows(ServerError.self) { try await observedByAKiller(server, as: "deputy") }
            guard case .privilegeMissing = error.reason else { return XCTFail("\(error)") }
            let grant = try XCTUnwrap(finding.description.firstRange(of: "GRANT "))
            try await root.query(String(finding.description[grant.lowerBound...].dropLast()))
        }
        let after = await findings(server, as: "deputy").filter { $0.severity == .problem }
        XCTAssertEqual(after, [])
        _ = try await observedByAKiller(server, as: "deputy")
        try await root.query("DROP USER deputy")
        await root.close()
    }

    /// What Prepare asks for.
    private func observedByAKiller(_ server: SeekDB, as user: String) async throws -> ServerObservation {
        let observation = try await observe(server, as: user)
        if let privilege = observation.missingKillPrivilege { throw ServerError(.privilegeMissing(privilege), "KILL") }
        return observation
    }

    func testAServerThatIsWellSetUpGetsNothingButInformation() async throws {
        let server = try await SeekDB.shared()
        let findings = await findings(server, as: "killd")
        XCTAssertTrue(findings.allSatisfy { $0.severity == .information }, "\(findings)")
        XCTAssertTrue(findings[0].description.hasPrefix("OceanBase "), findings[0].description)
        XCTAssertTrue(findings.contains { $0.subject == .oceanBase }, "\(findings)")
    }

    /// A proxy whose ids are those of the servers behind it: only its answer to its own statement gives it away.
    func testAnODPIsRefused() async throws {
        let server = try await SeekDB.shared()
        // In the place of the syntax error that the statement is to OceanBase itself.
        let proxy = try TCPProxy(
            to: server.port,
            fromServer: { bytes in
                let isAnswer = String(decoding: bytes, as: UTF8.self).contains("PROXYSESSION")
                return .forward(isAnswer ? [7, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0] : bytes)
            })
        var configuration = server.configuration()
        configuration.address = .tcp(host: "127.0.0.1", port: proxy.port, tls: .disabled)
        let database = MySQLServer(configuration)
        let error = try await assertThrows(ServerError.self) { try await database.start() }
        XCTAssertEqual(error.reason, .behindProxy, "\(error)")
        await database.close()
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
