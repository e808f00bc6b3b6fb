import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

@testable import MySQLSessions

/// The administrative address is the way in whenever a server's own does not let killd in.
final class AdministrativeAddressTests: XCTestCase {
    private func configuration(port: UInt16, adminPort: UInt16) -> MySQLServerConfiguration {
        var configuration = MySQLServerConfiguration(
            address: .tcp(host: "127.0.0.1", port: port, tls: .disabled),
            adminAddress: .tcp(host: "127.0.0.1", port: adminPort, tls: .disabled), user: "killd",
            password: DatabasePassword(RealServer.password))
        configuration.deadlines.connect = .seconds(1)
        configuration.deadlines.check = .seconds(1)
        configuration.deadlines.readWrite = .seconds(2)
        return configuration
    }

    /// Whatever comes in place of a connection, by what the server's own address does then.
    private static let faults: [(String, @Sendable (inout FakeMySQLServer.Settings) -> Void)] = [
        ("too many connections", { $0.greeting = .error(1_040, "Too many connections") }),
        ("the host is blocked", { $0.greeting = .error(1_129, "Host '10.0.0.7' is blocked") }),
        ("too many of the user", { $0.login = { _, _ in .answer(.error(1_203, "max_user_connections")) } }),
        ("more than the account may have", { $0.login = { _, _ in .answer(.error(1_226, "has exceeded")) } }),
        ("offline mode", { $0.login = { _, _ in .answer(.error(3_032, "The server is in offline mode")) } }),
        ("no greeting", { $0.greeting = .silence }), ("the end in place of a greeting", { $0.greeting = .close }),
        ("no answer to the login", { $0.login = { _, _ in .answer(.silence) } }),
    ]

    func testIsTriedWhereTheOrdinaryAddressDoesNotLetKilldIn() async throws {
        for (what, fault) in Self.faults {
            let (ordinary, admin) = (try FakeMySQLServer(), try FakeMySQLServer())
            ordinary.set(fault)
            let server = MySQLServer(configuration(port: ordinary.port, adminPort: admin.port))
            try await server.withConnection { _ in
                // Who comes next does not wait for the ordinary address again.
                let tries = ordinary.connectionsEver
                try await server.withConnection { _ = try await $0.observe(.sessions) }
                XCTAssertEqual(ordinary.connectionsEver, tries, what)
            }
            let findings = await server.check()
            let isNoticed = findings.contains {
                if case .ordinaryAddressClosed = $0.subject { $0.severity == .warning } else { false }
            }
            XCTAssertTrue(isNoticed, "\(what): \(findings)")
            try await eventually("the connection of the check has ended") { admin.connectionCount == 2 }
            let connections = admin.connectionCount
            XCTAssertEqual(connections, 2, what)
            await server.close()
            ordinary.stop()
            admin.stop()
        }
    }

    func testIsTriedWhereNobodyListensAtTheOrdinaryAddress() async throws {
        let admin = try FakeMySQLServer()
        let server = MySQLServer(configuration(port: try PrivateDatabase.freePort(), adminPort: admin.port))
        try await server.start()
        try await server.checkUsable()
        await server.close()
        admin.stop()
    }

    func testIsNotTriedWithAnAccountThatWasRefused() async throws {
        let (ordinary, admin) = (try FakeMySQLServer(), try FakeMySQLServer())
        ordinary.set { $0.login = { _, _ in .answer(.error(1_045, "Access denied")) } }
        let server = MySQLServer(configuration(port: ordinary.port, adminPort: admin.port))
        let error = try await assertThrows(ServerError.self) { try await server.start() }
        XCTAssertEqual(error.reason, .loginRefused, "\(error)")
        XCTAssertEqual(admin.received, [])
        await server.close()
        ordinary.stop()
        admin.stop()
    }

    func testADelegatedLoginIsTriedThereToo() async throws {
        let login = try DatabaseLogin(user: "app", password: DatabasePassword(RealServer.password))
        for (what, fault) in Self.faults {
            let (ordinary, admin) = (try FakeMySQLServer(), try FakeMySQLServer())
            ordinary.set(fault)
            let server = MySQLServer(configuration(port: ordinary.port, adminPort: admin.port))
            for _ in 0..<2 {
                try await server.withConnection(as: login) { _ = try await $0.observe(.server) }
            }
            let connections = admin.connectionsEver
            XCTAssertEqual(connections, 2, what)
            await server.close()
            ordinary.stop()
            admin.stop()
        }
    }

