import Text

extension ParameterTree {
    /// Reads the body of a request: a JSON object in UTF-8.
    ///
    /// The grammar is RFC 8259's and nothing more. Besides, two things are
    /// rejected that the RFC leaves to the parser: a name that occurs twice in an
    /// object (after its escapes are resolved) and nesting deeper than 32.
    ///
    /// - Throws: ``ParameterError/malformed(offset:reason:)`` or
    ///   ``ParameterError/notAnObject``.
    public init(json bytes: [UInt8]) throws(ParameterError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.parseText()
        guard case .object = self else { throw .notAnObject }
    }
}

/// A recursive-descent parser over bytes. The nesting limit bounds the recursion.
struct JSONParser {
    private static let deepestNesting = 32

    let bytes: [UInt8]
    var position = 0
    private var depth = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The whole text: one value with white space around it.
    mutating func parseText() throws(ParameterError) -> ParameterTree {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw malformed(.byteOrderMark) }
        skipWhitespace()
        let value = try parseValue()
        skipWhitespace()
        guard position == bytes.count else { throw malformed(.trailingText) }
        return value
    }

    private mutating func parseValue() throws(ParameterError) -> ParameterTree {
        guard let first = next else { throw malformed(.unexpectedEnd) }
        switch first {
        case UInt8(ascii: "{"): return .object(try parseMembers())
        case UInt8(ascii: "["): return .array(try parseElements())
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseLiteral("true", as: .boolean(true))
        case UInt8(ascii: "f"): return try parseLiteral("false", as: .boolean(false))
        case UInt8(ascii: "n"): return try parseLiteral("null", as: .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try parseNumber())
        default: throw unexpected()
        }
    }

    private mutating func parseMembers() throws(ParameterError) -> [ParameterTree.Member] {
        try descend()
        defer { depth -= 1 }
        var members: [ParameterTree.Member] = []
        // Only the one object that every request has: a body may have a million others.
        if depth == 1 { members.reserveCapacity(8) }
        var names = NameList()
        skipWhitespace()
        if skip(UInt8(ascii: "}")) { return members }
        repeat {
            skipWhitespace()
            let start = position
            guard next == UInt8(ascii: "\"") else { throw unexpected() }
            let name = try parseString()
            guard names.insert(ExactText(name)).inserted else {
                throw malformed(.duplicateName(name), at: start)
            }
            skipWhitespace()
            guard skip(UInt8(ascii: ":")) else { throw unexpected() }
            skipWhitespace()
            members.append(ParameterTree.Member(name: name, value: try parseValue()))
            skipWhitespace()
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "}")) else { throw unexpected() }
        return members
    }

    private mutating func parseElements() throws(ParameterError) -> [ParameterTree] {
        try descend()
        defer { depth -= 1 }
        var elements: [ParameterTree] = []
        skipWhitespace()
        if skip(UInt8(ascii: "]")) { return elements }
        repeat {
            skipWhitespace()
            elements.append(try parseValue())
            skipWhitespace()
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "]")) else { throw unexpected() }
        return elements
    }

    /// Steps over the bracket that opens an object or array.
    private mutating func descend() throws(ParameterError) {
        guard depth < Self.deepestNesting else { throw malformed(.nestedTooDeeply) }
        depth += 1
        position += 1
    }

    private mutating func parseLiteral(
        _ literal: StaticString, as value: ParameterTree
    ) throws(ParameterError) -> ParameterTree {
        for offset in 0..<literal.utf8CodeUnitCount {
            guard skip(literal.utf8Start[offset]) else { throw unexpected() }
        }
        return value
    }

    /// RFC 8259, section 6. The text is kept: which numbers fit is for the type
    /// that is asked for to say.
    private mutating func parseNumber() throws(ParameterError) -> String {
        let start = position
        _ = skip(UInt8(ascii: "-"))
        if skip(UInt8(ascii: "0")) {
            if let next, Self.isDigit(next) { throw malformed(.invalidNumber, at: start) }
        } else {
            try skipDigits(ofNumberAt: start)
        }
        if skip(UInt8(ascii: ".")) { try skipDigits(ofNumberAt: start) }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
            try skipDigits(ofNumberAt: start)
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// Whether all of `text` is one number.
    static func isNumber(_ text: String) -> Bool {
        var parser = JSONParser(bytes: Array(text.utf8))
        return (try? parser.parseNumber()) != nil && parser.next == nil
    }

    private mutating func skipDigits(ofNumberAt start: Int) throws(ParameterError) {
        guard let first = next else { throw malformed(.unexpectedEnd) }
        guard Self.isDigit(first) else { throw malformed(.invalidNumber, at: start) }
        while let next, Self.isDigit(next) { position += 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }
}

// MARK: - Position

extension JSONParser {
    /// The byte at the position, or `nil` at the end.
    var next: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    /// Moves past `byte` if it is the next one, and says whether it was.
    mutating func skip(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipWhitespace() {
        while let next, next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 { position += 1 }
    }

    func unexpected() -> ParameterError {
        guard let next else { return malformed(.unexpectedEnd) }
        return malformed(.unexpectedByte(next))
    }

    func malformed(_ reason: JSONDefect, at offset: Int? = nil) -> ParameterError {
        .malformed(offset: offset ?? position, reason: reason)
    }
}
