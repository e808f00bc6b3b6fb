import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

final class DiagnosisTests: XCTestCase {
    private func findings(_ configuration: MySQLServerConfiguration) async -> [MySQLFinding] {
        let database = MySQLServer(configuration)
        let findings = await database.check(comparingConnections: true)
        await database.close()
        return findings
    }

    /// With what the README's table names.
    private func makeAccount(_ user: String, on server: RealServer) async throws {
        try await server.createAccounts()
        let root = try await server.administrator()
        let privileges = server.kind == .mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN, SERVICE_CONNECTION_ADMIN"
        try await root.query("\(RealServer.creation(of: user)); GRANT PROCESS, \(privileges) ON *.* TO \(user)@'%'")
        try await server.remember(user)
        await root.close()
    }

    func testAServerThatIsWellSetUpGetsNothingButInformation() async throws {
        try await onEveryServer { server in
            try await makeAccount("watchman", on: server)
            let root = try await server.administrator()
            try await root.query("GRANT SELECT ON performance_schema.* TO watchman@'%'")
            var configuration = server.configuration(user: "watchman")
            configuration.adminAddress = .tcp(host: "127.0.0.1", port: server.adminPort, tls: .disabled)
            let findings = await findings(configuration)
            XCTAssertTrue(findings.allSatisfy { $0.severity == .information }, "\(findings)")
            let name = server.kind == .mariadb ? "MariaDB" : "MySQL"
            XCTAssertTrue(findings[0].description.contains(name), findings[0].description)
            try await root.query("DROP USER watchman@'%'")
        }
    }

    func testFindsTablesThatTheServerWasStartedWithout() async throws {
        // MySQL does not start with such options.
        for (table, severity) in [("innodb_metrics", MySQLFinding.Severity.information), ("innodb_trx", .problem)] {
            let server = try RealServer.start(.mariadb, options: ["--\(table)=OFF"])
            defer { server.database.stop() }
            try await server.createAccounts()
            let findings = await findings(server.configuration())
            let hidden = findings.filter { $0.subject == .tableHidden(table.uppercased()) }
            XCTAssertEqual(hidden.map(\.severity), [severity], "\(findings)")
            XCTAssertTrue(hidden.allSatisfy { $0.description.contains("\(table)=OFF") }, "\(hidden)")
            guard severity == .information else { continue }
            XCTAssertFalse(findings.contains { $0.severity == .problem }, "\(findings)")
            let bystanders = try await Bystanders.open(on: server)
            let victim = try await ClientSessions.open(1, on: server)
            let ids = await victim.threadIDs
            let database = MySQLServer(server.configuration())
            let answers = try await database.withConnection { connection in
                let sessions = try await connection.observe(.locks).sessions.map(\.identity)
                return await connection.kill(sessions.filter { ids.contains($0.id) })
            }
            XCTAssertEqual(answers.count(where: \.isAccepted), 1)
            await bystanders.assertAllAnswer()
            await database.close()
        }
    }

    func testAnAccountOfOneConnectionIsToldThatItHasNoneForTheAdministrativeAddress() async throws {
        try await onEveryServer { server in
            try await makeAccount("single", on: server)
            let root = try await server.administrator()
            try await root.query("ALTER USER single@'%' WITH MAX_USER_CONNECTIONS 1")
            var configuration = server.configuration(user: "single")
            configuration.adminAddress = .tcp(host: "127.0.0.1", port: server.adminPort, tls: .disabled)
            let warnings = await findings(configuration).filter { $0.severity == .warning }
            let isTold = warnings.contains { $0.description.contains("raise its MAX_USER_CONNECTIONS") }
            XCTAssertTrue(isTold, "\(warnings)")
            try await root.query("DROP USER single@'%'")
        }
    }

