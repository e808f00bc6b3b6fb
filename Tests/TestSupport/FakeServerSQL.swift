import Foundation

extension FakeServerContent {
    /// The parts of a text between separators that are in no parentheses and no quotes, without spaces around them.
    static func parts(of text: String, separator: String) -> [String] {
        let bytes = Array(text.utf8)
        let separator = Array(separator.utf8)
        var parts: [String] = []
        var start = 0
        var index = 0
        var depth = 0
        var quote: UInt8?
        func part(to end: Int) -> String {
            String(decoding: bytes[start..<end], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        while index < bytes.count {
            let byte = bytes[index]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`") {
                quote = byte
            } else if byte == UInt8(ascii: "(") {
                depth += 1
            } else if byte == UInt8(ascii: ")") {
                depth -= 1
            } else if depth == 0, bytes[index...].starts(with: separator) {
                parts.append(part(to: index))
                index += separator.count
                start = index
                continue
            }
            index += 1
        }
        return parts + [part(to: bytes.count)]
    }

    static func quotedTexts(in text: String) -> [String] {
        text.split(separator: "'", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }
    }

    /// What each `X'…'` stands for.
    static func hexadecimalLiterals(in text: String) -> [String] {
        text.components(separatedBy: "X'").dropFirst().map { rest in
            let digits = Array(rest.prefix { $0 != "'" })
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(digits[$0...$0 + 1]), radix: 16)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    static func number(after words: String, in text: String) -> UInt64? {
        text.range(of: words).flatMap { UInt64(text[$0.upperBound...].prefix(while: \.isNumber)) }
    }
}
