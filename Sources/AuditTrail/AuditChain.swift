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
        var message: [UInt8] = []
        append(to: &message, sequence: sequence, previous: previous.utf8, payloadHash: payloadHash.utf8)
        return hexadecimal(try Digest.sha256.hash(message))
    }

    static func append(
        to message: inout [UInt8], sequence: Int64, previous: some Sequence<UInt8>, payloadHash: some Sequence<UInt8>
    ) {
        message += "killd-audit-1\n".utf8
        message += String(sequence).utf8
        message.append(UInt8(ascii: "\n"))
        message += previous
        message.append(UInt8(ascii: "\n"))
        message += payloadHash
        message.append(UInt8(ascii: "\n"))
    }
}
