/// Reads an `Authorization` header from its first byte to its last:
///
/// ```
/// ALGORITHM Name=value, Name=value
/// ```
struct AuthorizationScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: String) {
        rest = Array(text.utf8)[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skipBlanks() {
        rest = rest.drop(while: isBlank)
    }

    /// Skips a comma and the blanks around it; `false` where there is no comma.
    mutating func skipComma() -> Bool {
        skipBlanks()
        guard rest.first == UInt8(ascii: ",") else { return false }
        rest.removeFirst()
        skipBlanks()
        return true
    }

    /// The text up to the next blank, comma or the end.
    mutating func takeWord() -> ArraySlice<UInt8> {
        let word = rest.prefix { !isBlank($0) && $0 != UInt8(ascii: ",") }
        rest = rest[word.endIndex...]
        return word
    }

    /// What follows `name=`; `nil` if that is not next.
    mutating func takeValue(of name: String) -> ArraySlice<UInt8>? {
        let opening = "\(name)=".utf8
        guard rest.starts(with: opening) else { return nil }
        rest = rest.dropFirst(opening.count)
        return takeWord()
    }
}

/// The names in the list of signed headers, `a;b;c`; `nil` unless they are
/// lower-case names in ascending order of their bytes, none twice.
func signedHeaderNames(_ list: ArraySlice<UInt8>) -> [String]? {
    let names = list.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
    guard names.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isLowerCaseNameByte) }),
        zip(names, names.dropFirst()).allSatisfy(<)
    else { return nil }
    return names
}

/// The characters of RFC 9110's `token` that occur in names of headers,
/// without the capitals.
private func isLowerCaseNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
}
