/// A reader of JSON (RFC 8259) that makes nothing of what it passes: it tells where the members of an object stand.
///
/// Only of bytes above 127 it does not tell whether they are UTF-8.
struct JSONScan {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position: Int

    /// Deeper than this nothing is read.
    private static let depth = 32

    init(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// Passes an object.
    ///
    /// - Parameter member: is given the place of each name, without quotes and as it is escaped, and of its value.
    /// - Returns: whether there was one.
    mutating func object(depth: Int = depth, _ member: (_ name: Range<Int>, _ value: Range<Int>) -> Void) -> Bool {
        guard depth > 0, take("{") else { return false }
        skipBlanks()
        if take("}") { return true }
        while true {
            skipBlanks()
            let name = position
            guard skipString() else { return false }
            let nameEnd = position
            skipBlanks()
            guard take(":") else { return false }
            skipBlanks()
            let value = position
            guard skipValue(depth: depth - 1) else { return false }
            member(name + 1..<nameEnd - 1, value..<position)
            skipBlanks()
            if take("}") { return true }
            guard take(",") else { return false }
        }
    }

    /// Passes an array, and gives the place of each element.
    mutating func array(depth: Int = depth, _ element: (Range<Int>) -> Void) -> Bool {
        guard depth > 0, take("[") else { return false }
        skipBlanks()
        if take("]") { return true }
        while true {
            skipBlanks()
            let start = position
            guard skipValue(depth: depth - 1) else { return false }
            element(start..<position)
            skipBlanks()
            if take("]") { return true }
            guard take(",") else { return false }
        }
    }

    mutating func skipValue(depth: Int = depth) -> Bool {
        guard position < bytes.count else { return false }
        return switch bytes[position] {
        case UInt8(ascii: "{"): object(depth: depth) { _, _ in }
        case UInt8(ascii: "["): array(depth: depth) { _ in }
        case UInt8(ascii: "\""): skipString()
        case UInt8(ascii: "t"): skip("true")
        case UInt8(ascii: "f"): skip("false")
        case UInt8(ascii: "n"): skip("null")
        default: skipNumber()
        }
    }

    mutating func skipBlanks() {
        while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    mutating func skipString() -> Bool {
        guard take("\"") else { return false }
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return true
            case UInt8(ascii: "\\"):
                position += 1
                guard skipEscaped() else { return false }
            case 0..<0x20: return false
            default: position += 1
            }
        }
        return false
    }

    /// What stands behind a backslash.
    private mutating func skipEscaped() -> Bool {
        guard position < bytes.count else { return false }
        position += 1
        switch bytes[position - 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return true
        case UInt8(ascii: "u"):
            let end = position + 4
            guard end <= bytes.count, bytes[position..<end].allSatisfy(Self.isHexadecimal) else { return false }
            position = end
            return true
        default: return false
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    mutating func skipNumber() -> Bool {
        _ = take("-")
        // No zero stands before other digits.
        guard take("0") || skipDigits() else { return false }
        if take("."), !skipDigits() { return false }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            return skipDigits()
        }
        return true
    }

    private mutating func skipDigits() -> Bool {
        let start = position
        while position < bytes.count, Self.isDigit(bytes[position]) { position += 1 }
        return position > start
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skip(_ word: StaticString) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        let isThere = word.withUTF8Buffer { bytes[position..<end].elementsEqual($0) }
        if isThere { position = end }
        return isThere
    }
}
