import Foundation
@testable import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Servers of which some part fails that the strongest guard of a KILL would need, and sessions that lists name
/// differently.
final class SickServerTests: XCTestCase {
    private func identities(
        _ database: MySQLServer, where isWanted: @escaping @Sendable (Session) -> Bool
    ) async throws -> [SessionIdentity] {
        try await database.observe(.sessions).sessions.filter(isWanted).map(\.identity)
    }

    /// Kills sessions that a snapshot showed, and waits until they are gone.
    private func kill(_ sessions: [SessionIdentity], on database: MySQLServer) async throws -> [KillResponse] {
        try await database.withConnection { connection in
            let before = try await connection.present(among: sessions)
            XCTAssertEqual(before, Set(sessions.map(\.id)))
            let answers = await connection.kill(sessions)
            try await eventually("they are gone") { try await connection.present(among: sessions).isEmpty }
            return answers
        }
    }

    // MARK: Named differently

    func testSessionsThatListsNameDifferentlyCanBeKilled() async throws {
        let xPort = try PrivateDatabase.freePort()
        let xSocket = "/tmp/killd-x-\(getpid()).sock"
        let server = try RealServer.start(
            .mysql,
            options: [
                "--mysqlx=1", "--mysqlx-port=\(xPort)", "--mysqlx-bind-address=127.0.0.1", "--mysqlx-socket=\(xSocket)",
            ])
        defer { server.database.stop() }
        try await server.createAccounts()
        let root = try await server.administrator()
        let tree = try XCTUnwrap(ProcessInfo.processInfo.environment["KILLD_MYSQL_ROOT"])
        for user in ["app", "app2"] { try XProtocolSession(socket: tree + xSocket).logIn(as: user) }
        for mayReadThreads in [false, true] {
            if mayReadThreads { try await root.query("GRANT SELECT ON performance_schema.* TO killd@'%'") }
            let bystanders = try await Bystanders.open(on: server)
            let strangers = [try XProtocolSession(port: xPort), try XProtocolSession(port: xPort)]
            try strangers[0].logInWithProof(as: "app")
            let x = try XProtocolSession(port: xPort)
            try x.logInWithProof(as: "app2")
            let silent = try TestClient(port: server.database.port)
            try await root.query(
                "CREATE DEFINER=app2@'%' EVENT d.e ON SCHEDULE AT CURRENT_TIMESTAMP DO SELECT SLEEP(60)")
            let database = MySQLServer(server.configuration())
            let isVictim: @Sendable (Session) -> Bool = { session in
                session.identity.user == "app2"
                    || session.identity.user == "unauthenticated user" && session.identity.host.hasPrefix("localhost:")
            }
            try await eventually("all are there") { try await self.identities(database, where: isVictim).count == 3 }
            let victims = try await identities(database, where: isVictim)
            XCTAssertTrue(victims.contains { $0.user == "app2" && $0.host == "%" }, "\(victims)")
            let answers = try await kill(victims, on: database)
            XCTAssertTrue(answers.allSatisfy(\.isAccepted), "\(zip(victims, answers).map { "\($0): \($1)" })")
            let left = try await identities(database, where: isVictim)
            XCTAssertEqual(left, [])
            XCTAssertTrue(x.hasEnded())
            let scheduler = try await identities(database) { $0.identity.user == "event_scheduler" }
            XCTAssertEqual(scheduler.count, 1)
            let others = try await identities(database) { $0.identity.user == "app" }
            XCTAssertEqual(others.count, 11)
            withExtendedLifetime((strangers, silent)) {}
            await bystanders.assertAllAnswer()
            await database.close()
        }
        await root.close()
    }

    // MARK: Guards that the server cannot run

    /// information_schema.PROCESSLIST fails with 3854, and there is no other list in which a statement could find them.
    func testWithoutPerformanceSchemaAnEmojiKeepsNobodyAlive() async throws {
        let server = try RealServer.start(.mysql, options: ["--performance-schema=OFF"])
        defer { server.database.stop() }
        try await server.createAccounts()
        let bystanders = try await Bystanders.open(on: server)
        let odd = try await ClientSessions.open(1, on: server)
        try await odd.send("SELECT SLEEP(60), '\u{1F600}'")
        let root = try await server.administrator()
        try await eventually("the statement is listed") {
            let failure = await failure(of: root, Self.listQuery)
            return failure?.code == 3_854
        }
        let victims = try await ClientSessions.open(40, on: server)
        let changed = try await ClientSessions.open(2, on: server)
        let ids = await Set(victims.threadIDs + changed.threadIDs)
        let database = MySQLServer(server.configuration())
        let sessions = try await identities(database) { ids.contains($0.id) }
        try await changed.changeUser(to: "app2", on: 1)
        let changedID = await changed.threadIDs[1]
        let answers = try await database.withConnection { connection in
            let answers = await connection.kill(sessions)
            try await eventually("they are gone") { try await connection.present(among: sessions).isEmpty }
            return answers
        }
        for (session, answer) in zip(sessions, answers) {
            XCTAssertEqual(answer, session.id == changedID ? .notFound : .accepted(by: .listBefore), "\(session)")
        }
        let answering = await changed.answering()
        XCTAssertEqual(answering, [changedID])
        await bystanders.assertAllAnswer()
        await database.close()
    }

