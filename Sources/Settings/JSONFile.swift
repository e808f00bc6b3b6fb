import Parameters

extension ParameterTree {
    /// Reads the object that a JSON file is which people write.
    ///
    /// - Throws: `Mistake` that says where in the file the first mistake is, by
    ///   line and column (in bytes, both from 1), and what it is.
    public init<Mistake: SettingsMistake>(file bytes: [UInt8], _: Mistake.Type) throws(Mistake) {
        do throws(ParameterError) {
            try self.init(json: bytes)
        } catch .malformed(let offset, let defect) {
            let before = bytes.prefix(offset)
            let line = before.count { $0 == UInt8(ascii: "\n") } + 1
            let column = offset - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
            throw Mistake(at: .file, found: nil, "not JSON: line \(line), column \(column): \(defect.words)")
        } catch {
            throw Mistake(at: .file, found: nil, "not JSON as it should be: expected an object: { … }")
        }
    }
}

extension JSONDefect {
    fileprivate var words: String {
        switch self {
        case .byteOrderMark: "the file begins with a byte-order mark; save it as UTF-8 without one"
        case .unexpectedEnd: "the file ends here, but something is still open"
        case .unexpectedByte(let byte) where (0x21...0x7E).contains(byte):
            "\(Character(UnicodeScalar(byte))) may not stand here (a comma too many or too few?)"
        case .unexpectedByte: "a character that may not stand here"
        case .trailingText: "something follows the object"
        case .invalidNumber: "this is no number"
        case .controlCharacter: "a text holds a line break or another control character; write it as \\n"
        case .invalidEscape: "a backslash is followed by no escape of JSON; a backslash itself is written twice"
        case .loneSurrogate: "half of a surrogate pair"
        case .invalidUTF8: "this is not UTF-8"
        case .duplicateName(let name): "\"\(name)\" stands here for the second time"
        case .nestedTooDeeply: "nested more than 32 deep"
        }
    }
}
