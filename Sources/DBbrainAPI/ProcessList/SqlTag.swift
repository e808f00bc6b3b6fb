import Text

/// A tag in a comment of a statement: `p=2342` of `/* p = 2342 , f=abd */`.
///
/// Bytes rather than texts: comparing and hashing a stranger's text is quadratic
/// in its combining marks.
struct SqlTag: Hashable, Sendable {
    let key: [UInt8]
    let value: [UInt8]

    /// The most bytes that count in one statement, between `/*` and `*/`.
    static let longestComments = 1_024

    /// The tags of a statement, each once, in the order of their bytes.
    ///
    /// A comment holds tags if all of it is a comma list of `key=value`, without
    /// blanks inside of either; any other comment is prose and holds none.
    /// Several comments add up, for as long as they have no more than
    /// ``longestComments`` bytes together.
    static func tags(of statement: String) -> [SqlTag] {
        var tags: Set<SqlTag> = []
        var length = 0
        var scanner = StatementScanner(statement)
        while let piece = scanner.next() {
            guard case .comment(let comment) = piece, comment.count <= longestComments - length,
                let list = list(comment)
            else { continue }
            length += comment.count
            tags.formUnion(list)
        }
        return tags.sorted {
            $0.key == $1.key
                ? $0.value.lexicographicallyPrecedes($1.value) : $0.key.lexicographicallyPrecedes($1.key)
        }
    }

    /// The tags as `Name` of the statistics writes them: `f=abd,p=2342`.
    static func name(of tags: [SqlTag]) -> [UInt8] {
        Array(tags.map { $0.key + [UInt8(ascii: "=")] + $0.value }.joined(separator: [UInt8(ascii: ",")]))
    }

    private static func list(_ comment: ArraySlice<UInt8>) -> [SqlTag]? {
        var tags: [SqlTag] = []
        for member in comment.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let (key, value) = keyAndValue(member), let value else { return nil }
            tags.append(SqlTag(key: key, value: value))
        }
        return tags
    }

    /// - Returns: the key and, if there is an equals sign, the value; `nil` if one
    ///   of them is empty or has a blank inside.
    fileprivate static func keyAndValue(_ text: ArraySlice<UInt8>) -> (key: [UInt8], value: [UInt8]?)? {
        func word(_ text: ArraySlice<UInt8>) -> [UInt8]? {
            let start = text.firstIndex { !$0.isBlank } ?? text.endIndex
            let end = text.lastIndex { !$0.isBlank }.map { $0 + 1 } ?? start
            let word = text[start..<end]
            return word.isEmpty || word.contains(where: \.isBlank) ? nil : Array(word)
        }
        guard let equalsSign = text.firstIndex(of: UInt8(ascii: "=")) else { return word(text).map { ($0, nil) } }
        guard let key = word(text[..<equalsSign]), let value = word(text[(equalsSign + 1)...]) else { return nil }
        return (key, value)
    }
}

/// Which statements count, by their tags: `[p=position]`, `[p]`, or
/// `[p=position, c=idCard]` for those that have both.
///
/// The brackets may be missing: the vendor's description has them, its example
/// value `p=position1` has not.
public struct SqlTagSelector: RawRepresentable, Hashable, Codable, Sendable {
    public let rawValue: String
    let isInBrackets: Bool
    private let conditions: [Condition]

    private struct Condition: Hashable {
        let key: [UInt8]
        let value: [UInt8]?
    }

    /// `nil` if it is none, or has more than 1,024 bytes.
    public init?(rawValue: String) {
        self.rawValue = rawValue
        var text = Array(rawValue.utf8)[...]
        guard text.count <= SqlTag.longestComments else { return nil }
        while text.first?.isBlank == true { text.removeFirst() }
        while text.last?.isBlank == true { text.removeLast() }
        isInBrackets = text.first == UInt8(ascii: "[")
        if isInBrackets {
            guard text.count > 1, text.last == UInt8(ascii: "]") else { return nil }
            text = text.dropFirst().dropLast()
        }
        guard !text.contains(UInt8(ascii: "[")), !text.contains(UInt8(ascii: "]")) else { return nil }
        var conditions: [Condition] = []
        for member in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let (key, value) = SqlTag.keyAndValue(member) else { return nil }
            conditions.append(Condition(key: key, value: value))
        }
        self.conditions = conditions
    }

    func selects(_ tags: [SqlTag]) -> Bool {
        conditions.allSatisfy { condition in
            tags.contains { $0.key == condition.key && (condition.value == nil || $0.value == condition.value) }
        }
    }
}
