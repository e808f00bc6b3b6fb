import Cryptography

/// A request whose `Authorization` of ACS3-HMAC-SHA256 is well formed and fits it,
/// but whose signature has not been verified yet.
public struct ACS3SignedRequest: Sendable {
    public let authorization: ACS3Authorization
    private let method: String
    private let query: [(name: String, value: String)]
    private let headers: [(name: String, value: String)]
    private let payload: [UInt8]
    private let hosts: SignedHosts

    /// The headers without which a signature says too little: `host` and those
    /// that name the action, the moment and the body.
    private static let alwaysSigned = [
        "host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version",
    ]

    /// - Parameters:
    ///   - query: unescaped.
    ///   - headers: all of them; values without line breaks.
    ///   - signedHosts: names of this server, beside its address, that clients may
    ///     sign as `host`.
    public init(
        method: String, query: [(name: String, value: String)], headers: some HeaderFields, payload: [UInt8],
        signedHosts: ServerNames = .none
    ) throws(ACS3AuthorizationError) {
        guard let value = try headers.value(of: "authorization") else { throw .absent(header: "authorization") }
        let authorization = try ACS3Authorization(parsing: value)
        let names = Set(authorization.signedHeaders)
        for name in Self.alwaysSigned where !names.contains(name) { throw .notSigned(header: name) }
        // What says how a body is to be read must be signed. Without a body nobody reads it, and the Python SDK's
        // asynchronous client adds one that it does not sign.
        for name in payload.isEmpty ? ["x-acs-security-token"] : ["content-type", "x-acs-security-token"] {
            guard try headers.value(of: name) == nil || names.contains(name) else { throw .notSigned(header: name) }
        }
        var signed: [(name: String, value: String)] = []
        for name in authorization.signedHeaders {
            guard let value = try headers.value(of: name) else { throw .absent(header: name) }
            signed.append((name, value))
        }
        self.authorization = authorization
        self.method = method
        self.query = query
        self.headers = signed
        self.payload = payload
        hosts = SignedHosts(
            host: signed.first { $0.name.isSame(as: "host") }?.value ?? "", vendor: .alibabaCloud,
            configured: signedHosts)
    }

    /// The value of a signed header, without surrounding blanks.
    public subscript(lowerCaseName: String) -> String? {
        headers.first { $0.name.isSame(as: lowerCaseName) }?.value
    }

    /// The string to sign, with the `Host` that came.
    public func stringToSign() throws(CryptographyError) -> String {
        try stringToSign(host: hosts.sent, payloadHash: try payloadHash())
    }

    private func stringToSign(host: String, payloadHash: String) throws(CryptographyError) -> String {
        let canonicalRequest = ACS3.canonicalRequest(
            method: method, query: canonicalizedQuery(query),
            headers: headers.map { $0.name.isSame(as: "host") ? ($0.name, host) : $0 }, payloadHash: payloadHash)
        return ACS3.stringToSign(canonicalRequestHash: try Digest.sha256.hash(canonicalRequest))
    }

    /// Computed, not taken from the header x-acs-content-sha256: only so is the body proven.
    private func payloadHash() throws(CryptographyError) -> String {
        hexadecimal(try Digest.sha256.hash(payload))
    }

    /// Whether the request was signed with `secretKey`. Each comparison takes the
    /// same time wherever the signatures differ.
    public func verify(secretKey: Secret) throws(CryptographyError) -> Bool {
        let payloadHash = try payloadHash()
        return try hosts.contains { host throws(CryptographyError) in
            let text = try stringToSign(host: host, payloadHash: payloadHash)
            return equalInConstantTime(try ACS3.signature(of: text, secretKey: secretKey), authorization.signature)
        }
    }
}

extension HeaderFields {
    /// The value of a header that may be there once, without surrounding blanks.
    fileprivate func value(of lowerCaseName: String) throws(ACS3AuthorizationError) -> String? {
        if let value = self[lowerCaseName] { return value.withoutSurroundingBlanks }
        guard !contains(lowerCaseName) else { throw .repeated(header: lowerCaseName) }
        return nil
    }
}
