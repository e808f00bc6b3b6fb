import Cryptography
import Text

/// How the entries of the audit hang together: each hash binds its entry and, by the hash before, all earlier ones.
///
/// A payload enters by its own hash, so that it can be dropped later without breaking the chain. Each field has an
/// alphabet without line feeds, and so can anybody check a link with `printf` and `sha256sum`.
public enum AuditChain {
    /// What stands for the hash before entry 1.
    public static let firstPrevious = String(repeating: "0", count: 64)

    /// In lower-case hexadecimal, of the payload's bytes as they are stored.
    public static func payloadHash(_ payload: String) throws(CryptographyError) -> String {
        hexadecimal(try Digest.sha256.hash(payload.utf8))
    }

    /// - Parameter previous: of the entry before, or ``firstPrevious``.
    public static func hash(
        sequence: Int64, previous: String, payloadHash: String
    ) throws(CryptographyError) -> String {
        hexadecimal(try Digest.sha256.hash("killd-audit-1\n\(sequence)\n\(previous)\n\(payloadHash)\n".utf8))
    }
}
