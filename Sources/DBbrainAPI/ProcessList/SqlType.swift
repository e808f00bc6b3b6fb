import Text

/// The kind of a statement, as `SqlType` of the process list names it.
///
/// The vendor documents `SQLSelectStatement`, `StartTransaction`,
/// `MySqlDeleteStatement` and nothing at all. Most of these are class names of
/// the SQL parser Alibaba Druid, from which the other three are inferred.
enum SqlType: String, Sendable {
    case select = "SQLSelectStatement"
    case insert = "MySqlInsertStatement"
    case update = "MySqlUpdateStatement"
    case delete = "MySqlDeleteStatement"
    case replace = "MySqlReplaceStatement"
    case startTransaction = "StartTransaction"
    /// Any other, and none. Of WITH only the end would tell what it is.
    case other = ""

    /// Goes by the first keyword after comments and opening parentheses.
    init(of statement: String?) {
        guard let statement else {
            self = .other
            return
        }
        var scanner = StatementScanner(statement)
        func nextPiece() -> StatementScanner.Piece? {
            while let piece = scanner.next() {
                if case .comment = piece { continue }
                return piece
            }
            return nil
        }
        var piece = nextPiece()
        while piece == .sign(UInt8(ascii: "(")) { piece = nextPiece() }
        switch piece?.keyword {
        case "SELECT": self = .select
        case "INSERT": self = .insert
        case "UPDATE": self = .update
        case "DELETE": self = .delete
        case "REPLACE": self = .replace
        // Not START REPLICA and the like.
        case "START": self = nextPiece()?.keyword == "TRANSACTION" ? .startTransaction : .other
        case "BEGIN":
            // Not MariaDB's BEGIN NOT ATOMIC, which begins a block of statements.
            let next = nextPiece()
            let isWhole = next == nil || next == .sign(UInt8(ascii: ";")) || next?.keyword == "WORK"
            self = isWhole ? .startTransaction : .other
        default: self = .other
        }
    }
}
