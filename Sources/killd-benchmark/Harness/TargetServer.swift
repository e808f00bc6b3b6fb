import Foundation
import PrivateDatabase

/// A private server with sessions to kill and others to spare.
struct TargetServer: Sendable {
    enum Kind: String, CaseIterable {
        case mariadb = "MariaDB"
        case mysql = "MySQL"
    }

    /// Whose sessions are killed.
    static let application = "app"
    /// What killd and its peers log in as.
    static let killer = "killd"
    static let password = "bench"

    /// With its version.
    let name: String
    let kind: Kind
    private let database: PrivateDatabase
    private let administrator: DatabaseConnection

    var port: UInt16 { database.port }

    init(_ kind: Kind, options: [String] = []) throws {
        // Of two equal options the later one holds.
        let options = ["--max-connections=2000"] + options
        self.kind = kind
        switch kind {
        case .mariadb: database = try PrivateDatabase.start(.mariadb, options: options)
        case .mysql: database = try PrivateDatabase.start(.mysql(root: try Self.mysqlRoot()), options: options)
        }
        administrator = try DatabaseConnection(
            .unixSocket(database.socket), user: PrivateDatabase.rootUser, password: "")
        let version = try administrator.value(of: "SELECT VERSION()")?.split(separator: "-").first ?? "of no version"
        name = "\(kind.rawValue) \(version)"
        try createAccounts()
        waitUntilPlansAreMade()
    }

    func stop() { database.stop() }

    /// The Debian tree whose MySQL is run.
    static func mysqlRoot() throws -> String {
        guard let root = ProcessInfo.processInfo.environment["KILLD_MYSQL_ROOT"], geteuid() == 0 else {
            throw NotMeasured("needs KILLD_MYSQL_ROOT (a Debian tree with mysql-server-core) and root for chroot")
        }
        return root
    }

    /// killd's has what its README recommends, and no more.
    private func createAccounts() throws {
        for user in [Self.application, Self.killer, Bystanders.user] {
            try administrator.execute("CREATE USER \(user)@'%' IDENTIFIED BY '\(Self.password)'")
            // MySQL remembers the password of who has logged in, and asks for it otherwise, which nobody answers without
            // TLS. By its socket it may be told.
            _ = try DatabaseConnection(.unixSocket(database.socket), user: user, password: Self.password)
        }
        let connectionAdmin = kind == .mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN"
        try administrator.execute("GRANT PROCESS, \(connectionAdmin) ON *.* TO \(Self.killer)@'%'")
        try administrator.execute("GRANT SELECT ON performance_schema.* TO \(Self.killer)@'%'")
    }

    /// - Parameter port: of a proxy, in place of the server's own.
    func connect(as user: String, port: UInt16? = nil) throws -> DatabaseConnection {
        try DatabaseConnection(.port(port ?? database.port), user: user, password: Self.password)
    }

    /// The value in the first row and column of what `sql` returns to the administrator.
    func value(of sql: String) throws -> String? { try administrator.value(of: sql) }

    /// The values in the first column of the same.
    func column(of sql: String) throws -> [String] { try administrator.column(of: sql) }

    /// Has a session of the administrator run a statement with an emoji for as long as the server runs: MySQL's
    /// `information_schema` cannot show it then, nor any other session (error 3854).
    func runEmoji() throws {
        let session = try DatabaseConnection(
            .unixSocket(database.socket), user: PrivateDatabase.rootUser, password: "")
        try session.execute("SET NAMES utf8mb4")
        // Each is over before the connection would give up waiting.
        Thread { while (try? session.value(of: "SELECT SLEEP(30) /* 😀 */")) != nil {} }.start()
        let deadline = ContinuousClock.now + .seconds(10)
        while (try? value(of: "SELECT count(*) FROM information_schema.PROCESSLIST")) != nil {
            guard ContinuousClock.now < deadline else { throw BenchmarkError("the list can be read all the same") }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    /// Waits for what a KILL only asks for: also so that the end of one turn's
    /// sessions does not slow the next turn.
    func waitUntilApplicationIsGone() throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            // The column User; the tables of `information_schema` cannot be read on every server.
            let left = try administrator.column(1, of: "SHOW PROCESSLIST").count { $0 == Self.application }
            guard left > 0 else { return }
            guard ContinuousClock.now < deadline else { throw BenchmarkError("\(left) sessions outlived their KILL") }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }
}

/// Waits until a server that has just been started is old enough for killd to prepare plans for it.
func waitUntilPlansAreMade() { Thread.sleep(forTimeInterval: 2) }

/// The words of a row instead of figures where this machine lacks something.
struct NotMeasured: Error, CustomStringConvertible {
    let description: String
    init(_ reason: String) { description = "not measured: \(reason)" }
}
