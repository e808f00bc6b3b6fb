import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import XCTest

/// A database server that tests of one process share; empty but for what
/// ``RealServer/start(_:)`` creates.
public struct RealServer: Sendable {
    public enum Kind: Sendable, CaseIterable {
        case mariadb
        case mysql
    }

    public let kind: Kind
    public let database: PrivateDatabase
    /// MariaDB's extra port, MySQL's administrative interface.
    public let adminPort: UInt16

    /// Password of every account but `root`.
    public static let password = "pw with 'quotes'"

    /// What tells ``password`` in a text however it is escaped there, and stands in no name made at random.
    public static let passwordTraces = ["pw with", "pw%20with", "pw+with", "quotes"]

    /// The shared server; ends with the process. The MariaDB is without TLS, the
    /// MySQL has it.
    ///
    /// - Throws: `XCTSkip` in words if this machine lacks what the server needs.
    public static func shared(_ kind: Kind) throws -> RealServer {
        switch kind {
        case .mariadb: try sharedMariaDB.get()
        case .mysql: try sharedMySQL.get()
        }
    }

    // From 11.4 on MariaDB makes a certificate for itself, and has TLS unless told not to.
    private static let sharedMariaDB = Result { try start(.mariadb, options: ["--skip-ssl"]) }
    private static let sharedMySQL = Result { try start(.mysql) }

    /// Starts a server of one's own.
    ///
    /// - Parameter clock: in place of the machine's.
    public static func start(
        _ kind: Kind, options: [String] = [], clock: ServerClock? = nil
    ) throws -> RealServer {
        let environment = clock?.environment ?? [:]
        let adminPort = try PrivateDatabase.freePort()
        let options = ["--max-connections=2000", "--innodb-lock-wait-timeout=5"] + options
        let database: PrivateDatabase
        switch kind {
        case .mariadb:
            do {
                database = try PrivateDatabase.start(
                    .mariadb, options: ["--extra-port=\(adminPort)", "--extra-max-connections=3"] + options,
                    environment: environment)
            } catch {
                if case .programMissing = error.reason { throw XCTSkip("MariaDB: \(error)") }
                throw error
            }
        case .mysql:
            let root = try mySQLRoot()
            database = try PrivateDatabase.start(
                .mysql(root: root),
                options: ["--admin-address=127.0.0.1", "--admin-port=\(adminPort)"] + options,
                environment: environment)
        }
        return RealServer(kind: kind, database: database, adminPort: adminPort)
    }

    /// The tree in which MySQL runs.
    static func mySQLRoot() throws -> String {
        guard let root = ProcessInfo.processInfo.environment["KILLD_MYSQL_ROOT"], geteuid() == 0 else {
            throw XCTSkip("MySQL: needs KILLD_MYSQL_ROOT (a Debian tree with mysql-server) and root for chroot")
        }
        return root
    }

    /// Over TCP, without TLS unless said otherwise.
    public func configuration(
        user: String = "killd", tls: TLSMode = .disabled, port: UInt16? = nil
    ) -> MySQLServerConfiguration {
        MySQLServerConfiguration(
            address: .tcp(host: "127.0.0.1", port: port ?? database.port, tls: tls), user: user,
            password: DatabasePassword(Self.password))
    }

    /// A connection as root.
    public func administrator() async throws -> MySQLConnection {
        try await MySQLConnection.open(
            MySQLServerConfiguration(
                address: .unixSocket(path: database.socket), user: PrivateDatabase.rootUser,
                password: DatabasePassword(""), deadlines: .ofPreparation))
    }

    /// The statement that makes an account without rights.
    public static func creation(of user: String) -> String {
        let password = password.replacingOccurrences(of: "'", with: "''")
        return "CREATE USER IF NOT EXISTS \(user)@'%' IDENTIFIED BY '\(password)'"
    }

