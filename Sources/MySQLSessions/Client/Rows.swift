import SessionKill

/// The rows of a response, read by the names of their columns.
///
/// What a server says is outside input. It may be of a version that nobody
/// knows, broken, or not a server at all: columns lack or come in another order,
/// numbers are out of range, texts without end. Whatever makes no sense is an
/// error that says what was read.
struct Rows: Sequence {
    /// The columns by name in lower case; `nil` for a name that is there twice.
    private let columns: [String: Column?]
    private let rows: [[String?]]
    private let wholeLengths: [Int: [Int: Int]]
    private let columnCount: Int
    private let source: String

    /// A column that the response has.
    struct Column {
        fileprivate let index: Int
    }

    /// - Parameter source: what was read, for the error.
    init(_ response: MySQLResult?, _ source: String) throws(ServerError) {
        guard let response else { throw .senseless(source) }
        let columnCount = response.columns.count
        guard response.rows.allSatisfy({ $0.count == columnCount }) else {
            throw .senseless(source, "a row has not as many values as there are columns")
        }
        self.columnCount = columnCount
        columns = Dictionary(
            response.columns.enumerated().filter { $1.utf8.count <= 64 }
                .map { ($1.lowercased(), Column(index: $0)) },
            uniquingKeysWith: { _, _ in nil })
        rows = response.rows
        wholeLengths = response.wholeLengths
        self.source = source
    }

    /// The response to the only statement of a packet.
    init(_ responses: [MySQLResult], _ source: String) throws(ServerError) {
        guard responses.count == 1 else { throw .senseless(source, "\(responses.count) responses to one statement") }
        try self.init(responses[0], source)
    }

    var count: Int { rows.count }

    func has(_ column: String) -> Bool { columns[column] != nil }

    /// - Parameter name: in lower case.
    func column(_ name: String) throws(ServerError) -> Column {
        guard let column = columns[name] else { throw .senseless(source, "it lacks the column \(name)") }
        guard let column else { throw .senseless(source, "it has the column \(name) twice") }
        return column
    }

    /// The column of a response that must have just one, whatever its name.
    func onlyColumn() throws(ServerError) -> Column {
        guard columnCount == 1 else { throw .senseless(source, "\(columnCount) columns in place of one") }
        return Column(index: 0)
    }

    func makeIterator() -> some IteratorProtocol<Row> {
        rows.indices.lazy.map(row).makeIterator()
    }

    private func row(_ index: Int) -> Row {
        Row(values: rows[index], wholeLengths: wholeLengths[index] ?? [:], source: source)
    }

    /// The row of a response that must have just one.
    func only() throws(ServerError) -> OnlyRow {
        guard rows.count == 1 else { throw .senseless(source, "\(rows.count) rows in place of one") }
        return OnlyRow(columns: self, row: row(0))
    }
}

/// One row of a response.
struct Row {
    fileprivate let values: [String?]
    /// The whole lengths by column, see ``MySQLResult/wholeLengths``.
    fileprivate let wholeLengths: [Int: Int]
    fileprivate let source: String

    /// The length in bytes; more than ``text(_:)`` has if that is only the beginning.
    func length(_ column: Rows.Column) -> Int {
        wholeLengths[column.index] ?? text(column)?.utf8.count ?? 0
    }

    /// The value as text; `nil` for NULL.
    func text(_ column: Rows.Column) -> String? {
        values.indices.contains(column.index) ? values[column.index] : nil
    }

    /// A name, or another short text; `nil` for NULL.
    ///
    /// - Throws: ``ServerError`` for one that is longer than any server's.
    func name(_ column: Rows.Column) throws(ServerError) -> String? {
        guard let text = text(column) else { return nil }
        guard text.utf8.count <= longestName else {
            throw .senseless(source, "a name of \(text.utf8.count) bytes")
        }
        return text
    }

    func integer<Integer: FixedWidthInteger>(_ column: Rows.Column) throws(ServerError) -> Integer {
        guard let text = text(column) else { throw .senseless(source, "NULL in place of a number") }
        guard let value = Integer(text) else { throw .senseless(source, "\(text.excerpt) in place of a number") }
        return value
    }

    /// The value as a number; `nil` for NULL.
    func integerIfAny<Integer: FixedWidthInteger>(_ column: Rows.Column) throws(ServerError) -> Integer? {
        text(column) == nil ? nil : try integer(column)
    }

    /// A number of an ODP's.
    func unsigned(_ column: Rows.Column) throws(ServerError) -> UInt64 {
        if let number = text(column).flatMap(UInt64.init(ofODP:)) { return number }
        return try integer(column)
    }