    /// MariaDB writes its list to a file of its own to search it (1021).
    func testAFullTmpdirKeepsNobodyAlive() async throws {
        let disk = try await SmallDisk.mount()
        let server = try RealServer.start(.mariadb, options: ["--tmpdir=\(disk.path)"])
        defer { server.database.stop() }
        try await server.createAccounts()
        let bystanders = try await Bystanders.open(on: server)
        let victims = try await ClientSessions.open(40, on: server)
        for index in 0..<20 { try await victims.run("DO 0", on: index) }
        let ids = await Set(victims.threadIDs)
        try disk.fill()
        let root = try await server.administrator()
        let failure = await failure(of: root, Self.listQuery)
        XCTAssertEqual(failure?.code, 1_021)
        let database = MySQLServer(server.configuration())
        let sessions = try await database.observe(.locks).sessions.map(\.identity).filter { ids.contains($0.id) }
        let answers = try await kill(sessions, on: database)
        XCTAssertEqual(answers, Array(repeating: .accepted(by: .listBefore), count: 40))
        await bystanders.assertAllAnswer()
        await database.close()
        await root.close()
    }

    /// A server that somebody started to save what it holds changes nothing, not even a table of its own.
    func testReadOnlyRecoveryKeepsNobodyAlive() async throws {
        for kind in RealServer.Kind.allCases {
            let server = try RealServer.start(kind)
            defer { server.database.stop() }
            try await server.createAccounts()
            try server.database.restart(additional: ["--innodb-force-recovery=6", "--innodb-fast-shutdown=0"])
            try await server.becomeUnmistakable()
            for user in ["killd", "app"] { try await server.remember(user) }
            let bystanders = try await Bystanders.open(on: server)
            let victims = try await ClientSessions.open(40, on: server)
            let ids = await Set(victims.threadIDs)
            let database = MySQLServer(server.configuration())
            let sessions = try await identities(database) { ids.contains($0.id) }
            let responses = try await kill(sessions, on: database)
            XCTAssertEqual(responses.filter(\.isAccepted).count, 40, "\(kind): \(responses)")
            await bystanders.assertAllAnswer()
            await database.close()
        }
    }

    func testWhatTheServerRefusesAsAWholeIsNotUnknown() async throws {
        let content = FakeServerContent.mariadb()
        var settings = FakeMySQLServer.Settings(content)
        // What a node of Galera says that has lost the others.
        settings.answer = { statement in
            statement.hasPrefix("BEGIN NOT ATOMIC")
                ? .error(1_047, "WSREP has not yet prepared node for application use")
                : statement.hasPrefix("SELECT COALESCE(@k=") ? .rows(["began"], [["0"]]) : nil
        }
        let fake = try FakeMySQLServer(settings)
        defer { fake.stop() }
        let database = MySQLServer(fake.configuration())
        let sessions = try await identities(database) { $0.identity.user != "killd" }
        XCTAssertGreaterThan(sessions.count, 1)
        let answers = try await database.withConnection { await $0.kill([sessions[0]]) }
        XCTAssertEqual(answers, [.accepted(by: .listBefore)])
        // Nor does a list let anybody be told from others.
        fake.set { settings in
            let answer = settings.answer
            settings.answer = { statement in
                statement == "SHOW PROCESSLIST" ? .error(1_047, "WSREP has not yet prepared node") : answer(statement)
            }
        }
        let refused = try await database.withConnection { await $0.kill([sessions[1]]) }
        guard case .rejected(code: 1_047, _)? = refused.first else { return XCTFail("\(refused)") }
        let kills = fake.statements.filter { $0.hasPrefix("KILL") }
        XCTAssertEqual(kills, ["KILL CONNECTION \(sessions[0].id)"])
        await database.close()
    }

    private static let listQuery = "SELECT 1 FROM information_schema.PROCESSLIST"

    private func failure(of connection: MySQLConnection, _ statement: String) async -> ServerError? {
        do throws(ServerError) {
            try await connection.query(statement)
            return nil
        } catch {
            return error
        }
    }
}
