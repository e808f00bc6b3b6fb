/// Reads an `Authorization` header from its first byte to its last:
///
/// ```
/// ALGORITHM Name=value, Name=value
/// ```
struct AuthorizationScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skipBlanks() {
        while let next, isBlank(next) { position += 1 }
    }

    /// Skips a comma and the blanks around it; `false` where there is no comma.
    mutating func skipComma() -> Bool {
        skipBlanks()
        guard next == UInt8(ascii: ",") else { return false }
        position += 1
        skipBlanks()
        return true
    }

    /// The text up to the next blank, comma or the end.
    mutating func takeWord() -> ArraySlice<UInt8> {
        let start = position
        while let next, !isBlank(next), next != UInt8(ascii: ",") { position += 1 }
        return bytes[start..<position]
    }

    /// What follows `name=`; `nil` if that is not next.
    mutating func takeValue(of name: String) -> ArraySlice<UInt8>? {
        for byte in name.utf8 {
            guard next == byte else { return nil }
            position += 1
        }
        guard next == UInt8(ascii: "=") else { return nil }
        position += 1
        return takeWord()
    }
}

/// The names in the list of signed headers, `a;b;c`; `nil` unless they are
/// lower-case names in ascending order of their bytes, none twice.
func signedHeaderNames(_ list: ArraySlice<UInt8>) -> [String]? {
    let names = list.split(at: ";")
    guard list.allSatisfy({ isLowerCaseNameByte($0) || $0 == UInt8(ascii: ";") }), !names.contains(""),
        zip(names, names.dropFirst()).allSatisfy(<)
    else { return nil }
    return names
}

extension ArraySlice<UInt8> {
    /// The texts between separators, empty ones too.
    func split(at separator: Unicode.Scalar) -> [String] {
        var parts: [String] = []
        parts.reserveCapacity(4)
        var start = startIndex
        for index in indices where self[index] == UInt8(ascii: separator) {
            parts.append(String(decoding: self[start..<index], as: UTF8.self))
            start = index + 1
        }
        parts.append(String(decoding: self[start...], as: UTF8.self))
        return parts
    }
}

/// The characters of RFC 9110's `token` that occur in names of headers,
/// without the capitals.
private func isLowerCaseNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
    default: false
    }
}
