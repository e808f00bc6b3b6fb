import CSQLite
import FoundationEssentials
import Glibc
import SessionKill

/// What can stand for a `?`, and what the store's columns hold.
enum SQLiteValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case text(String)

    init(_ value: Int64?) { self = value.map(SQLiteValue.integer) ?? .null }
    init(_ value: String?) { self = value.map(SQLiteValue.text) ?? .null }

    /// For `json_each`.
    ///
    /// - Throws: whatever stops the encoder.
    init(jsonArray texts: [String]) throws {
        self = .text(String(decoding: try JSONEncoder().encode(texts), as: UTF8.self))
    }
}

/// Owns one prepared statement; reset after every use, whatever its result.
struct Statement: ~Copyable {
    private let handle: OpaquePointer

    /// - Parameter sql: one statement.
    init(_ sql: String, on connection: borrowing Connection) throws(SQLiteError) {
        var handle: OpaquePointer?
        let result = sqlite3_prepare_v3(connection.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard result == SQLITE_OK, let handle else {
            throw SQLiteError(lastErrorOf: connection.handle, code: result, sql: sql)
        }
        self.handle = handle
    }

    deinit { sqlite3_finalize(handle) }

    /// Runs to the end and returns how many rows were inserted, changed or
    /// deleted; of no meaning for statements that do none of these.
    @discardableResult
    borrowing func run(_ values: [SQLiteValue] = []) throws(SQLiteError) -> Int {
        defer { reset() }
        try bind(values)
        while try step() {}
        return Int(sqlite3_changes64(sqlite3_db_handle(handle)))
    }

    /// Inserts one row and returns its id. `RETURNING` would have SQLite make a table for the answer each time.
    borrowing func insert(_ values: [SQLiteValue]) throws(SQLiteError) -> Int64 {
        try run(values)
        return sqlite3_last_insert_rowid(sqlite3_db_handle(handle))
    }

    /// What `read` makes of each row.
    borrowing func rows<Value>(
        _ values: [SQLiteValue] = [], _ read: (borrowing Row) throws -> Value
    ) throws -> [Value] {
        defer { reset() }
        try bind(values)
        var rows: [Value] = []
        while try step() { rows.append(try read(Row(handle: handle))) }
        return rows
    }

    /// Has `read` look at each row, and makes nothing of it.
    borrowing func forEach(
        _ values: [SQLiteValue] = [], _ read: (borrowing Row) throws -> Void
    ) throws {
        defer { reset() }
        try bind(values)
        while try step() { try read(Row(handle: handle)) }
    }

    private borrowing func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
        for (index, value) in zip(Int32(1)..., values) {
            let result =
                switch value {
                case .null: sqlite3_bind_null(handle, index)
                case .integer(let integer): sqlite3_bind_int64(handle, index, integer)
                case .text(let text):
                    text.withCString { csqlite_bind_text(handle, index, $0, sqlite3_uint64(text.utf8.count)) }
                }
            guard result == SQLITE_OK else { throw error(result) }
        }
    }

    /// Whether there is another row.
    private borrowing func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let result: throw error(result)
        }
    }

    /// The answer of sqlite3_reset repeats the failure of the last step, which was thrown already.
    private borrowing func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    private borrowing func error(_ code: Int32) -> SQLiteError {
        SQLiteError(lastErrorOf: sqlite3_db_handle(handle), code: code, sql: String(cString: sqlite3_sql(handle)))
    }
}

/// The row that a statement stands at. Cannot outlive it: it is only ever lent.
///
/// Nothing but the handle: with a reference-counted field beside it the
/// optimizer of Swift 6.3.1 crashes ("Cannot initialize a nonCopyable type
/// with a guaranteed value").
struct Row: ~Copyable {
    fileprivate let handle: OpaquePointer

    /// - Throws: ``StoreError`` of reason `damaged` if the column is NULL.
    borrowing func integer(_ column: StaticString) throws(StoreError) -> Int64 {
        guard let value = try optionalInteger(column) else { throw damage(column) }
        return value
    }

    /// - Throws: ``StoreError`` of reason `damaged` if the column is NULL or no UTF-8.
    borrowing func text(_ column: StaticString) throws(StoreError) -> String {
        guard let value = try optionalText(column) else { throw damage(column) }
        return value
    }

    /// The column as a number; `nil` for NULL.
    borrowing func optionalInteger(_ column: StaticString) throws(StoreError) -> Int64? {
        let index = try index(of: column)
        guard sqlite3_column_type(handle, index) != SQLITE_NULL else { return nil }
        return sqlite3_column_int64(handle, index)
    }

    /// The column as text; `nil` for NULL.
    ///
    /// - Throws: ``StoreError`` of reason `damaged` if the column is no UTF-8.
    borrowing func optionalText(_ column: StaticString) throws(StoreError) -> String? {
        try optionalText(at: try index(of: column), column)
    }

    /// The bytes of the column at a place, as they are until the next row; `nil` for NULL. For many rows: the name of a
    /// column takes longer to look up than what is in it.
    borrowing func bytes(at index: Int32) -> UnsafeBufferPointer<UInt8>? {
        guard let start = sqlite3_column_text(handle, index) else { return nil }
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, index)))
    }

    borrowing func integer(at index: Int32) -> Int64 { sqlite3_column_int64(handle, index) }

    /// The value of a row that must have just one, whatever its column's name; `nil` for NULL.
    borrowing func onlyText() throws(StoreError) -> String? {
        guard sqlite3_column_count(handle) == 1 else {
            throw StoreError(.other, "not one column in the answer of: \(String(cString: sqlite3_sql(handle)))")
        }
        return try optionalText(at: 0, "0")
    }

    private borrowing func optionalText(at index: Int32, _ column: StaticString) throws(StoreError) -> String? {
        guard let start = sqlite3_column_text(handle, index) else { return nil }
        let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, index)))
        guard let text = String(validating: bytes, as: UTF8.self) else { throw damage(column) }
        return text
    }

    /// Compared one after the other: they are few, and a row has room for nothing in which they could be looked up.
    private borrowing func index(of column: StaticString) throws(StoreError) -> Int32 {
        let name = UnsafeRawPointer(column.utf8Start).assumingMemoryBound(to: CChar.self)
        for index in 0..<sqlite3_column_count(handle) where strcmp(sqlite3_column_name(handle, index), name) == 0 {
            return index
        }
        throw StoreError(.other, "no column \(column) in the answer of: \(String(cString: sqlite3_sql(handle)))")
    }

    private borrowing func damage(_ column: StaticString) -> StoreError {
        StoreError(.damaged, "nothing readable in column \(column) of: \(String(cString: sqlite3_sql(handle)))")
    }
}
