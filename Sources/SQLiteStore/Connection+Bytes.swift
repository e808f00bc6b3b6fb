import CSQLite
import SessionKill

extension Connection {
    /// Opens an empty database in memory, which is gone with the connection.
    static func inMemory(pageBytes: Int) throws -> Connection {
        let connection = try Connection(name: ":memory:", flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY)
        try connection.setPragma("page_size", to: String(pageBytes), answering: String(pageBytes))
        return connection
    }

    /// Opens a database in memory that is a copy of what ``serialized()`` gave.
    ///
    /// - Throws: ``StoreError`` or ``SQLiteError`` if the bytes are no database, or a damaged one.
    static func inMemory(copying bytes: [UInt8]) throws -> Connection {
        let header = try DatabaseHeader(of: bytes)
        guard !header.isInWALMode else {
            throw StoreError(.other, "the bytes are those of a store in a file, which is opened by its path")
        }
        // Read where they are and copied page by page: SQLite would otherwise keep each page it uses twice.
        let source = try Connection.inMemory(pageBytes: header.pageBytes)
        try source.read(bytes)
        let connection = try Connection.inMemory(pageBytes: header.pageBytes)
        try connection.copyAll(of: source)
        guard try connection.firstValue(of: "PRAGMA quick_check(1)") == "ok" else {
            throw StoreError(.damaged, "the bytes are those of a damaged database")
        }
        return connection
    }

    /// The database as the bytes that a file of it would have.
    borrowing func serialized() throws(SQLiteError) -> [UInt8] {
        var count: sqlite3_int64 = 0
        guard let bytes = sqlite3_serialize(handle, "main", &count, 0) else {
            throw SQLiteError(code: SQLITE_NOMEM, message: "no memory for a copy of the database", sql: nil)
        }
        defer { sqlite3_free(bytes) }
        return [UInt8](UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    private borrowing func read(_ bytes: [UInt8]) throws(SQLiteError) {
        let count = sqlite3_int64(bytes.count)
        guard let copy = sqlite3_malloc64(sqlite3_uint64(bytes.count)) else {
            throw SQLiteError(code: SQLITE_NOMEM, message: "no memory for a copy of the database", sql: nil)
        }
        UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).copyBytes(from: bytes)
        // Freed by SQLite in any case (sqlite.org/c3ref/deserialize.html).
        let flags = UInt32(SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY)
        let result = sqlite3_deserialize(
            handle, "main", copy.assumingMemoryBound(to: UInt8.self), count, count, flags)
        guard result == SQLITE_OK else { throw SQLiteError(lastErrorOf: handle, code: result) }
    }

    private borrowing func copyAll(of source: borrowing Connection) throws(SQLiteError) {
        guard let backup = sqlite3_backup_init(handle, "main", source.handle, "main") else {
            throw SQLiteError(lastErrorOf: handle, code: sqlite3_extended_errcode(handle))
        }
        let result = sqlite3_backup_step(backup, -1)
        sqlite3_backup_finish(backup)
        guard result == SQLITE_DONE else { throw SQLiteError(lastErrorOf: handle, code: result) }
    }
}

/// What the first 100 bytes of a database tell (sqlite.org/fileformat2.html, 1.3).
private struct DatabaseHeader {
    let pageBytes: Int
    let isInWALMode: Bool

    init(of bytes: [UInt8]) throws(StoreError) {
        guard bytes.count >= 100, bytes.starts(with: "SQLite format 3\0".utf8) else {
            throw StoreError(.damaged, "the bytes are no database")
        }
        let written = Int(bytes[16]) << 8 | Int(bytes[17])
        pageBytes = written == 1 ? 65_536 : written
        isInWALMode = bytes[18] == 2 || bytes[19] == 2
    }
}
