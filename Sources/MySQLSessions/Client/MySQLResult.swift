/// What one statement answered.
public struct MySQLResult: Hashable, Sendable {
    /// The columns' names; none for a statement that answers no rows.
    public var columns: [String] = []
    /// The values by row and column; `nil` for NULL. Bytes that are not UTF-8 are replaced by U+FFFD.
    public var rows: [[String?]] = []
    public var affectedRows: UInt64 = 0
    /// The whole lengths, in bytes, of the texts of which only the beginning is in
    /// ``rows``: by row and column.
    var wholeLengths: [Int: [Int: Int]] = [:]

    /// The most bytes of a text that are kept. Nothing that killd reads of a server is longer, but for statements: a
    /// server may show it many of 16 MB at once.
    static let longestText = SessionListSource.longestStatement
}
