/// A reader of JSON (RFC 8259) that makes nothing of what it passes: it tells where the members of an object stand.
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

    private mutating func skipString() -> Bool {
        guard take("\"") else { return false }
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return true
            case UInt8(ascii: "\\"): position += 2
            case 0..<0x20: return false
            default: position += 1
            }
        }
        return false
    }

    private mutating func skipNumber() -> Bool {
        let start = position
        while position < bytes.count, Self.isOfNumber(bytes[position]) { position += 1 }
        return position > start
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

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

/// A value in a JSON text, read only as far as somebody asks.
public struct JSONSlice: Sendable {
    private let bytes: ArraySlice<UInt8>

    /// - Parameter bytes: one value, with nothing around it.
    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    public init(_ text: String) { bytes = Array(text.utf8)[...] }

    /// As it stands in the text.
    public var raw: ArraySlice<UInt8> { bytes }

    var isString: Bool { bytes.first == UInt8(ascii: "\"") }

    /// Whether it is an object or an array.
    var hasParts: Bool { bytes.first == UInt8(ascii: "{") || bytes.first == UInt8(ascii: "[") }

    /// Of an object, in order; `nil` of anything else.
    public var members: [(name: String, value: JSONSlice)]? {
        var places: [(Range<Int>, Range<Int>)] = []
        let isObject = bytes.withUnsafeBufferPointer { buffer in
            var scan = JSONScan(buffer)
            return scan.object { places.append(($0, $1)) } && scan.position == buffer.count
        }
        guard isObject else { return nil }
        return places.map { name, value in (Self.unescape(slice(name)), JSONSlice(slice(value))) }
    }

    /// Of an array; `nil` of anything else.
    public var elements: [JSONSlice]? {
        var places: [Range<Int>] = []
        let isArray = bytes.withUnsafeBufferPointer { buffer in
            var scan = JSONScan(buffer)
            return scan.array { places.append($0) } && scan.position == buffer.count
        }
        return isArray ? places.map { JSONSlice(slice($0)) } : nil
    }

    public subscript(_ name: StaticString) -> JSONSlice? {
        members?.first { member in name.withUTF8Buffer { member.name.utf8.elementsEqual($0) } }?.value
    }

    /// The text that a string stands for; `nil` of anything else.
    public var string: String? {
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") else { return nil }
        return Self.unescape(bytes.dropFirst().dropLast())
    }

    public var integer: Int64? { Int64(String(decoding: bytes, as: UTF8.self)) }

    /// The texts of an array of strings.
    public var strings: [String]? {
        guard let elements else { return nil }
        let strings = elements.compactMap(\.string)
        return strings.count == elements.count ? strings : nil
    }

    private func slice(_ place: Range<Int>) -> ArraySlice<UInt8> {
        bytes[bytes.startIndex + place.lowerBound..<bytes.startIndex + place.upperBound]
    }

    private static func unescape(_ escaped: ArraySlice<UInt8>) -> String {
        guard escaped.contains(UInt8(ascii: "\\")) else { return String(decoding: escaped, as: UTF8.self) }
        var units: [UInt8] = []
        var surrogates: [UInt16] = []
        var rest = escaped
        func flush() {
            units += String(decoding: surrogates, as: UTF16.self).utf8
            surrogates = []
        }
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                flush()
                units.append(byte)
                continue
            }
            if kind == UInt8(ascii: "u"), let unit = UInt16(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16)
            {
                rest = rest.dropFirst(4)
                surrogates.append(unit)
                continue
            }
            flush()
            switch kind {
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0C)
            default: units.append(kind)
            }
        }
        flush()
        return String(decoding: units, as: UTF8.self)
    }
}
