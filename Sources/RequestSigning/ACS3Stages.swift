import Cryptography

/// The stages of ACS3-HMAC-SHA256, Alibaba Cloud's signature of version 3, as
/// pure functions.
///
/// Source: <https://www.alibabacloud.com/help/en/doc-detail/2593177>.
package enum ACS3 {
    package static let algorithm = "ACS3-HMAC-SHA256"

    /// The first stage.
    ///
    /// - Parameters:
    ///   - query: as ``canonicalizedQuery(_:)`` gives it; parameters in a body are
    ///     not part of it.
    ///   - headers: the signed ones, in ascending order of their lower-case names;
    ///     values without surrounding blanks.
    ///   - payloadHash: SHA-256 of the body, in lower-case hexadecimal.
    package static func canonicalRequest(
        method: String, query: [UInt8], headers: [(name: String, value: String)], payloadHash: String
    ) -> [UInt8] {
        var text = Array(method.utf8)
        text += "\n/\n".utf8
        text += query
        text += "\n".utf8
        for header in headers {
            text += header.name.utf8
            text += ":".utf8
            text += header.value.utf8
            text += "\n".utf8
        }
        text += "\n".utf8
        text += headers.map(\.name).joined(separator: ";").utf8
        text += "\n".utf8
        text += payloadHash.utf8
        return text
    }

    /// The second stage.
    ///
    /// - Parameter canonicalRequestHash: SHA-256, 32 bytes.
    package static func stringToSign(canonicalRequestHash: [UInt8]) -> String {
        "\(algorithm)\n\(hexadecimal(canonicalRequestHash))"
    }

    /// The third stage: 32 bytes, sent as lower-case hexadecimal. The key is the
    /// secret itself.
    package static func signature(of stringToSign: String, secretKey: Secret) throws(CryptographyError) -> [UInt8] {
        try Digest.sha256.authenticationCode(of: stringToSign.utf8, key: secretKey.reveal().utf8)
    }
}
