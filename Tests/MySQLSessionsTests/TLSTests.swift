import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// A self-signed certificate for 127.0.0.1, another CA's, and a MariaDB that has the first.
private final class CertifiedServer: Sendable {
    let server: RealServer
    let folder: URL

    var ca: String { folder.appendingPathComponent("server.pem").path }
    var anotherCA: String { folder.appendingPathComponent("other.pem").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("killd-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Self.makeCertificate("server", in: folder)
        try Self.makeCertificate("other", in: folder)
        server = try RealServer.start(
            .mariadb,
            options: ["--ssl-cert=\(folder.path)/server.pem", "--ssl-key=\(folder.path)/server.key"])
    }

    deinit {
        server.database.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func makeCertificate(_ name: String, in folder: URL) throws {
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        openssl.arguments = [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "\(folder.path)/\(name).key",
            "-out", "\(folder.path)/\(name).pem",
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        guard openssl.terminationStatus == 0 else { throw XCTSkip("TLS: the openssl program is missing or fails") }
    }
}

final class TLSTests: XCTestCase {
    private func cipher(_ tls: TLSMode, on server: RealServer, host: String = "127.0.0.1") async throws -> String? {
        var configuration = server.configuration()
        configuration.address = .tcp(host: host, port: server.database.port, tls: tls)
        let connection = try await MySQLConnection.open(configuration)
        let shown = try await connection.query("SHOW STATUS LIKE 'Ssl_cipher'")[0].rows[0][1] ?? ""
        XCTAssertEqual(connection.tlsCipher ?? "", shown, "client and server disagree about TLS")
        await connection.close()
        return connection.tlsCipher
    }

    func testEveryModeWithAServerThatHasTLS() async throws {
        let certified = try CertifiedServer()
        let server = certified.server
        try await server.createAccounts()

        let disabled = try await cipher(.disabled, on: server)
        XCTAssertNil(disabled)
        let encrypting: [TLSMode] = [
            .preferred, .required, .verifyCA(ca: certified.ca), .verifyIdentity(ca: certified.ca),
        ]
        for mode in encrypting {
            let cipher = try await cipher(mode, on: server)
            XCTAssertNotNil(cipher, "\(mode)")
        }
        let refusing: [TLSMode] = [
            .verifyCA(ca: certified.anotherCA), .verifyIdentity(ca: certified.anotherCA),
            .verifyCA(ca: "/nonexistent.pem"), .verifyIdentity(ca: nil),
        ]
        for mode in refusing {
            let error = try await assertThrows(ServerError.self) { try await cipher(mode, on: server) }
            XCTAssertEqual(error.reason, .tlsUnavailable, "\(mode): \(error)")
        }
        // The same address by another name, which the certificate does not have.
        let error = try await assertThrows(ServerError.self) {
            try await cipher(.verifyIdentity(ca: certified.ca), on: server, host: "127.1")
        }
        XCTAssertEqual(error.reason, .tlsUnavailable, "\(error)")
    }

    func testEveryModeWithMySQL() async throws {
        let server = try RealServer.shared(.mysql)
        try await server.createAccounts()
        let disabled = try await cipher(.disabled, on: server)
        XCTAssertNil(disabled)
        for mode in [TLSMode.preferred, .required] {
            let cipher = try await cipher(mode, on: server)
            XCTAssertNotNil(cipher, "\(mode)")
        }
        let error = try await assertThrows(ServerError.self) { try await cipher(.verifyIdentity(ca: nil), on: server) }
        XCTAssertEqual(error.reason, .tlsUnavailable, "\(error)")
    }

    /// Connector/C goes on in plain text if told to use TLS but not to verify the server.
    func testNothingSecretIsSentToAServerWithoutTLSWhereTLSIsDemanded() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        for mode in [TLSMode.required, .verifyCA(ca: nil), .verifyIdentity(ca: nil)] {
            let proxy = try TCPProxy(to: server.database.port)
            let error = try await assertThrows(ServerError.self) {
                try await MySQLConnection.open(server.configuration(tls: mode, port: proxy.port))
            }
            XCTAssertEqual(error.reason, .tlsUnavailable, "\(mode): \(error)")
            assertNothingSecret(proxy.fromClients)
            proxy.stop()
        }
    }

    func testAServerThatLosesItsTLSOnTheWayGetsNoPassword() async throws {
        let certified = try CertifiedServer()
        try await certified.server.createAccounts()
        // An attacker who strips the TLS flag (0x0800) from the greeting's capabilities.
        func attacker() throws -> TCPProxy {
            try TCPProxy(
                to: certified.server.database.port,
                fromServer: { bytes in
                    guard bytes.count > 40, bytes[3] == 0, bytes[4] == 10,
                        let end = bytes[5...].firstIndex(of: 0)
                    else { return .forward(bytes) }
                    var greeting = bytes
                    greeting[end + 4 + 8 + 1 + 2] &= ~0x08
                    return .forward(greeting)
                })
        }
        let first = try attacker()
        let plain = try await MySQLConnection.open(certified.server.configuration(tls: .preferred, port: first.port))
        XCTAssertNil(plain.tlsCipher, "the flag was not stripped")
        await plain.close()
        first.stop()

        let proxy = try attacker()
        let error = try await assertThrows(ServerError.self) {
            try await MySQLConnection.open(certified.server.configuration(tls: .required, port: proxy.port))
        }
        XCTAssertEqual(error.reason, .tlsUnavailable, "\(error)")
        assertNothingSecret(proxy.fromClients)
        proxy.stop()
    }

    func testAPasswordDoesNotPrintItself() {
        let configuration = MySQLServerConfiguration(
            address: .unixSocket(path: "/s"), user: "killd", password: DatabasePassword("hunter2"))
        for text in ["\(configuration)", String(reflecting: configuration), "\(configuration.password)"] {
            XCTAssertFalse(text.contains("hunter2"), text)
        }
        var dumped = ""
        dump(configuration, to: &dumped)
        XCTAssertFalse(dumped.contains("hunter2"), dumped)
    }
}

/// The user's name and the connection's attributes may be sent, but neither the password nor anything made of it.
func assertNothingSecret(
    _ sent: [UInt8], of user: String = "killd", file: StaticString = #filePath, line: UInt = #line
) {
    guard sent.count > 4 else { return XCTAssertEqual(sent, [], file: file, line: line) }
    // Authentication data may also follow in a second packet, when the server names another method.
    let length = Int(sent[0]) | Int(sent[1]) << 8 | Int(sent[2]) << 16
    XCTAssertEqual(sent.count, 4 + length, "more than one packet was sent", file: file, line: line)
    guard let name = sent.firstRange(of: Array("\(user)\0".utf8)) else {
        return XCTFail("the packet is no login", file: file, line: line)
    }
    XCTAssertEqual(sent[name.upperBound], 0, "authentication data was sent", file: file, line: line)
}
