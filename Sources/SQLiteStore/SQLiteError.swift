import CSQLite
import SessionKill

/// SQLite refused something.
///
/// Neither the message nor the description holds bound arguments: those may be
/// people's statements.
struct SQLiteError: Error, Hashable, CustomStringConvertible {
    /// The extended result code (sqlite.org/rescode.html).
    let code: Int32
    /// `sqlite3_errmsg`.
    let message: String
    /// The statement, with `?` for each argument; `nil` where no statement was involved.
    let sql: String?

    /// The lower eight bits of ``code``, which tell the kind of failure.
    var primaryCode: Int32 { code & 0xFF }

    var description: String {
        let statement = sql.map { " in: \($0)" } ?? ""
        return "SQLite error \(code), \(message)\(statement)"
    }
}

extension SQLiteError {
    /// What a connection says about the call that has just failed on it.
    init(lastErrorOf handle: OpaquePointer?, code: Int32, sql: String? = nil) {
        self.init(code: code, message: String(cString: sqlite3_errmsg(handle)), sql: sql)
    }

    var reason: StoreError.Reason {
        switch primaryCode {
        case SQLITE_FULL, SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_PERM: .cannotWrite
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged
        default: .other
        }
    }
}

extension StoreError {
    /// - Parameter attempt: what could not be done, such as `store plan-7`.
    init(_ error: any Error, attempt: String) {
        switch error {
        case let error as SQLiteError: self.init(error.reason, "cannot \(attempt): \(error)")
        case let error as StoreError: self.init(error.reason, "cannot \(attempt): \(error.description)")
        // Only what the store itself once encoded is ever decoded.
        case let error as DecodingError: self.init(.damaged, "cannot \(attempt): \(error)")
        default: self.init(.other, "cannot \(attempt): \(error)")
        }
    }
}