    /// Servers count the wrong passwords of an account, and lock it.
    func testALoginThatOneAddressRefusedIsNotTriedAtTheOther() async throws {
        let refusal: @Sendable (inout FakeMySQLServer.Settings) -> Void = { settings in
            settings.login = { _, _ in .answer(.error(1_045, "Access denied")) }
        }
        let login = try DatabaseLogin(user: "app", password: DatabasePassword("wrong"))
        let (ordinary, admin) = (try FakeMySQLServer(), try FakeMySQLServer())
        let server = MySQLServer(configuration(port: ordinary.port, adminPort: admin.port))
        func assertRefused(_ work: () async throws -> Void) async throws {
            let error = try await assertThrows(ServerError.self) { try await work() }
            XCTAssertEqual(error.reason, .loginRefused, "\(error)")
        }
        ordinary.set(refusal)
        admin.set(refusal)
        try await assertRefused { try await server.withConnection(as: login) { _ in } }
        XCTAssertEqual([ordinary.connectionsEver, admin.connectionsEver], [1, 0])
        // The administrative address knows better than one that let nobody say who he is, then and afterwards.
        ordinary.set { $0.greeting = .error(1_040, "Too many connections") }
        try await assertRefused { try await server.withConnection(as: login) { _ in } }
        XCTAssertEqual([ordinary.connectionsEver, admin.connectionsEver], [2, 1])
        ordinary.set { $0.greeting = nil }
        try await assertRefused { try await server.withConnection(as: login) { _ in } }
        XCTAssertEqual([ordinary.connectionsEver, admin.connectionsEver], [2, 2])
        // killd's own goes on to where it may be let in, but with the next attempt.
        let error = try await assertThrows(ServerError.self) { try await server.start() }
        XCTAssertEqual(error.reason, .tooManyConnections, "\(error)")
        XCTAssertTrue(error.description.contains("Access denied"), "\(error)")
        XCTAssertEqual([ordinary.connectionsEver, admin.connectionsEver], [2, 3])
        try await assertRefused { try await server.start() }
        XCTAssertEqual([ordinary.connectionsEver, admin.connectionsEver], [3, 3])
        await server.close()
        ordinary.stop()
        admin.stop()
    }

    func testWhoFindsBothClosedHearsOfBoth() async throws {
        let (ordinary, admin) = (try FakeMySQLServer(), try FakeMySQLServer())
        ordinary.set { $0.greeting = .error(1_040, "Too many connections") }
        admin.set { $0.login = { _, _ in .answer(.error(1_227, "you need SERVICE_CONNECTION_ADMIN")) } }
        let server = MySQLServer(configuration(port: ordinary.port, adminPort: admin.port))
        for _ in 0..<2 {
            let error = try await assertThrows(ServerError.self) { try await server.start() }
            XCTAssertEqual(error.reason, .tooManyConnections)
            for words in ["Too many connections", "SERVICE_CONNECTION_ADMIN"] {
                XCTAssertTrue(error.description.contains(words), "\(error)")
            }
        }
        await server.close()
        ordinary.stop()
        admin.stop()
    }

    /// A thread pool whose only thread is at work serves nobody else, logins and connections there are included. The
    /// thread has to compute: while one sleeps, the pool may give its turn to another.
    func testAServerWhoseThreadPoolIsStalledIsKilledOnThere() async throws {
        let real = try RealServer.start(
            .mariadb,
            options: ["--thread-handling=pool-of-threads", "--thread-pool-size=1", "--thread-pool-max-threads=1"])
        try await real.createAccounts()
        let bystanders = try await Bystanders.open(on: real)
        let stalling = try await ClientSessions.open(1, on: real)
        let id = await stalling.threadIDs[0]
        let server = MySQLServer(configuration(port: real.database.port, adminPort: real.adminPort))
        // By the ordinary address, as long as it serves.
        let before = try await server.observe(.sessions)
        let statement = "SELECT BENCHMARK(1000000000000, MD5('x'))"
        try await stalling.send(statement)
        let watcher = try await MySQLConnection.open(real.configuration(port: real.adminPort))
        try await eventually("it computes", pause: .milliseconds(50)) {
            let found = try await watcher.query(
                "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT BENCH%'")
            return found.first?.rows.first?.first == "1"
        }
        await watcher.close()
        try await server.withConnection { connection in
            let now = try await connection.observe(.sessions)
            XCTAssertNil(before.fingerprint.difference(from: now.fingerprint))
            let victim = try XCTUnwrap(now.sessions.first { $0.id == id })
            XCTAssertEqual(victim.details.statement, statement)
            let answers = await connection.kill([victim.identity])
            XCTAssertEqual(answers.map(\.isAccepted), [true], "\(answers)")
        }
        await bystanders.assertAllAnswer()
        await server.close()
        real.database.stop()
    }
}
