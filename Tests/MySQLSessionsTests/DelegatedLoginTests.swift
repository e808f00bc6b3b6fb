import Glibc
import MySQLSessions
import PrivateDatabase
import SessionKill
import Synchronization
import TestSupport
import XCTest

/// Connections on which somebody else than killd's account is logged in.
final class DelegatedLoginTests: XCTestCase {
    private func login(_ user: String = "app", _ password: String = RealServer.password) throws -> DatabaseLogin {
        try DatabaseLogin(user: user, password: DatabasePassword(password))
    }

    private func isLetIn(_ login: DatabaseLogin, _ configuration: MySQLServerConfiguration) async throws -> Bool {
        let database = MySQLServer(configuration)
        do {
            try await database.withConnection(as: login) { _ in }
            return true
        } catch let error as ServerError where error.reason == .loginRefused {
            return false
        } catch let error as ServerError where error.code == 2061 {
            // Without TLS, a server that was given no good proof asks for the password itself.
            XCTAssertEqual(error.reason, .tlsUnavailable, "\(error)")
            return false
        }
    }

    func testTheLoginIsTheDelegatedOneAndTheServerIsKilldsOwn() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration())
            let snapshot = try await database.withConnection(as: try login()) { connection in
                let error = try await assertThrows(ServerError.self) { try await connection.observe(.sessions) }
                XCTAssertEqual(error.reason, .privilegeMissing("PROCESS"))
                return try await connection.observe(.server)
            }
            let own = try await database.observe(.server)
            XCTAssertNil(snapshot.fingerprint.difference(from: own.fingerprint))
            await database.close()
        }
    }

    func testOnlyTheRightPasswordIsLetIn() async throws {
        try await onEveryServer { server in
            let root = try await server.administrator()
            try await root.query("CREATE USER IF NOT EXISTS blank@'%' IDENTIFIED BY ''")
            for configuration in [server.configuration(), server.configuration(tls: .preferred)] {
                for (login, expected) in [
                    (try login(), true), (try login("app", "wrong"), false), (try login("app", ""), false),
                    (try login("nobody"), false), (try login("blank", ""), true), (try login("blank", "x"), false),
                ] {
                    let isLetIn = try await isLetIn(login, configuration)
                    XCTAssertEqual(isLetIn, expected, login.user)
                }
            }
            await root.close()
        }
    }

    /// MariaDB's root goes by who runs the client, so that any password would do. (With MySQL's auth_socket Connector/C
    /// cannot log in at all.)
    func testOverAUnixSocketNobodyIsLetInWithoutHisPassword() async throws {
        let server = try RealServer.start(.mariadb)
        try await server.createAccounts()
        let root = try await server.administrator()
        let whoRunsThis = String(cString: getpwuid(geteuid()).pointee.pw_name)
        try await root.query("CREATE OR REPLACE USER '\(whoRunsThis)'@localhost IDENTIFIED VIA unix_socket")
        var configuration = server.configuration(user: whoRunsThis)
        configuration.address = .unixSocket(path: server.database.socket)
        configuration.password = DatabasePassword("any")
        let peer = try await MySQLConnection.open(configuration)
        await peer.close()
        for (login, expected) in [
            (try login(), true), (try login("app", "wrong"), false), (try login(whoRunsThis, "any"), false),
        ] {
            let isLetIn = try await isLetIn(login, configuration)
            XCTAssertEqual(isLetIn, expected, login.user)
        }
        await root.close()
        server.database.stop()
    }

    func testTheConnectionCountsAsKilldsOwnWhileItLastsAndIsClosedThen() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration())
            let before = try await database.observe(.sessions).ownThreadIDs
            let (during, sessions) = try await database.withConnection(as: try login()) { _ in
                let snapshot = try await database.observe(.sessions)
                return (snapshot.ownThreadIDs, snapshot.sessions)
            }
            XCTAssertEqual(during.count, before.count + 1)
            let delegated = during.subtracting(before)
            XCTAssertEqual(sessions.filter { delegated.contains($0.id) }.map(\.identity.user), ["app"])
            try await eventually("its end") {
                let snapshot = try await database.observe(.sessions)
                XCTAssertEqual(snapshot.ownThreadIDs, before)
                return !snapshot.sessions.contains { delegated.contains($0.id) }
            }
            await database.close()
        }
    }

    func testDelegatedLoginsAreBoundedAndTakeNoneOfKilldsConnections() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration(), connectionLimit: 2)
            let login = try login()
            let counter = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await database.withConnection(as: login) { _ in
                            counter.enter()
                            // Would wait for ever if killd's own were taken.
                            _ = try await database.observe(.server)
                            counter.leave()
                        }
                    }
                }
                try await group.waitForAll()
            }
            XCTAssertEqual(counter.most, 2)
            await database.close()
        }
    }

    func testTheInstancesDemandForTLSProtectsDelegatedPasswordsToo() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        for mode in [TLSMode.required, .verifyCA(ca: nil), .verifyIdentity(ca: nil)] {
            let proxy = try TCPProxy(to: server.database.port)
            let database = MySQLServer(server.configuration(tls: mode, port: proxy.port))
            let error = try await assertThrows(ServerError.self) {
                try await database.withConnection(as: try login()) { _ in }
            }
            XCTAssertEqual(error.reason, .tlsUnavailable, "\(mode): \(error)")
            assertNothingSecret(proxy.fromClients, of: "app")
            proxy.stop()
        }
    }

    func testNothingSecretIsSentInClearEvenIfTheServerAsksForIt() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        let greeted = Mutex(false)
        let proxy = try TCPProxy(
            to: server.database.port,
            fromServer: { bytes in
                let isFirst = greeted.withLock { greeted in
                    defer { greeted = true }
                    return !greeted
                }
                if isFirst { return .forward(bytes) }
                // "Authenticate by mysql_clear_password instead."
                let demand = [0xFE] + Array("mysql_clear_password\0".utf8)
                return .forward([UInt8(demand.count), 0, 0, 2] + demand)
            })
        let configuration = server.configuration(tls: .preferred, port: proxy.port)
        let isLetIn = try await isLetIn(try login(), configuration)
        XCTAssertFalse(isLetIn)
        XCTAssertNil(proxy.fromClients.firstRange(of: Array(RealServer.password.utf8)), "sent in clear")
        proxy.stop()
    }
}

/// How many are inside at the same time.
private final class Counter: Sendable {
    private let state = Mutex((now: 0, most: 0))

    var most: Int { state.withLock(\.most) }

    func enter() {
        state.withLock { state in
            state.now += 1
            state.most = max(state.most, state.now)
        }
    }

    func leave() { state.withLock { $0.now -= 1 } }
}
