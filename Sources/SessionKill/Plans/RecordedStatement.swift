import Cryptography
import Text

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

    /// `nil` where no statement runs.
    ///
    /// - Throws: `CryptographyError` if OpenSSL refuses.
    init?(of details: SessionDetails, _ policy: Policy) throws(CryptographyError) {
        guard let statement = details.statement else { return nil }
        switch policy {
        case .cut(let limit):
            let length = details.statementLength ?? statement.utf8.count
            self = .shown(text: statement.beginning(bytes: limit), length: length)
        case .hidden: self = .hidden(sha256: hexadecimal(try Digest.sha256.hash(statement.utf8)))
        }
    }
}

/// By the bytes of their texts, as all that is a stranger's.
extension RecordedStatement {
    public static func == (left: RecordedStatement, right: RecordedStatement) -> Bool {
        switch (left, right) {
        case (.shown(let left, let leftLength), .shown(let right, let rightLength)):
            leftLength == rightLength && left.isSame(as: right)
        case (.hidden(let left), .hidden(let right)): left.isSame(as: right)
        case (.shown, .hidden), (.hidden, .shown): false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .shown(let text, _): text.hashBytes(into: &hasher)
        case .hidden(let sha256): sha256.hashBytes(into: &hasher)
        }
    }
}
