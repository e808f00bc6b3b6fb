import SessionKill

/// The rows of an answer, by the names of their columns.
///
/// Versions of ODP differ in which columns there are: `using_ssl` came later.
struct NamedRows {
    /// By name in lower case.
    private let columns: [String: Int]
    private let rows: [[String?]]
    private let source: String

    /// - Parameter source: what was read, for the error.
    init(_ result: MySQLResult?, _ source: String) throws(ServerError) {
        guard let result else { throw .senseless(source) }
        columns = Dictionary(
            result.columns.enumerated().filter { $1.utf8.count <= 64 }.map { ($1.lowercased(), $0) },
            uniquingKeysWith: { first, _ in first })
        rows = result.rows
        self.source = source
    }

    var count: Int { rows.count }

    func index(of column: String) throws(ServerError) -> Int {
        guard let index = columns[column] else { throw .senseless("\(source), which lacks the column \(column),") }
        return index
    }

    func forEach(_ body: (Row) throws(ServerError) -> Void) throws(ServerError) {
        for row in rows { try body(try Row(row, source)) }
    }
}

extension String {
    /// By bytes: comparing a stranger's text as text is quadratic in its combining marks.
    func hasSameBytes(as text: String) -> Bool { utf8.elementsEqual(text.utf8) }
}

extension Row {
    /// An unsigned number of 64 bits, also where its text is that of a signed one.
    ///
    /// ODP prints `proxy_sessid` unsigned in lists and signed (`%ld`) among attributes.
    func unsigned(_ column: Int) throws(ServerError) -> UInt64 {
        guard let text = self[column] else { return try integer(column) }
        if let number = UInt64(text) { return number }
        let signed: Int64 = try integer(column)
        return UInt64(bitPattern: signed)
    }
}
