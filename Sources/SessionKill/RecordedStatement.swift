import Cryptography

/// A statement as a plan keeps it.
public enum RecordedStatement: Hashable, Sendable, Codable {
    /// The statement's beginning, or all of it.
    ///
    /// - Parameter length: of the whole statement, in bytes.
    case shown(text: String, length: Int)
    /// SHA-256 of the statement, in lower-case hexadecimal digits: tells whether
    /// two are the same, and nothing else.
    case hidden(sha256: String)

    /// What is kept of statements.
    public enum Policy: Hashable, Sendable {
        /// At most so many bytes.
        case cut(bytes: Int)
        case hidden
    }

    /// - Throws: `CryptographyError` if OpenSSL refuses.
    init(_ statement: String, _ policy: Policy) throws(CryptographyError) {
        switch policy {
        case .cut(let limit): self = .shown(text: statement.beginning(bytes: limit), length: statement.utf8.count)
        case .hidden: self = .hidden(sha256: hexadecimal(try Digest.sha256.hash(statement.utf8)))
        }
    }
}

extension String {
    /// The longest beginning of at most so many bytes that ends between two
    /// characters; between two Unicode scalars if already the first character is
    /// longer.
    func beginning(bytes limit: Int) -> String {
        guard let end = utf8.index(startIndex, offsetBy: limit, limitedBy: endIndex), end < endIndex else {
            return self
        }
        let betweenScalars = unicodeScalars.index(before: unicodeScalars.index(after: end))
        var cut = betweenScalars
        while cut > startIndex, Index(cut, within: self) == nil { cut = unicodeScalars.index(before: cut) }
        return String(self[..<(cut > startIndex ? cut : betweenScalars)])
    }
}
