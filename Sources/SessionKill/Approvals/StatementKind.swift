import Text

/// What a running statement does, as far as its text and its session's state tell.
enum StatementKind: Hashable {
    /// Reads, and keeps nobody from writing.
    case plainRead
    /// Makes tables anew, or changes what they look like: to begin again takes as long as it took.
    case definitionChange
    /// Anything else, and whatever the text does not tell.
    case other
}

extension SessionDetails {
    /// What the session runs; `nil` if it runs nothing.
    var runningStatement: StatementKind? {
        if let state, StatementKind.statesOfDefinitionChange.contains(where: { state.utf8.starts(with: $0.utf8) }) {
            return .definitionChange
        }
        guard let statement else {
            return StatementKind.commandsWithoutStatement.contains(where: command.utf8.isSameWord) ? nil : .other
        }
        return StatementKind(of: statement, isWhole: statementLength == nil)
    }
}

extension StatementKind {
    /// - Parameter isWhole: whether the text is all of it. Of one that is cut, the end might say more.
    init(of statement: String, isWhole: Bool = true) {
        let bytes = Array(statement.utf8)
        var readings = [Self.reading(StatementScanner(statement))]
        // Where it depends on a setting of the session what is text and what is not, both is true.
        if bytes.contains(UInt8(ascii: "\\")) {
            readings.append(Self.reading(StatementScanner(statement, backslashEscapes: false)))
        }
        if readings.contains(.definitionChange) {
            self = .definitionChange
            return
        }
        // Which of them a server runs depends on its version.
        let mayHideMore = bytes.hasBytes(of: "/*!") || bytes.hasBytes(of: "/*M!")
        self = readings.contains(.other) || mayHideMore || !isWhole ? .other : .plainRead
    }

    /// The gravest of the statements that the text holds.
    private static func reading(_ scanner: StatementScanner) -> StatementKind {
        var scanner = scanner
        var kinds: Set<StatementKind> = []
        var words = StatementWords()
        while let piece = scanner.next() {
            switch piece {
            case .comment: break
            case .sign(UInt8(ascii: ";")):
                if let kind = words.kind { kinds.insert(kind) }
                words = StatementWords()
            case .sign, .word: words.read(piece)
            }
        }
        if let kind = words.kind { kinds.insert(kind) }
        if kinds.contains(.definitionChange) { return .definitionChange }
        return kinds == [.plainRead] ? .plainRead : .other
    }

    /// How the states of both servers begin while they run DDL, build an index or repair a table.
    fileprivate static let statesOfDefinitionChange = [
        "altering table", "preparing for alter table", "committing alter table", "copy to tmp table", "creating table",
        "Creating index", "Repair ", "manage keys", "discard_or_import_tablespace", "rename result table",
    ]

    /// The commands of sessions that run none, of MySQL, MariaDB and OceanBase.
    fileprivate static let commandsWithoutStatement = [
        "Sleep", "Connect", "Quit", "Init DB", "Field List", "Statistics", "Ping", "Change user", "Reset Connection",
        "Close stmt", "Reset stmt", "Set option", "Debug", "Time", "Processlist", "Killed",
    ]
}

/// The words of one statement that tell what it does.
private struct StatementWords {
    /// `nil` before it begins; empty where it does not begin with a keyword.
    private var first: String?
    private var previous: String?
    private var writesOrLocks = false
    private var holdsDefinitionChange = false
    /// Whether what follows FOR is the statement (MariaDB's `SET STATEMENT … FOR …`).
    private var isPreface = false

    /// `nil` if there are none.
    var kind: StatementKind? {
        guard let first else { return nil }
        if Self.definitionChanges.contains(first) { return .definitionChange }
        if Self.blocks.contains(first), holdsDefinitionChange { return .definitionChange }
        return Self.reads.contains(first) && !writesOrLocks ? .plainRead : .other
    }

    mutating func read(_ piece: StatementScanner.Piece) {
        let keyword = piece.keyword
        defer { previous = keyword }
        guard let first else {
            if piece != .sign(UInt8(ascii: "(")) { self.first = keyword ?? "" }
            return
        }
        guard let keyword else { return }
        if first == "SET", previous == "SET", keyword == "STATEMENT" { isPreface = true }
        if isPreface {
            if keyword == "FOR" { self = StatementWords() }
            return
        }
        if Self.definitionChanges.contains(keyword) { holdsDefinitionChange = true }
        switch (previous, keyword) {
        case (_, "INTO"), ("FOR", "UPDATE"), ("FOR", "SHARE"), ("LOCK", "IN"), ("VALUE", "FOR"): writesOrLocks = true
        // Runs what it explains.
        case (_, "ANALYZE") where Self.explanations.contains(first): writesOrLocks = true
        default: break
        }
    }

    private static let explanations: Set<String> = ["EXPLAIN", "DESCRIBE", "DESC"]
    /// Not WITH: only its end would tell.
    private static let reads: Set<String> = explanations.union(["SELECT", "TABLE", "VALUES", "SHOW", "USE", "HELP"])
    private static let definitionChanges: Set<String> = [
        "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "OPTIMIZE", "REPAIR", "LOAD", "IMPORT",
    ]
    /// What statements stand in that are none of their own.
    private static let blocks: Set<String> = [
        "BEGIN", "IF", "THEN", "ELSE", "ELSEIF", "CASE", "WHEN", "LOOP", "REPEAT", "WHILE", "FOR", "DECLARE", "END",
    ]
}