    func testTheGrantsThatItNamesAreTheOnesThatAreMissing() async throws {
        try await onEveryServer { server in
            let root = try await server.administrator()
            try await root.query("CREATE USER `o'brien`@'%' IDENTIFIED BY 'pw with ''quotes'''")
            try await server.remember("o'brien")
            let configuration = server.configuration(user: "o'brien")
            let before = await findings(configuration).filter { $0.severity == .problem }
            XCTAssertEqual(before.map(\.subject), [.processMissing, .connectionAdminMissing])
            for finding in before {
                let grant = try XCTUnwrap(finding.description.firstRange(of: "GRANT "))
                try await root.query(String(finding.description[grant.lowerBound...].dropLast()))
            }
            let after = await findings(configuration).filter { $0.severity == .problem }
            XCTAssertEqual(after, [])
            try await root.query("DROP USER `o'brien`@'%'")
        }
    }

    func testARightThatComesWithARoleCounts() async throws {
        try await onEveryServer { server in
            let root = try await server.administrator()
            let privilege = server.kind == .mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN"
            try await root.query(RealServer.creation(of: "deputy"))
            try await server.remember("deputy")
            try await root.query("CREATE ROLE IF NOT EXISTS killer")
            try await root.query("GRANT PROCESS, \(privilege) ON *.* TO killer; GRANT killer TO deputy@'%'")
            func problems() async -> [MySQLFinding.Subject] {
                await findings(server.configuration(user: "deputy")).filter { $0.severity == .problem }.map(\.subject)
            }
            let inactive = await problems()
            XCTAssertEqual(inactive, [.processMissing, .connectionAdminMissing])
            let preposition = server.kind == .mariadb ? "FOR" : "TO"
            try await root.query("SET DEFAULT ROLE killer \(preposition) deputy@'%'")
            let active = await problems()
            XCTAssertEqual(active, [])
            try await root.query("DROP USER deputy@'%'; DROP ROLE killer")
        }
    }

    func testNamesTheGrantThatShowsLocksWherePerformanceSchemaIsOn() async throws {
        let server = try RealServer.shared(.mysql)
        try await server.createAccounts()
        let root = try await server.administrator()
        try await root.query(RealServer.creation(of: "sighted"))
        try await server.remember("sighted")
        try await root.query("GRANT PROCESS, CONNECTION_ADMIN ON *.* TO sighted@'%'")
        let before = await findings(server.configuration(user: "sighted"))
        let unreadable = try XCTUnwrap(before.first { $0.subject == .performanceSchemaUnreadable })
        let grant = try XCTUnwrap(unreadable.description.firstRange(of: "GRANT "))
        try await root.query(String(unreadable.description[grant.lowerBound...].dropLast()))
        let after = await findings(server.configuration(user: "sighted"))
        XCTAssertFalse(after.contains { $0.subject == .performanceSchemaUnreadable }, "\(after)")
        try await root.query("DROP USER sighted@'%'")
    }

    private func preparedTransactions(_ configuration: MySQLServerConfiguration) async -> MySQLFinding? {
        await findings(configuration).first { $0.subject == .preparedTransactionsUnknown }
    }

    func testWarnsWhereNothingTellsWhoHasPreparedAnXATransaction() async throws {
        let server = try RealServer.shared(.mysql)
        let root = try await server.administrator()
        try await makeAccount("overseer", on: server)
        try await root.query(
            """
            DROP TABLE IF EXISTS d.prepared; CREATE TABLE d.prepared (id INT PRIMARY KEY); \
            XA START 'x'; INSERT INTO d.prepared VALUES (1); XA END 'x'; XA PREPARE 'x'; XA ROLLBACK 'x'
            """)
        func assertWarns(of words: String) async {
            let found = await preparedTransactions(server.configuration(user: "overseer"))
            XCTAssertEqual(found?.severity, .warning)
            XCTAssertTrue(found?.description.contains(words) == true, "\(found as Any)")
        }
        await assertWarns(of: "GRANT SELECT ON performance_schema.* TO 'overseer'@'%';")
        try await root.query("GRANT SELECT ON performance_schema.* TO overseer@'%'")
        let sighted = await preparedTransactions(server.configuration(user: "overseer"))
        XCTAssertNil(sighted)
        for (table, name) in [("setup_consumers", "events_transactions_current"), ("setup_instruments", "transaction")]
        {
            try await root.query("UPDATE performance_schema.\(table) SET ENABLED='NO' WHERE NAME='\(name)'")
            await assertWarns(of: "UPDATE performance_schema.setup_consumers SET ENABLED='YES'")
            try await root.query("UPDATE performance_schema.\(table) SET ENABLED='YES' WHERE NAME='\(name)'")
        }
        try await root.query("DROP USER overseer@'%'; DROP TABLE d.prepared")
    }

