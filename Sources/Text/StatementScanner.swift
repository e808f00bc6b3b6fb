/// Takes a statement apart into comments, words and signs, as MySQL and MariaDB
/// do.
///
/// Quoted texts and names, line comments and optimizer hints (`/*+ … */`) are
/// passed over. What stands in `/*! … */` and `/*M! … */` belongs to the
/// statement: servers run it. Time grows with the length only, whatever a
/// stranger's statement holds.
///
/// In `'…'` and `"…"` a backslash hides what follows it. A session can switch
/// that off (`NO_BACKSLASH_ESCAPES`), which nobody else can see.
public struct StatementScanner: IteratorProtocol {
    public enum Piece: Hashable {
        /// What stands between `/*` and `*/`.
        case comment(ArraySlice<UInt8>)
        /// A keyword, a name without quotes or a number.
        case word(ArraySlice<UInt8>)
        /// Any other character, or the first of a quoted text or name.
        case sign(UInt8)
    }

    private let bytes: [UInt8]
    private let backslashEscapes: Bool
    private var position = 0
    private var isInExecutableComment = false

    /// - Parameter backslashEscapes: false to read it as a session does that has switched that off.
    public init(_ statement: String, backslashEscapes: Bool = true) {
        bytes = Array(statement.utf8)
        self.backslashEscapes = backslashEscapes
    }

    /// - Returns: `nil` at the end, and where the rest is a comment that does not
    ///   end.
    public mutating func next() -> Piece? {
        while position < bytes.endIndex {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                skipQuoted(byte, hasEscapes: backslashEscapes)
                return .sign(byte)
            case UInt8(ascii: "`"):
                skipQuoted(byte, hasEscapes: false)
                return .sign(byte)
            case UInt8(ascii: "#"):
                skipLine()
            case UInt8(ascii: "-") where isLineComment:
                skipLine()
            case UInt8(ascii: "/") where follows("*"):
                if let comment = skipComment() { return .comment(comment) }
            case UInt8(ascii: "*") where isInExecutableComment && follows("/"):
                position += 2
                isInExecutableComment = false
            case _ where byte.isBlank:
                position += 1
            case _ where byte.isInWords:
                let start = position
                while position < bytes.endIndex, bytes[position].isInWords { position += 1 }
                return .word(bytes[start..<position])
            default:
                position += 1
                return .sign(byte)
            }
        }
        return nil
    }

    private func follows(_ text: StaticString, after offset: Int = 1) -> Bool {
        let rest = bytes[min(position + offset, bytes.endIndex)...]
        return text.withUTF8Buffer { rest.starts(with: $0) }
    }

    /// Two dashes begin a comment only before a blank or at the end.
    private var isLineComment: Bool {
        follows("-") && (position + 2 >= bytes.endIndex || bytes[position + 2].isBlank)
    }

    private mutating func skipLine() {
        position = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
    }

    /// A doubled quote within looks like the end and a new beginning, which comes to the same.
    private mutating func skipQuoted(_ quote: UInt8, hasEscapes: Bool) {
        position += 1
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += hasEscapes && byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == quote { return }
        }
    }

    /// - Returns: the content of a comment that is one to the servers too.
    private mutating func skipComment() -> ArraySlice<UInt8>? {
        if follows("!", after: 2) || follows("M!", after: 2) {
            position += follows("M", after: 2) ? 4 : 3
            // The version from which on it is run.
            while position < bytes.endIndex, bytes[position].isDigit { position += 1 }
            isInExecutableComment = true
            return nil
        }
        let isHint = follows("+", after: 2)
        let start = position + 2
        var end = start
        while end < bytes.endIndex {
            if bytes[end] == UInt8(ascii: "*"), end + 1 < bytes.endIndex, bytes[end + 1] == UInt8(ascii: "/") {
                position = end + 2
                return isHint ? nil : bytes[start..<end]
            }
            end += 1
        }
        position = bytes.endIndex
        return nil
    }
}

extension UInt8 {
    /// White space, or another control character.
    public var isBlank: Bool { self <= 0x20 || self == 0x7F }

    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    fileprivate var isInWords: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) || self == UInt8(ascii: "_")
            || self == UInt8(ascii: "$") || self >= 0x80
    }
}

extension StatementScanner.Piece {
    /// A word in capitals that is short enough for a keyword.
    public var keyword: String? {
        guard case .word(let bytes) = self, bytes.count <= 16, bytes.allSatisfy({ $0 < 0x80 }) else { return nil }
        return String(decoding: bytes, as: UTF8.self).uppercased()
    }
}
