import CMySQL
import Synchronization

/// A connection of the client library, the one that killd uses too. Every call blocks.
final class DatabaseConnection: Sendable {
    enum Address: Sendable {
        /// Of this machine.
        case port(UInt16)
        case unixSocket(String)
    }

    /// By which KILL knows it.
    let threadID: UInt
    private let handle: Mutex<Handle>

    init(_ address: Address, user: String, password: String) throws {
        let handle = try Handle.connect(to: address, user: user, password: password)
        threadID = mysql_thread_id(handle.mysql)
        self.handle = Mutex(handle)
    }

    /// Runs a statement that has no rows.
    func execute(_ sql: String) throws {
        try handle.withLock { handle in try handle.run(sql) }
    }

    /// The value in the first row and column of what `sql` returns.
    func value(of sql: String) throws -> String? {
        try handle.withLock { handle in
            try handle.run(sql)
            guard let result = mysql_store_result(handle.mysql) else { throw handle.failure }
            defer { mysql_free_result(result) }
            return mysql_fetch_row(result)?[0].map { String(cString: $0) }
        }
    }

    /// The values in one column of what `sql` returns, which must have as many.
    func column(_ index: Int = 0, of sql: String) throws -> [String] {
        try handle.withLock { handle in
            try handle.run(sql)
            guard let result = mysql_store_result(handle.mysql) else { throw handle.failure }
            defer { mysql_free_result(result) }
            var values: [String] = []
            while let row = mysql_fetch_row(result) { values.append(row[index].map { String(cString: $0) } ?? "") }
            return values
        }
    }

    /// Reads all that `sql` returns, as a program in C would.
    ///
    /// - Returns: how many rows there were.
    func countRows(of sql: String) throws -> Int {
        try handle.withLock { handle in
            try handle.run(sql)
            guard let result = mysql_store_result(handle.mysql) else { throw handle.failure }
            defer { mysql_free_result(result) }
            var count = 0
            while mysql_fetch_row(result) != nil { count += 1 }
            return count
        }
    }

    private struct Handle: ~Copyable {
        let mysql: UnsafeMutablePointer<MYSQL>

        /// Before any thread makes a connection: the library does not guard this itself.
        private static let libraryError = cmysql_library_init()

        private init(owning mysql: UnsafeMutablePointer<MYSQL>) { self.mysql = mysql }

        deinit { mysql_close(mysql) }

        static func connect(to address: Address, user: String, password: String) throws -> Handle {
            guard libraryError == 0, let mysql = mysql_init(nil) else {
                throw BenchmarkError("the client library could not be initialized")
            }
            let handle = Handle(owning: mysql)
            var seconds: UInt32 = 60
            for option in [MYSQL_OPT_CONNECT_TIMEOUT, MYSQL_OPT_READ_TIMEOUT, MYSQL_OPT_WRITE_TIMEOUT] {
                mysql_options(mysql, option, &seconds)
            }
            // killd's connections are without it as well.
            cmysql_set_tls(mysql, CMYSQL_TLS_DISABLED, nil)
            let connected =
                switch address {
                case .port(let port): mysql_real_connect(mysql, "127.0.0.1", user, password, nil, UInt32(port), nil, 0)
                case .unixSocket(let path): mysql_real_connect(mysql, nil, user, password, nil, 0, path, 0)
                }
            guard connected != nil else { throw handle.failure }
            return handle
        }

        borrowing func run(_ sql: String) throws {
            var sql = sql
            let status = sql.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { mysql_real_query(mysql, $0.baseAddress, UInt($0.count)) }
            }
            guard status == 0 else { throw failure }
        }

        var failure: BenchmarkError {
            BenchmarkError("\(mysql_error(mysql).map { String(cString: $0) } ?? "no message") (\(mysql_errno(mysql)))")
        }
    }
}
