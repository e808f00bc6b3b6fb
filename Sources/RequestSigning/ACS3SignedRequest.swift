import Cryptography

/// A request whose `Authorization` of ACS3-HMAC-SHA256 is well formed and fits it,
/// but whose signature has not been verified yet.
public struct ACS3SignedRequest: Sendable {
    public let authorization: ACS3Authorization
    private let method: String
    private let query: [(name: String, value: String)]
    private let headers: [(name: String, value: String)]
    private let payload: [UInt8]

    /// The headers without which a signature says too little: `host` and those
    /// that name the action, the moment and the body.
    private static let alwaysSigned = [
        "host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version",
    ]

    /// - Parameters:
    ///   - query: unescaped.
    ///   - headers: all of them; values without line breaks.
    public init(
        method: String, query: [(name: String, value: String)], headers: some HeaderFields, payload: [UInt8]
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
    }

    /// The value of a signed header, without surrounding blanks.
    public subscript(lowerCaseName: String) -> String? {
        headers.first { $0.name.isSame(as: lowerCaseName) }?.value
    }

    public func stringToSign() throws(CryptographyError) -> String {
        let canonicalRequest = ACS3.canonicalRequest(
            method: method, query: canonicalizedQuery(query), headers: headers,
            // Computed, not taken from the header x-acs-content-sha256: only so is the body proven.
            payloadHash: hexadecimal(try Digest.sha256.hash(payload)))
        return ACS3.stringToSign(canonicalRequestHash: try Digest.sha256.hash(canonicalRequest))
    }

    /// Whether the request was signed with `secretKey`. The comparison takes the
    /// same time wherever the signatures differ.
    public func verify(secretKey: Secret) throws(CryptographyError) -> Bool {
        equalInConstantTime(
            try ACS3.signature(of: try stringToSign(), secretKey: secretKey), authorization.signature)
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
