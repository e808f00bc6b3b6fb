import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

final class ConnectionTests: XCTestCase {
    private func configuration(port: UInt16, user: String = "killd") -> MySQLServerConfiguration {
        var configuration = MySQLServerConfiguration(
            address: .tcp(host: "127.0.0.1", port: port, tls: .disabled), user: user,
            password: DatabasePassword(RealServer.password))
        configuration.deadlines.connect = .seconds(1)
        configuration.deadlines.readWrite = .seconds(1)
        return configuration
    }

    private func refusal(_ configuration: MySQLServerConfiguration) async throws -> ServerError {
        try await assertThrows(ServerError.self) { try await MySQLConnection.open(configuration) }
    }

    func testNobodyListening() async throws {
        let error = try await refusal(configuration(port: try PrivateDatabase.freePort()))
        XCTAssertEqual(error.reason, .unreachable, "\(error)")
    }

    func testAListenerThatSaysNothingIsGivenUpAtTheDeadline() async throws {
        let listener = SilentListener()
        let begin = ContinuousClock.now
        let error = try await refusal(configuration(port: listener.port))
        XCTAssertEqual(error.reason, .unreachable, "\(error)")
        // Without the deadline it is waited for without end.
        XCTAssertLessThan(begin.duration(to: .now), .seconds(30))
    }

    func testANameThatDoesNotResolve() async throws {
        var configuration = configuration(port: 3306)
        configuration.address = .tcp(host: "no-such-host.invalid", port: 3306, tls: .disabled)
        let error = try await refusal(configuration)
        XCTAssertEqual(error.reason, .unreachable, "\(error)")
    }

    func testAWrongPasswordIsRefusedAndNotRepeated() async throws {
        try await onEveryServer { server in
            var configuration = server.configuration(tls: .preferred)
            configuration.password = DatabasePassword("guess-me")
            let error = try await refusal(configuration)
            XCTAssertEqual(error.reason, .loginRefused)
            XCTAssertEqual(error.code, 1045)
            XCTAssertFalse(error.description.contains("guess-me"))
        }
    }

    func testAFirstLoginWithoutTLSWorksWhereAProofOfThePasswordIsEnough() async throws {
        try await onEveryServer { server in
            let root = try await server.administrator()
            try await root.query("CREATE USER fresh@'%' IDENTIFIED BY 'pw with ''quotes'''")
            if server.kind == .mysql {
                // With caching_sha2_password the server knows nothing of the password yet, and asks for it.
                let error = try await refusal(server.configuration(user: "fresh"))
                XCTAssertEqual(error.reason, .tlsUnavailable, "\(error)")
                try await server.remember("fresh")
            }
            let connection = try await MySQLConnection.open(server.configuration(user: "fresh"))
            XCTAssertNil(connection.tlsCipher)
            await connection.close()
            try await root.query("DROP USER fresh@'%'")
        }
    }

    func testAStatementThatOutlivesTheDeadlineLosesTheConnection() async throws {
        try await onEveryServer { server in
            let connection = try await MySQLConnection.open(configuration(port: server.database.port))
            let first = try await assertThrows(ServerError.self) { try await connection.query("SELECT SLEEP(20)") }
            XCTAssertEqual(first.reason, .connectionLost, "\(first)")
            let second = try await assertThrows(ServerError.self) { try await connection.query("SELECT 1") }
            XCTAssertEqual(second.reason, .connectionLost)
        }
    }

    func testAProxyWithIdsOfItsOwnIsRefused() async throws {
        try await onEveryServer { server in
            let proxy = try TCPProxy.renumbering(server.database.port)
            let error = try await refusal(configuration(port: proxy.port))
            XCTAssertEqual(error.reason, .behindProxy, "\(error)")
            proxy.stop()
        }
    }

    func testAReleasedConnectionEndsItsSessionAndItsThread() async throws {
        func threads() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count }
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        let root = try await server.administrator()
        let before = try threads()
        var ids: [String] = []
        for _ in 0..<30 {
            ids.append(try await MySQLConnection.open(server.configuration()).threadID.description)
        }
        try await eventually("sessions and threads are gone") {
            let listed = try await root.query(
                "SELECT ID FROM information_schema.PROCESSLIST WHERE ID IN (\(ids.joined(separator: ",")))")
            return try listed[0].rows.isEmpty && threads() <= before + 5
        }
    }

    func testSeveralStatementsAnswerInOrderUntilTheFirstError() async throws {
        try await onEveryServer { server in
            let connection = try await server.administrator()
            let answers = try await connection.query("SELECT 1 AS a, NULL AS b; DO 0; SELECT 'x' FROM DUAL WHERE 0")
            XCTAssertEqual(answers.map(\.columns), [["a", "b"], [], ["x"]])
            XCTAssertEqual(answers.map(\.rows), [[["1", nil]], [], []])
            let error = try await assertThrows(ServerError.self) {
                try await connection.query("SELECT 1; SELECT nonsense; SELECT 2")
            }
            XCTAssertEqual(error.code, 1054)
            let again = try await connection.query("SELECT 3")
            XCTAssertEqual(again[0].rows, [["3"]])
        }
    }
}