    func testWhereNobodyUsesXAItIsNoWarningThatPerformanceSchemaIsOff() async throws {
        for (prepared, severity) in [("0", MySQLFinding.Severity.information), ("1", .warning)] {
            var content = FakeServerContent.mysql()
            content.hasPerformanceSchema = false
            content.variables["performance_schema"] = "0"
            content.variables["xa_detach_on_prepare"] = "ON"
            content.status["Com_xa_prepare"] = prepared
            let fake = try FakeMySQLServer(FakeMySQLServer.Settings(content))
            let found = await preparedTransactions(fake.configuration())
            XCTAssertEqual(found?.severity, severity)
            XCTAssertTrue(
                found?.description.contains("start the server with performance_schema=ON") == true, "\(found as Any)")
            fake.stop()
        }
    }

    func testPlainTextWhereTLSIsPreferredIsAWarning() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        let findings = await findings(server.configuration(tls: .preferred))
        XCTAssertEqual(findings.filter { $0.severity == .warning }.map(\.subject), [.notEncrypted])
    }

    func testAServerThatCannotBeReachedIsAProblem() async throws {
        let port = try PrivateDatabase.freePort()
        func findings(at address: MySQLAddress) async -> [MySQLFinding] {
            await self.findings(
                MySQLServerConfiguration(address: address, user: "killd", password: DatabasePassword("")))
        }
        for host in ["127.0.0.1", "localhost"] {
            let refused = await findings(at: .tcp(host: host, port: port, tls: .disabled))
            XCTAssertEqual(refused.map(\.severity), [.problem])
            let text = refused.first?.description ?? ""
            XCTAssertTrue(text.contains("Connection refused: nothing listens there"), text)
        }
        let unknown = await findings(at: .tcp(host: "no-such-host.invalid", port: 3_306, tls: .disabled))
        XCTAssertTrue(unknown.first?.description.contains("is the host spelled right?") == true, "\(unknown)")
        let socket = await findings(at: .unixSocket(path: "/nonexistent/mysqld.sock"))
        let text = socket.first?.description ?? ""
        XCTAssertTrue(text.contains("No such file or directory: is the server running"), text)
    }

    func testServersThatTakeTurnsAtOneAddressAreAProblem() async throws {
        let (first, second) = (try RealServer.shared(.mariadb), try RealServer.shared(.mysql))
        for server in [first, second] { try await server.createAccounts() }
        let balancer = try TCPProxy(to: first.database.port)
        let database = MySQLServer(first.configuration(tls: .preferred, port: balancer.port))
        try await database.start()
        balancer.leadNewConnections(to: second.database.port)
        let findings = await database.check(comparingConnections: true)
        let finding = try XCTUnwrap(findings.first { $0.subject == .severalServers }, "\(findings)")
        XCTAssertEqual(finding.severity, .problem)
        for port in [first.database.port, second.database.port] {
            XCTAssertTrue(finding.description.contains(":\(port) ("), finding.description)
        }
        await database.close()
    }

    /// What it says of a server that was restarted between two connections is not that there are two.
    func testAServerThatGoesAwayMeanwhileIsNoOtherServer() async throws {
        let (first, second) = (try RealServer.shared(.mariadb), try RealServer.shared(.mysql))
        for server in [first, second] { try await server.createAccounts() }
        let proxy = try TCPProxy(to: first.database.port)
        let database = MySQLServer(first.configuration(tls: .preferred, port: proxy.port))
        try await database.start()
        proxy.redirect(to: second.database.port)
        let findings = await database.check(comparingConnections: true)
        XCTAssertFalse(findings.contains { $0.subject == .severalServers }, "\(findings)")
        await database.close()
    }
}
