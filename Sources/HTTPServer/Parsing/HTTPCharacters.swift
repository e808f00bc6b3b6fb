// The character classes of RFC 9110 and RFC 9112.

extension UInt8 {
    /// `tchar` (RFC 9110 section 5.6.2).
    var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"),
            UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
            UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// May stand in a field value (RFC 9110 section 5.5): no control character
    /// but the tab.
    var isFieldValueByte: Bool { fieldValueFault == 0 }

    /// 0 for what may stand in a field value, 1 for the rest. Without a branch, so
    /// that the compiler can look at many bytes with each instruction.
    var fieldValueFault: UInt8 {
        let isLow: UInt8 = self < 0x20 ? 1 : 0
        let isDelete: UInt8 = self == 0x7F ? 1 : 0
        let isNoTab: UInt8 = self == UInt8(ascii: "\t") ? 0 : 1
        return (isLow | isDelete) & isNoTab
    }

    /// May stand in a request target: visible ASCII, and no `#`, since a target
    /// has no fragment (RFC 9112 section 3.2).
    var isTargetByte: Bool { self > 0x20 && self < 0x7F && self != UInt8(ascii: "#") }

    /// `reg-name` without its escapes (RFC 3986 section 3.2.2), and without the
    /// comma, at which others cut a list.
    var isHostNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ";"),
            UInt8(ascii: "="):
            true
        default: false
        }
    }

    /// `OWS` (RFC 9110 section 5.6.3).
    var isSpaceOrTab: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    var decimalDigit: Int? {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= self ? Int(self - UInt8(ascii: "0")) : nil
    }

    var hexadecimalDigit: Int? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(self - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(self - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(self - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    var asciiLowercased: UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= self ? self | 0x20 : self
    }
}

extension UInt8 {
    static var carriageReturn: UInt8 { 0x0D }
    static var lineFeed: UInt8 { 0x0A }
}

extension Span<UInt8> {
    /// Whether the bytes in `range` are `text`, a lower-case literal, in any
    /// case of letters.
    func has(_ text: StaticString, at range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { literal in
            zip(range, literal).allSatisfy { self[$0].asciiLowercased == $1 }
        }
    }

    /// Whether the bytes in `range` are `text`, letter by letter.
    func isExactly(_ text: StaticString, at range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { literal in zip(range, literal).allSatisfy { self[$0] == $1 } }
    }

    /// Whether the bytes in both ranges are the same, in any case of letters.
    func isSame(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy { self[$0].asciiLowercased == self[$1].asciiLowercased }
    }

    /// Whether the bytes in both are the same.
    func isSameText(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { self[$0] == self[$1] }
    }

    func text(at range: Range<Int>) -> String {
        withUnsafeBufferPointer { String(decoding: $0[range], as: UTF8.self) }
    }

    /// `range` without white space at both ends.
    func trimming(_ range: Range<Int>) -> Range<Int> {
        var range = range
        while let first = range.first, self[first].isSpaceOrTab { range = (first + 1)..<range.upperBound }
        while let last = range.last, self[last].isSpaceOrTab { range = range.lowerBound..<last }
        return range
    }

    /// The members of a comma-separated list (RFC 9110 section 5.6.1), trimmed,
    /// empty ones included.
    func listMembers(in range: Range<Int>) -> [Range<Int>] {
        var members: [Range<Int>] = []
        var start = range.lowerBound
        for index in range where self[index] == UInt8(ascii: ",") {
            members.append(trimming(start..<index))
            start = index + 1
        }
        members.append(trimming(start..<range.upperBound))
        return members
    }
}

extension [UInt8] {
    mutating func append(_ span: Span<UInt8>) {
        span.withUnsafeBufferPointer { append(contentsOf: $0) }
    }
}