    /// Makes the accounts `killd` (what killd needs and no more), `app` and `app2`
    /// (all rights in the database `d`) if they are not there yet.
    public func createAccounts() async throws {
        let root = try await administrator()
        let connectionAdmin = kind == .mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN, SERVICE_CONNECTION_ADMIN"
        try await root.query("CREATE DATABASE IF NOT EXISTS d")
        for user in ["killd", "app", "app2"] {
            try await root.query(Self.creation(of: user))
        }
        try await root.query(
            """
            GRANT PROCESS, \(connectionAdmin) ON *.* TO killd@'%';
            GRANT ALL ON d.* TO app@'%'; GRANT ALL ON d.* TO app2@'%'
            """)
        await root.close()
        try await becomeUnmistakable()
        for user in ["killd", "app", "app2"] { try await remember(user) }
    }

    /// Has a MySQL remember an account, of which it then asks a proof only that it knows its password: without TLS it is
    /// given no more.
    public func remember(_ user: String, password: String = Self.password) async throws {
        guard kind == .mysql else { return }
        var local = configuration(user: user)
        local.password = DatabasePassword(password)
        local.address = .unixSocket(path: database.socket)
        await (try await MySQLConnection.open(local)).close()
    }

    /// Starts the server again, with the accounts that it remembered before.
    public func restart() async throws {
        try database.restart()
        for user in ["killd", "app"] { try await remember(user) }
    }

    /// Runs `body` while no thread of the server waits for a processor that another program has, where this process may
    /// say so (as root). For what lies between two statements of the server, which is short only while it runs.
    public func undisturbed<Result>(_ body: () async throws -> Result) async throws -> Result {
        let group = try String(contentsOfFile: "\(database.folder)/pid", encoding: .utf8)
        func run(atPriority priority: Int) async throws {
            let arguments = ["-n", "\(priority)", "-g", group.trimmingCharacters(in: .whitespacesAndNewlines)]
            _ = try await FinishedProgram.run("/usr/bin/renice", arguments)
        }
        try await run(atPriority: -20)
        let result = try await body()
        try await run(atPriority: 0)
        return result
    }

    /// Waits until the server has been running for so long that killd prepares plans for it.
    public func becomeUnmistakable() async throws {
        let root = try await administrator()
        try await eventually("an Uptime of 2 s", pause: .milliseconds(50)) {
            let uptime = try await root.query("SHOW GLOBAL STATUS LIKE 'Uptime'").first?.rows.first?.last
            return (uptime.flatMap { $0 }.flatMap { Int($0) } ?? 0) >= 2
        }
        await root.close()
    }
}

/// Runs `body` on a MariaDB and on a MySQL, with the accounts made.
///
/// If this machine lacks one of them, the test counts as skipped, but fails if
/// it fails on the other.
///
/// - Parameter provide: the shared servers, if not given.
public func onEveryServer(
    from provide: (RealServer.Kind) throws -> RealServer = RealServer.shared,
    _ body: (RealServer) async throws -> Void
) async throws {
    var lacking: [String] = []
    for kind in RealServer.Kind.allCases {
        let server: RealServer
        do {
            server = try provide(kind)
        } catch let skip as XCTSkip {
            lacking.append(skip.message ?? "\(kind)")
            continue
        }
        try await server.createAccounts()
        do {
            try await body(server)
        } catch let skip as XCTSkip {
            throw skip
        } catch {
            throw FailureOnServer(kind: kind, error: error)
        }
    }
    if !lacking.isEmpty { throw XCTSkip(lacking.joined(separator: "; ")) }
}

private struct FailureOnServer: Error, CustomStringConvertible {
    let kind: RealServer.Kind
    let error: any Error
    var description: String { "on \(kind): \(error)" }
}

extension MySQLServerConfiguration.Deadlines {
    /// Those of statements that prepare a test: a machine that runs all tests at once may take its time for them.
    static let ofPreparation = {
        var deadlines = Self()
        deadlines.connect = .seconds(60)
        deadlines.readWrite = .seconds(60)
        deadlines.call = .seconds(60)
        deadlines.check = .seconds(60)
        return deadlines
    }()
}
