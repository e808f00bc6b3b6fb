import CSQLite
import XCTest

/// Reads killd's store while killd uses it, as the sqlite3 program can.
final class StoreReader {
    private var database: OpaquePointer?

    init(_ path: String) throws {
        XCTAssertEqual(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, nil), SQLITE_OK)
    }

    deinit { sqlite3_close_v2(database) }

    /// The first column of what a query answers.
    func integers(_ sql: String) throws -> [Int] {
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        XCTAssertEqual(sqlite3_prepare_v2(database, sql, -1, &statement, nil), SQLITE_OK, sql)
        var integers: [Int] = []
        while sqlite3_step(statement) == SQLITE_ROW { integers.append(Int(sqlite3_column_int64(statement, 0))) }
        return integers
    }

    /// All columns of what a query answers.
    func texts(_ sql: String) throws -> [[String]] {
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        XCTAssertEqual(sqlite3_prepare_v2(database, sql, -1, &statement, nil), SQLITE_OK, sql)
        var rows: [[String]] = []
        while sqlite3_step(statement) == SQLITE_ROW {
            rows.append(
                (0..<sqlite3_column_count(statement)).map { column in
                    sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
                })
        }
        return rows
    }
}
