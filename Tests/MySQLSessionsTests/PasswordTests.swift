import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// A password never crosses a TCP connection that is not encrypted, whatever a server, or who pretends to be it, asks.
final class PasswordTests: XCTestCase {
    private static let password = "s3cret that nobody may read"

    /// What the client library has built in or in files, here or elsewhere.
    private static let methods: [String] = {
        let folders = ["/usr/lib/x86_64-linux-gnu/libmariadb3/plugin", "/usr/lib/aarch64-linux-gnu/libmariadb3/plugin"]
        let files = folders.flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
        let installed = files.filter { $0.hasSuffix(".so") }.map { String($0.dropLast(3)) }
        return Set(installed).union([
            "mysql_native_password", "mysql_old_password", "caching_sha2_password", "sha256_password",
            "mysql_clear_password", "dialog", "client_ed25519", "parsec", "auth_gssapi_client", "",
            "no_such_method", "killd_inside_tls",
        ]).sorted()
    }()

    /// Of 2048 bits; its private half was thrown away.
    private static let publicKey = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAy52L2VXV03JKl/Spvv2F
        URMlyfb6xTMnlxmSS+Y1frCxdKvr7IfeZVq6ZaR/g77Uh8dt/1vbCvnwpfMh7bdV
        I2ngkK3lFf1IwHsCpgz0oUrl0ZC0IfBcQoLaYFLHmfr4zpX0/m0Yn1dh/ExtijzW
        S99J6ClzOEyLHlvPw5ugJaZQZ4xwgyqAtwdEd7bUVNxQBsn/pffFqFj0oNZz4Wq9
        RpbfCPkZMqrHv5yTKkxritwcXigFr3BJwiSfTCi2adfpbpDCEPMrZGb7IuBswLQi
        6S3oy9MMjMURHvY5LJCwiyDRxraDWDsbDtDOxZT+cLfPkXIZQ7F4RVgrTelsqI/8
        HQIDAQAB
        -----END PUBLIC KEY-----
        """

    /// What servers say next: nothing more, "authenticate in full", and their key.
    private static let conversations: [[FakeMySQLServer.LoginStep]] = [
        [.accept],
        [.more([4]), .more(Array(publicKey.utf8)), .more(Array(publicKey.utf8)), .accept],
        [.more(Array(publicKey.utf8)), .more([4]), .more(Array(publicKey.utf8)), .accept],
        [.more([4]), .more([4]), .more([4]), .accept],
        [.more([1]), .more([0]), .more([2] + "Password: ".utf8), .accept],
        [.more(Array("Password: ".utf8)), .more(Array("Password: ".utf8)), .accept],
        [.answer(.payloads([[0xFE]])), .more([4]), .accept],
    ]

    private func fake(
        greetingWith plugin: String, _ steps: [FakeMySQLServer.LoginStep]
    ) throws -> FakeMySQLServer {
        var settings = FakeMySQLServer.Settings()
        settings.plugin = plugin
        settings.login = { number, _ in number < steps.count ? steps[number] : .answer(.close) }
        return try FakeMySQLServer(settings)
    }

    private func assertNoPassword(
        _ fake: FakeMySQLServer, _ what: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        let received = fake.received
        XCTAssertNil(received.firstRange(of: Array(Self.password.utf8)), "\(what): in clear", file: file, line: line)
        // A proof has 20, 32 or 64 bytes; what is encrypted with a server's key has as many as the key.
        var rest = received[...]
        var isLogin = true
        while rest.count > 4 {
            let bytes = Array(rest.prefix(3))
            let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
            if !isLogin { XCTAssertLessThanOrEqual(length, 64, "\(what): encrypted", file: file, line: line) }
            isLogin = false
            rest = rest.dropFirst(4 + length)
            if rest.dropFirst(4).first == 3 { break }
        }
    }

    func testNoMethodSendsThePasswordOverAConnectionThatIsNotEncrypted() async throws {
        let scramble = Array("12345678901234567890".utf8) + [0]
        for mode in [TLSMode.preferred, .disabled, .required, .verifyCA(ca: nil), .verifyIdentity(ca: nil)] {
            for method in Self.methods {
                for steps in Self.conversations {
                    let switching: [FakeMySQLServer.LoginStep] = [.use(plugin: method, data: scramble)]
                    for (greeted, all) in [(method, steps), ("mysql_native_password", switching + steps)] {
                        let fake = try fake(greetingWith: greeted, all)
                        var configuration = fake.configuration(tls: mode, password: Self.password)
                        configuration.deadlines.call = .seconds(2)
                        if let connection = try? await MySQLConnection.open(configuration) { await connection.close() }
                        assertNoPassword(fake, "\(mode), \(method), \(all)")
                        fake.stop()
                    }
                }
            }
        }
    }

    func testAServerThatOnlyClaimsToHaveTLSGetsNoPassword() async throws {
        for method in Self.methods {
            for answer in [FakeMySQLServer.Answer.close, .ok, .payloads([[1, 4]])] {
                let fake = try fake(greetingWith: method, [.answer(answer), .accept])
                fake.set { $0.claimsTLS = true }
                var configuration = fake.configuration(tls: .preferred, password: Self.password)
                configuration.deadlines.call = .seconds(1)
                let connection = try? await MySQLConnection.open(configuration)
                XCTAssertNil(connection, method)
                XCTAssertNil(fake.received.firstRange(of: Array(Self.password.utf8)), method)
                fake.stop()
            }
        }
    }

    func testWhatIsRefusedSaysWhatToSet() async throws {
        let full: [FakeMySQLServer.LoginStep] = [.more([4]), .more(Array(Self.publicKey.utf8)), .accept]
        for method in ["caching_sha2_password", "sha256_password", "mysql_clear_password", "dialog"] {
            let fake = try fake(greetingWith: method, full)
            let error = try await assertThrows(ServerError.self) {
                try await MySQLConnection.open(fake.configuration(tls: .preferred, password: Self.password))
            }
            XCTAssertEqual(error.reason, .tlsUnavailable, "\(error)")
            XCTAssertTrue(error.description.contains("set \"tls\" of this instance to \"required\""), "\(error)")
            fake.stop()
        }
    }

    func testAServerThatRemembersTheAccountGetsAProofAndNoPassword() async throws {
        // "I know you", and OK behind it.
        let known: [UInt8] = [2, 0, 0, 2, 1, 3] + [7, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0]
        let fake = try fake(greetingWith: "caching_sha2_password", [.acceptWith(known)])
        let connection = try await MySQLConnection.open(fake.configuration(tls: .preferred, password: Self.password))
        await connection.close()
        assertNoPassword(fake, "a proof")
        fake.stop()
    }

    /// MySQL's default method: the first login after a start of the server, or a FLUSH PRIVILEGES, is in full.
    func testAMySQLWithoutTLSThatDoesNotRememberTheAccountGetsNoPassword() async throws {
        let server = try RealServer.start(.mysql, options: ["--tls-version="])
        defer { server.database.stop() }
        let root = try await server.administrator()
        try await root.query(RealServer.creation(of: "killd"))
        for user in ["killd", "app"] {
            try await root.query(RealServer.creation(of: user))
            try await root.query("FLUSH PRIVILEGES")
            for mode in [TLSMode.preferred, .disabled] {
                let proxy = try TCPProxy(to: server.database.port)
                let configuration = server.configuration(tls: mode, port: proxy.port)
                let error = try await assertThrows(ServerError.self) {
                    if user == "killd" { return try await MySQLConnection.open(configuration).close() }
                    let login = try DatabaseLogin(user: user, password: configuration.password)
                    try await MySQLServer(configuration).withConnection(as: login) { _ in }
                }
                XCTAssertEqual(error.reason, .tlsUnavailable, "\(error)")
                XCTAssertNil(proxy.fromClients.firstRange(of: Array(RealServer.password.utf8)), "\(mode)")
                XCTAssertLessThan(proxy.fromClients.count, 400, "something of the size of a key was sent")
                proxy.stop()
            }
            // Over the Unix socket nothing leaves the machine; now the server remembers.
            var local = server.configuration(user: user)
            local.address = .unixSocket(path: server.database.socket)
            await (try await MySQLConnection.open(local)).close()
            let proxy = try TCPProxy(to: server.database.port)
            let plain = try await MySQLConnection.open(
                server.configuration(user: user, tls: .preferred, port: proxy.port))
            XCTAssertNil(plain.tlsCipher)
            await plain.close()
            XCTAssertNil(proxy.fromClients.firstRange(of: Array(RealServer.password.utf8)))
            proxy.stop()
        }
        await root.close()
    }

    /// Inside TLS, and over a Unix socket, every method works as before.
    func testAMySQLWithTLSGetsThePasswordInsideIt() async throws {
        let server = try RealServer.shared(.mysql)
        try await server.createAccounts()
        let root = try await server.administrator()
        for mode in [TLSMode.preferred, .required] {
            try await root.query("FLUSH PRIVILEGES")
            let proxy = try TCPProxy(to: server.database.port)
            let connection = try await MySQLConnection.open(server.configuration(tls: mode, port: proxy.port))
            XCTAssertNotNil(connection.tlsCipher)
            await connection.close()
            XCTAssertNil(proxy.fromClients.firstRange(of: Array(RealServer.password.utf8)))
            proxy.stop()
        }
        try await server.createAccounts()
        await root.close()
    }
}
