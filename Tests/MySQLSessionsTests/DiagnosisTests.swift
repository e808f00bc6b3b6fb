import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

final class DiagnosisTests: XCTestCase {
    private func findings(_ configuration: MySQLServerConfiguration) async -> [MySQLFinding] {
        let database = MySQLServer(configuration)
        let findings = await database.check()
        await database.close()
        return findings
    }

    func testAServerThatIsWellSetUpGetsNothingButInformation() async throws {
        try await onEveryServer { server in
            var configuration = server.configuration()
            configuration.adminAddress = .tcp(host: "127.0.0.1", port: server.adminPort, tls: .disabled)
            let findings = await findings(configuration)
            XCTAssertTrue(findings.allSatisfy { $0.severity == .information }, "\(findings)")
            let name = server.kind == .mariadb ? "MariaDB" : "MySQL"
            XCTAssertTrue(findings[0].description.contains(name), findings[0].description)
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

    func testPlainTextWhereTLSIsPreferredIsAWarning() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        let findings = await findings(server.configuration(tls: .preferred))
        XCTAssertEqual(findings.filter { $0.severity == .warning }.map(\.subject), [.notEncrypted])
    }

    func testAServerThatCannotBeReachedIsAProblem() async throws {
        let port = try PrivateDatabase.freePort()
        let findings = await findings(
            MySQLServerConfiguration(
                address: .tcp(host: "127.0.0.1", port: port, tls: .disabled), user: "killd",
                password: DatabasePassword("")))
        XCTAssertEqual(findings.map(\.severity), [.problem])
    }
}
