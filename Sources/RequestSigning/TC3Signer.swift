import Cryptography

/// Signs requests as the official SDKs do, the headers `content-type` and `host`
/// and the payload, and where it is told to, more headers.
public struct TC3Signer: Sendable {
    private let secretID: String
    private let secretKey: Secret
    private let host: String
    private let service: String

    /// - Parameter host: the `Host` header as it will be sent, with the port
    ///   where there is one.
    public init(secretID: String, secretKey: Secret, host: String, service: String) {
        self.secretID = secretID
        self.secretKey = secretKey
        self.host = host
        self.service = service
    }

    /// The `Authorization` of a request.
    ///
    /// - Parameters:
    ///   - method: `GET` or `POST`.
    ///   - query: the text after `?` as it will be sent; empty for POST.
    ///   - contentType: the `Content-Type` header as it will be sent.
    ///   - others: further headers to sign, by lower-case name; the values as they
    ///     will be sent.
    ///   - timestamp: `X-TC-Timestamp`, Unix time in seconds; the year must have
    ///     four digits.
    public func authorization(
        method: String, query: String, contentType: String, others: [(name: String, value: String)] = [],
        payload: [UInt8], timestamp: Int64
    ) throws(TC3SigningError) -> TC3Authorization {
        guard let date = TC3CredentialScope.date(of: timestamp) else { throw .timestampOutOfRange }
        let scope = TC3CredentialScope(date: date, service: service)
        let all = [(name: "content-type", value: contentType), (name: "host", value: host)] + others
        let headers = all.map { (name: $0.name, value: $0.value.lowercased()) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        do {
            let canonicalRequest = TC3.canonicalRequest(
                method: method, query: query, headers: headers, payloadHash: try Digest.sha256.hash(payload))
            let stringToSign = TC3.stringToSign(
                timestamp: timestamp, scope: scope,
                canonicalRequestHash: try Digest.sha256.hash(canonicalRequest))
            let signature = try TC3SigningKey(secretKey: secretKey, scope: scope).signature(of: stringToSign)
            return TC3Authorization(
                secretID: secretID, scope: scope, signedHeaders: headers.map(\.name), signature: signature)
        } catch {
            throw .cryptography(error)
        }
    }
}

/// A request could not be signed.
public enum TC3SigningError: Error {
    case timestampOutOfRange
    case cryptography(CryptographyError)
}
