import Cryptography

/// What somebody is given whose database account was verified.
public struct SessionToken: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// `QCth`, as the vendor's begin, and 24 random letters and digits, 142 bits.
    public static func random() throws(CryptographyError) -> SessionToken {
        SessionToken(rawValue: "QCth" + (try randomText(count: 24, alphabet: SqlExecID.alphabet)))
    }
}
