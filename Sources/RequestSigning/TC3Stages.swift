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
    ///   - payloadHash: SHA-256, 32 bytes.
    package static func canonicalRequest(
        method: String, query: String, headers: [(name: String, value: String)], payloadHash: [UInt8]
    ) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(512 + query.utf8.count)
        text += method.utf8
        text += "\n/\n".utf8
        text += query.utf8
        text.append(UInt8(ascii: "\n"))
        for header in headers {
            text += header.name.utf8
            text.append(UInt8(ascii: ":"))
            text += header.value.utf8
            text.append(UInt8(ascii: "\n"))
        }
        text.append(UInt8(ascii: "\n"))
        for (index, header) in headers.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ";")) }
            text += header.name.utf8
        }
        text.append(UInt8(ascii: "\n"))
        text += hexadecimal(payloadHash).utf8
        return text
    }

    /// The second stage.
    ///
    /// - Parameters:
    ///   - timestamp: `X-TC-Timestamp`, Unix time in seconds.
    ///   - canonicalRequestHash: SHA-256, 32 bytes.
    package static func stringToSign(
        timestamp: Int64, scope: TC3CredentialScope, canonicalRequestHash: [UInt8]
    ) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(192)
        text += TC3Authorization.algorithm.utf8
        text.append(UInt8(ascii: "\n"))
        text += String(timestamp).utf8
        text.append(UInt8(ascii: "\n"))
        scope.append(to: &text)
        text.append(UInt8(ascii: "\n"))
        text += hexadecimal(canonicalRequestHash).utf8
        return text
    }
}
