extension [UInt8] {
    /// Appends `text` percent-encoded as Alibaba Cloud signs it: all but RFC
    /// 3986's unreserved characters is escaped, in upper case.
    mutating func append(acsEscaped text: some Sequence<UInt8>) {
        for byte in text {
            if byte.isUnreserved {
                append(byte)
            } else {
                append(UInt8(ascii: "%"))
                append(upperCaseDigits[Int(byte >> 4)])
                append(upperCaseDigits[Int(byte & 0x0F)])
            }
        }
    }
}

private let upperCaseDigits = Array("0123456789ABCDEF".utf8)

extension UInt8 {
    fileprivate var isUnreserved: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

/// The parameters as both of Alibaba Cloud's signatures have them: sorted by the
/// bytes of their names, escaped anew, blank values kept.
///
/// The query that was received is of no use: clients escape a blank as `+` and a
/// tilde as `%7E`, and sign `%20` and `~`.
package func canonicalizedQuery(_ parameters: [(name: String, value: String)]) -> [UInt8] {
    var text: [UInt8] = []
    for parameter in parameters.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
        if !text.isEmpty { text.append(UInt8(ascii: "&")) }
        text.append(acsEscaped: parameter.name.utf8)
        text.append(UInt8(ascii: "="))
        text.append(acsEscaped: parameter.value.utf8)
    }
    return text
}
