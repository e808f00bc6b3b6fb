import Text

/// The names and values of a query or a form, unescaped, in the order in which
/// they were sent; no name occurs twice.
public struct FormPairs: Sendable {
    public typealias Pair = (name: String, value: String)

    public let pairs: [Pair]
    private let names: NameList

    /// Reads `application/x-www-form-urlencoded`: pairs with `=` between name
    /// and value and `&` between each other; `+` is a blank.
    ///
    /// Nothing is guessed where the WHATWG's parser would: a pair without `=` and
    /// a percent sign without two digits are rejected, and so is what is no UTF-8.
    ///
    /// - Parameter most: so many pairs are read; each costs memory and time however
    ///   short it is.
    /// - Throws: ``ParameterError/malformedPair``,
    ///   ``ParameterError/malformedEscape(offset:)``,
    ///   ``ParameterError/repeated(path:)`` or ``ParameterError/tooManyPairs``.
    public init(_ bytes: some Collection<UInt8>, most: Int = .max) throws(ParameterError) {
        var parser = FormParser(bytes: Array(bytes))
        var pairs: [Pair] = []
        var names = NameList()
        while let pair = try parser.nextPair() {
            guard pairs.count < most else { throw .tooManyPairs }
            guard names.insert(ExactText(pair.name)).inserted else { throw .repeated(path: pair.name) }
            pairs.append(pair)
        }
        self.pairs = pairs
        self.names = names
    }

    /// The value of the first parameter with this name, if the name is written
    /// without escapes. Nothing else is read, so that it takes next to no time.
    public static func value(of name: String, in form: [UInt8]) throws(ParameterError) -> String? {
        guard let range = form.withUnsafeBufferPointer({ rangeOfValue(of: Array("\(name)=".utf8), in: $0) }) else {
            return nil
        }
        var parser = FormParser(bytes: Array(form[range]))
        return try parser.parseText(until: UInt8(ascii: "&"), or: UInt8(ascii: "&"))
    }

    private static func rangeOfValue(of start: [UInt8], in form: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        var position = 0
        while position < form.count {
            var end = position
            while end < form.count, form[end] != UInt8(ascii: "&") { end += 1 }
            if end - position >= start.count,
                UnsafeBufferPointer(rebasing: form[position..<(position + start.count)]).elementsEqual(start)
            {
                return (position + start.count)..<end
            }
            position = end + 1
        }
        return nil
    }

    /// The value of the parameter with this name.
    public subscript(name: String) -> String? { names.index(of: ExactText(name)).map { pairs[$0].value } }
}

private struct FormParser {
    let bytes: [UInt8]
    private var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func nextPair() throws(ParameterError) -> FormPairs.Pair? {
        while skip(UInt8(ascii: "&")) {}
        guard position < bytes.count else { return nil }
        let name = try parseText(until: UInt8(ascii: "="), or: UInt8(ascii: "&"))
        guard skip(UInt8(ascii: "=")) else { throw .malformedPair }
        return (name, try parseText(until: UInt8(ascii: "&"), or: UInt8(ascii: "&")))
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func parseText(until end: UInt8, or otherEnd: UInt8) throws(ParameterError) -> String {
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == end || byte == otherEnd { break }
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "%") { hasEscapes = true }
            position += 1
        }
        // Most texts have no escapes and are ASCII, which is copied once and needs no further look.
        let escaped = bytes[start..<position]
        let text = hasEscapes ? try unescaped(escaped)[...] : escaped
        if text.allSatisfy({ $0 < 0x80 }) { return String(decoding: text, as: UTF8.self) }
        guard let text = String(validating: text, as: UTF8.self) else { throw .malformedEscape(offset: start) }
        return text
    }

    private func unescaped(_ escaped: ArraySlice<UInt8>) throws(ParameterError) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(escaped.count)
        var index = escaped.startIndex
        while index < escaped.endIndex {
            switch escaped[index] {
            case UInt8(ascii: "+"): text.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard index + 2 < escaped.endIndex, let high = Self.digit(escaped[index + 1]),
                    let low = Self.digit(escaped[index + 2])
                else { throw .malformedEscape(offset: index) }
                text.append(high << 4 | low)
                index += 2
            case let byte: text.append(byte)
            }
            index += 1
        }
        return text
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
