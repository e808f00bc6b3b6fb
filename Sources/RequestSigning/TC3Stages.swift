import Cryptography

/// The stages of TC3-HMAC-SHA256 that come before the signature, as pure
/// functions. ``TC3SigningKey`` has the last two: the key and the signature.
///
/// Source: <https://cloud.tencent.com/document/api/1278/46714>.
package enum TC3 {
    /// The first stage.
    ///
    /// - Parameters:
    ///   - query: the text after `?` exactly as sent, for SDKs neither sort nor
    ///     escape it alike; empty for POST.
    ///   - headers: the signed ones, in ascending order of their lower-case
    ///     names; values without surrounding blanks.
    ///   - payloadHash: 32 bytes.
    package static func canonicalRequest(
        method: String, query: String, headers: [(name: String, value: String)], payloadHash: [UInt8]
    ) -> String {
        var text = "\(method)\n/\n\(query)\n"
        for header in headers {
            text += "\(header.name):\(header.value)\n"
        }
        text += "\n"
        text += headers.map(\.name).joined(separator: ";")
        text += "\n"
        text += hexadecimal(payloadHash)
        return text
    }

    /// The second stage.
    ///
    /// - Parameter timestamp: `X-TC-Timestamp`, Unix time in seconds.
    package static func stringToSign(
        timestamp: Int64, scope: TC3CredentialScope, canonicalRequest: String
    ) throws(CryptographyError) -> String {
        let hash = try Digest.sha256.hash(canonicalRequest.utf8)
        return "\(TC3Authorization.algorithm)\n\(timestamp)\n\(scope.text)\n\(hexadecimal(hash))"
    }
}