    /// The value as a thread's id; `nil` for a number that no plan can hold: 0, or above 32 bits on MariaDB.
    func thread(_ column: Rows.Column) throws(ServerError) -> ThreadID? {
        let number: UInt64 = try integer(column)
        return ThreadID(number)
    }

    /// The value as a thread's id; `nil` also for NULL.
    func threadIfAny(_ column: Rows.Column) throws(ServerError) -> ThreadID? {
        text(column) == nil ? nil : try thread(column)
    }

    /// A session's time in whole seconds; `nil` for NULL.
    ///
    /// Servers have shown times below zero as 2^64 - 1; beyond 63 bits it is no
    /// time that anybody could compare with.
    func seconds(_ column: Rows.Column) throws(ServerError) -> Int64? {
        guard let text = text(column) else { return nil }
        if let seconds = Int64(text) { return seconds }
        // OceanBase's may have a fraction behind a point.
        guard let number = Double(text), number.isFinite else {
            throw .senseless(source, "\(text.excerpt) in place of a time")
        }
        return Int64(exactly: number.rounded(.down))
    }
}

extension UInt64 {
    /// An unsigned number of 64 bits, also where its text is that of a signed one.
    ///
    /// ODP prints `proxy_sessid` unsigned in lists and signed (`%ld`) among attributes.
    init?(ofODP text: String) {
        guard let number = UInt64(text) ?? Int64(text).map(UInt64.init(bitPattern:)) else { return nil }
        self = number
    }
}

/// The only row of a response, with its columns.
struct OnlyRow {
    fileprivate let columns: Rows
    fileprivate let row: Row

    func text(_ column: String) throws(ServerError) -> String? { row.text(try columns.column(column)) }

    func integer<Integer: FixedWidthInteger>(_ column: String) throws(ServerError) -> Integer {
        try row.integer(try columns.column(column))
    }

    func integerIfAny<Integer: FixedWidthInteger>(_ column: String) throws(ServerError) -> Integer? {
        try row.integerIfAny(try columns.column(column))
    }

    func unsigned(_ column: String) throws(ServerError) -> UInt64 { try row.unsigned(try columns.column(column)) }

    func thread(_ column: String) throws(ServerError) -> ThreadID? { try row.thread(try columns.column(column)) }
}

/// The response to SHOW VARIABLES or SHOW STATUS, or variables by their names.
struct Variables {
    /// The values by name in lower case.
    let values: [String: String]

    init(_ response: MySQLResult) throws(ServerError) {
        let rows = try Rows(response, "a list of variables")
        let name = try rows.column("variable_name")
        let value = try rows.column("value")
        var values: [String: String] = [:]
        for row in rows {
            guard let name = try row.name(name)?.lowercased(), let value = row.text(value) else { continue }
            values[name] = value
        }
        self.values = values
    }

    /// The variables in the row of `SELECT @@…`, whose columns have the variables' names.
    init(_ names: [String], _ row: OnlyRow) throws(ServerError) {
        var values: [String: String] = [:]
        for name in names { values[name] = try row.text(name) ?? "" }
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }

    func name(_ name: String) throws(ServerError) -> String {
        guard let value = values[name] else { throw .senseless("the variable \(name)", "it lacks") }
        guard value.utf8.count <= longestName else {
            throw .senseless("the variable \(name)", "it has \(value.utf8.count) bytes")
        }
        return value
    }

    func integer<Integer: FixedWidthInteger>(_ name: String) throws(ServerError) -> Integer {
        let text = try self.name(name)
        guard let value = Integer(text) else {
            throw .senseless("the variable \(name)", "\(text.excerpt) in place of a number")
        }
        return value
    }
}

/// The most bytes of any name of a server's: of users, hosts, schemas, tables or states.
let longestName = 1_024

extension String {
    /// The beginning, fit to stand in a message: in quotes, without what terminals could take for commands.
    fileprivate var excerpt: String {
        let shown = String(
            decoding: utf8.prefix(40).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
        return "\"\(shown)\(utf8.count > 40 ? "…" : "")\""
    }
}

extension ThreadID {
    /// The id that a text writes; `nil` for a number that no plan can hold.
    init?(text: String) {
        guard let number = UInt64(text) else { return nil }
        self.init(number)
    }
}

extension ServerError {
    static func behindProxy(_ greeted: ThreadID, shown: ThreadID?) -> ServerError {
        let shown = shown.map(\.description) ?? "no session's id"
        return ServerError(.behindProxy, "CONNECTION_ID() was \(greeted) and is \(shown): a proxy answers")
    }

    /// The server answered, but not what it should.
    static func senseless(_ source: String, _ detail: String? = nil) -> ServerError {
        ServerError(
            .other, "the server's answer for \(source) makes no sense\(detail.map { ": \($0)" } ?? "")")
    }
}
