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
    ///   - payloadHash: of 32 bytes, in lower-case hexadecimal.
    package static func canonicalRequest(
        method: String, query: String, headers: [(name: String, value: String)], payloadHash: String
    ) -> String {
        var text = ""
        text.reserveCapacity(256 + query.utf8.count)
        for part in [method, "\n/\n", query, "\n"] { text += part }
        for header in headers {
            for part in [header.name, ":", header.value, "\n"] { text += part }
        }
        text += "\n"
        text += headers.map(\.name).joined(separator: ";")
        text += "\n"
        text += payloadHash
        return text
    }

    /// The second stage.
    ///
    /// - Parameters:
    ///   - timestamp: `X-TC-Timestamp`, Unix time in seconds.
    ///   - canonicalRequestHash: SHA-256, 32 bytes.
    package static func stringToSign(
        timestamp: Int64, scope: TC3CredentialScope, canonicalRequestHash: [UInt8]
    ) -> String {
        "\(TC3Authorization.algorithm)\n\(timestamp)\n\(scope.text)\n\(hexadecimal(canonicalRequestHash))"
    }
}
