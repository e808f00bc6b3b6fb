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
        guard isWhole({ $0.skipString() }) else { return nil }
        return Self.unescape(bytes.dropFirst().dropLast())
    }

    public var integer: Int64? {
        guard isWhole({ $0.skipNumber() }) else { return nil }
        return Int64(String(decoding: bytes, as: UTF8.self))
    }

    private func isWhole(_ skip: (inout JSONScan) -> Bool) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            var scan = JSONScan(buffer)
            return skip(&scan) && scan.position == buffer.count
        }
    }

    /// The texts of an array of strings.
    public var strings: [String]? {
        guard let elements else { return nil }
        let strings = elements.compactMap(\.string)
        return strings.count == elements.count ? strings : nil
    }

    private func slice(_ place: Range<Int>) -> ArraySlice<UInt8> {
        bytes[bytes.startIndex + place.lowerBound..<bytes.startIndex + place.upperBound]
    }

    /// - Parameter escaped: what stands between the quotes of a string.
    private static func unescape(_ escaped: ArraySlice<UInt8>) -> String {
        guard escaped.contains(UInt8(ascii: "\\")) else { return String(decoding: escaped, as: UTF8.self) }
        var units: [UInt8] = []
        var surrogates: [UInt16] = []
        var rest = escaped
        func flush() {
            guard !surrogates.isEmpty else { return }
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

extension JSONSlice {
    /// The object with which a text begins.
    init?(beginningOf text: ArraySlice<UInt8>) {
        let length = text.withUnsafeBufferPointer { bytes in
            var scan = JSONScan(bytes)
            return scan.object { _, _ in } ? scan.position : nil
        }
        guard let length else { return nil }
        self.init(text.prefix(length))
    }

    /// A text that is one object or array and nothing else.
    init?(document text: ArraySlice<UInt8>) {
        let place = text.withUnsafeBufferPointer { bytes -> Range<Int>? in
            var scan = JSONScan(bytes)
            scan.skipBlanks()
            let start = scan.position
            guard start < bytes.count, [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(bytes[start]), scan.skipValue()
            else { return nil }
            let end = scan.position
            scan.skipBlanks()
            return scan.position == bytes.count ? start..<end : nil
        }
        guard let place else { return nil }
        self.init(text[text.startIndex + place.lowerBound..<text.startIndex + place.upperBound])
    }
}
