import Cryptography
import FoundationEssentials
public import RequestSigning

/// How messages of the formats that have a signature are signed.
enum WebhookSignature {
    /// Standard Webhooks 1.0.0: over id, time and body.
    ///
    /// - Parameter timestamp: of the attempt, Unix time in seconds.
    static func standard(
        id: String, timestamp: Int64, body: [UInt8], key: [UInt8]
    ) throws(CryptographyError) -> String {
        let code = try Digest.sha256.authenticationCode(of: Array("\(id).\(timestamp).".utf8) + body, key: key)
        return "v1," + base64(code)
    }

    /// Feishu's: time and secret are the key, and the message is empty.
    ///
    /// - Parameter timestamp: Unix time in seconds.
    static func feishu(timestamp: Int64, secret: Secret) throws(CryptographyError) -> String {
        base64(try Digest.sha256.authenticationCode(of: [], key: "\(timestamp)\n\(secret.reveal())".utf8))
    }

    /// DingTalk's: the secret is the key, time and secret are the message.
    ///
    /// - Parameter timestamp: Unix time in milliseconds.
    static func dingTalk(timestamp: Int64, secret: Secret) throws(CryptographyError) -> String {
        let message = "\(timestamp)\n\(secret.reveal())".utf8
        return base64(try Digest.sha256.authenticationCode(of: message, key: secret.reveal().utf8))
    }

    private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}

/// The key with which messages in the format of Standard Webhooks are signed.
public struct StandardKey: Sendable {
    let bytes: [UInt8]

    /// Reads `whsec_` and the base64 of 24 to 64 bytes; the prefix may be missing.
    public init?(_ secret: Secret) {
        let text = secret.reveal()
        let prefix = "whsec_"
        let digits = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
        guard let data = Data(base64Encoded: digits), (24...64).contains(data.count) else { return nil }
        bytes = Array(data)
    }
}
