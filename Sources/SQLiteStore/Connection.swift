import CSQLite
import Cryptography
import Glibc

/// Owns one open database.
///
/// Opened without SQLite's own mutex: the actor that holds it is what keeps
/// two threads from using it at once ("multi-thread mode",
/// sqlite.org/threadsafe.html).
struct Connection: ~Copyable {
    let handle: OpaquePointer

    /// How long a statement waits for another process's lock.
    static let busyTimeoutMilliseconds: Int32 = 5_000

    /// Opens an existing file, an empty one included. Nothing is read yet.
    init(path: String) throws(SQLiteError) {
        try self.init(name: path, flags: SQLITE_OPEN_READWRITE)
    }

    /// - Parameter name: a path, or a URI if `flags` say so.
    init(name: String, flags: CInt) throws(SQLiteError) {
        var handle: OpaquePointer?
        var result = sqlite3_open_v2(name, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        if result == SQLITE_OK { result = sqlite3_busy_timeout(handle, Self.busyTimeoutMilliseconds) }
        guard result == SQLITE_OK, let handle else {
            let error = SQLiteError(lastErrorOf: handle, code: result)
            sqlite3_close_v2(handle)
            throw error
        }
        self.handle = handle
    }

    /// Opens a file that is only read.
    ///
    /// - Parameter isImmutable: whether nobody can write to it meanwhile.
    private init(reading path: String, isImmutable: Bool) throws(SQLiteError) {
        let escaped = path.utf8.map { byte -> String in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"):
                String(UnicodeScalar(byte))
            default: "%" + hexadecimal([byte])
            }
        }.joined()
        let uri = "file:\(escaped)\(isImmutable ? "?immutable=1" : "")"
        try self.init(name: uri, flags: SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
    }

    /// Opens a file that is only read, also while a killd writes to it.
    static func reading(_ path: String) throws -> Connection {
        let connection = try Connection(reading: path, isImmutable: false)
        do {
            // Only now are the files looked for that SQLite keeps beside a database in WAL mode.
            _ = try connection.firstValue(of: "SELECT count(*) FROM sqlite_schema")
            return connection
        } catch let error as SQLiteError where error.primaryCode == SQLITE_CANTOPEN && access(path + "-wal", F_OK) != 0
        {
            // In a folder where they cannot be made, and where no killd has made them: nobody writes.
            return try Connection(reading: path, isImmutable: true)
        }
    }

    // Unlike sqlite3_close this also ends well if a statement is finalized later.
    deinit { sqlite3_close_v2(handle) }

    /// Closes the database and tells if that failed, as it does while there are statements.
    consuming func close() throws(SQLiteError) {
        let result = sqlite3_close(handle)
        guard result == SQLITE_OK else {
            let error = SQLiteError(lastErrorOf: handle, code: result)
            _ = consume self
            throw error
        }
        discard self
    }

    /// Runs any number of statements, separated by semicolons, and ignores their rows.
    borrowing func execute(_ sql: String) throws(SQLiteError) {
        try check(sqlite3_exec(handle, sql, nil, nil, nil), sql: sql)
    }

    /// The first value of what `sql` answers with one column, as text.
    borrowing func firstValue(of sql: String) throws -> String? {
        try Statement(sql, on: self).rows { row in try row.onlyText() }.first ?? nil
    }

    /// Sets a pragma and makes sure that it took effect: SQLite answers most
    /// that it cannot obey with the old value instead of an error.
    borrowing func setPragma(_ name: String, to value: String, answering expected: String) throws {
        try execute("PRAGMA \(name) = \(value)")
        let response = try firstValue(of: "PRAGMA \(name)") ?? "nothing"
        guard response == expected else {
            throw SQLiteError(
                code: SQLITE_ERROR, message: "\(name) stayed at \(response)", sql: "PRAGMA \(name) = \(value)")
        }
    }

    /// Whether closing the last connection moves the WAL into the database file.
    borrowing func setCheckpointOnClose(_ enabled: Bool) throws(SQLiteError) {
        try check(csqlite_set_checkpoint_on_close(handle, enabled ? 1 : 0))
    }

    /// Moves the WAL into the database file without waiting for anybody: what
    /// another process still reads stays in the WAL, where it is as safe.
    borrowing func checkpoint() throws(SQLiteError) {
        try check(sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil))
    }

    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    private borrowing func check(_ result: Int32, sql: String? = nil) throws(SQLiteError) {
        guard result == SQLITE_OK else { throw SQLiteError(lastErrorOf: handle, code: result, sql: sql) }
    }
}
