import MySQLSessions
import PrivateDatabase
import SessionKill

/// Sessions on a private MariaDB that do what sessions of a shop do.
struct DemoSessions: Sendable {
    /// Password of every account of the demo.
    static let password = "demo"

    let idle: [MySQLConnection]
    /// Runs a SELECT that takes minutes.
    let report: MySQLConnection
    /// Holds a row lock in an open transaction, idle.
    let lockHolder: MySQLConnection
    /// Waits for that row.
    let waiter: MySQLConnection
    /// What the waiter's UPDATE ended with.
    let waiterEnd: Task<Bool, Never>

    /// The sessions that nobody plans to kill.
    var bystanders: [MySQLConnection] { idle + [waiter] }

    static func open(on database: PrivateDatabase) async throws -> DemoSessions {
        let root = try await MySQLConnection.open(
            MySQLServerConfiguration(
                address: .unixSocket(path: database.socket), user: PrivateDatabase.rootUser,
                password: DatabasePassword("")))
        _ = try await root.query(
            """
            CREATE DATABASE shop;
            CREATE TABLE shop.orders (id INT PRIMARY KEY, state VARCHAR(20)) ENGINE=InnoDB;
            INSERT INTO shop.orders VALUES (1, 'open'), (2, 'open'), (3, 'paid');
            CREATE USER killd@'127.0.0.1' IDENTIFIED BY '\(password)';
            GRANT PROCESS, CONNECTION ADMIN ON *.* TO killd@'127.0.0.1'
            """)
        for user in ["web", "report", "batch"] {
            _ = try await root.query(
                """
                CREATE USER \(user)@'127.0.0.1' IDENTIFIED BY '\(password)';
                GRANT ALL ON shop.* TO \(user)@'127.0.0.1'
                """)
        }
        await root.close()

        var idle: [MySQLConnection] = []
        for _ in 0..<3 { idle.append(try await connect("web", to: database)) }
        let report = try await connect("report", to: database)
        let lockHolder = try await connect("batch", to: database)
        let waiter = try await connect("web", to: database)
        _ = try await lockHolder.query("BEGIN; UPDATE orders SET state = 'frozen' WHERE id = 1")
        // Both end with the demo, one of them by KILL.
        Task { try? await report.query("SELECT state, COUNT(*), SLEEP(600) FROM orders GROUP BY state") }
        let waiterEnd = Task {
            do {
                _ = try await waiter.query("UPDATE orders SET state = 'paid' WHERE id = 1")
                return true
            } catch {
                return false
            }
        }
        return DemoSessions(
            idle: idle, report: report, lockHolder: lockHolder, waiter: waiter, waiterEnd: waiterEnd)
    }

    private static func connect(_ user: String, to database: PrivateDatabase) async throws -> MySQLConnection {
        var configuration = MySQLServerConfiguration(
            address: .tcp(host: "127.0.0.1", port: database.port, tls: .disabled), user: user,
            password: DatabasePassword(password))
        configuration.deadlines.readWrite = .seconds(900)
        configuration.deadlines.call = .seconds(900)
        let connection = try await MySQLConnection.open(configuration)
        _ = try await connection.query("USE shop; SET innodb_lock_wait_timeout = 600")
        return connection
    }
}
