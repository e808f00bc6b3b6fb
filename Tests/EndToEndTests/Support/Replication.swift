import MySQLSessions
import PrivateDatabase
import TestSupport
import XCTest

/// A server and its replica, of the same kind.
struct Replication {
    let source: RealServer
    let replica: RealServer

    /// Started once for all tests; ``start()`` connects the two.
    static func shared(_ kind: RealServer.Kind) throws -> Replication {
        switch kind {
        case .mariadb: try mariaDB.get()
        case .mysql: try mySQL.get()
        }
    }

    private static let mariaDB = Result { try Replication(.mariadb, options: ["--slave-parallel-threads=2"]) }
    private static let mySQL = Result {
        try Replication(
            .mysql, options: ["--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--replica-parallel-workers=2"])
    }

    private init(_ kind: RealServer.Kind, options: [String]) throws {
        func server(_ id: Int) throws -> RealServer {
            try RealServer.start(
                kind, options: ["--log-bin=binlog", "--server-id=\(id)", "--event-scheduler=ON"] + options)
        }
        source = try server(1)
        replica = try server(2)
    }

    /// Makes both servers begin alike and connects them, unless that was done before.
    func start() async throws {
        let (onSource, onReplica) = try await (source.administrator(), replica.administrator())
        guard try await status(onReplica) == nil else { return }
        try await source.createAccounts()
        try await replica.createAccounts()
        try await onSource.query(
            "\(RealServer.creation(of: "repl")); GRANT REPLICATION SLAVE ON *.* TO repl@'%'")
        for server in [onSource, onReplica] { try await server.query(words.forgetting) }
        try await onReplica.query("\(words.connecting); \(words.starting)")
        try await onSource.query("CREATE TABLE d.replicated (id INT PRIMARY KEY)")
        try await eventually("the replication of a table") {
            (try? await onReplica.query("SELECT id FROM d.replicated")) != nil
        }
        for connection in [onSource, onReplica] { await connection.close() }
    }

    /// Checks that both threads of the replica run without an error and that a row of the source arrives.
    func assertReplicates(_ row: Int, file: StaticString = #filePath, line: UInt = #line) async throws {
        let (onSource, onReplica) = try await (source.administrator(), replica.administrator())
        let status = try await status(onReplica)
        XCTAssertEqual(status, ["Yes", "Yes", "0", "0"], file: file, line: line)
        try await onSource.query("INSERT INTO d.replicated VALUES (\(row))")
        try await eventually("the row's arrival", file: file, line: line) {
            try await onReplica.query("SELECT id FROM d.replicated WHERE id = \(row)").first?.rows == [["\(row)"]]
        }
        for connection in [onSource, onReplica] { await connection.close() }
    }

    /// Whether the two threads run, and their last errors; `nil` for what is no replica.
    private func status(_ replica: MySQLConnection) async throws -> [String]? {
        let answer = try await replica.query("SHOW \(words.replica) STATUS").first
        guard let answer, let row = answer.rows.first else { return nil }
        let columns = [
            "\(words.replica)_IO_Running", "\(words.replica)_SQL_Running", "Last_IO_Errno", "Last_SQL_Errno",
        ]
        return columns.map { name in
            answer.columns.firstIndex { $0.lowercased() == name.lowercased() }.flatMap { row[$0] } ?? "no \(name)"
        }
    }

    private struct Words {
        let replica: String
        let forgetting: String
        let connecting: String
        let starting: String
    }

    private var words: Words {
        let password = RealServer.password.replacing("'", with: "''")
        let port = source.database.port
        switch source.kind {
        case .mariadb:
            return Words(
                replica: "SLAVE", forgetting: "RESET MASTER",
                connecting: """
                    CHANGE MASTER TO master_host='127.0.0.1', master_port=\(port), master_user='repl', \
                    master_password='\(password)', master_use_gtid=slave_pos, master_connect_retry=1
                    """,
                starting: "START SLAVE")
        case .mysql:
            return Words(
                replica: "REPLICA", forgetting: "RESET BINARY LOGS AND GTIDS",
                connecting: """
                    CHANGE REPLICATION SOURCE TO source_host='127.0.0.1', source_port=\(port), source_user='repl', \
                    source_password='\(password)', source_auto_position=1, get_source_public_key=1, \
                    source_connect_retry=1
                    """,
                starting: "START REPLICA")
        }
    }
}
