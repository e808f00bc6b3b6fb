import Cryptography

/// A request whose `Authorization` is well formed and fits it, but whose
/// signature has not been verified yet.
///
/// The steps come in the API's order of checks: making this value finds
/// everything that is `InvalidAuthorization`; the caller then looks up
/// `authorization.secretID`; ``verify(secretKey:at:)`` tells an expired
/// signature from a wrong one.
public struct TC3SignedRequest: SignedRequest {
    public let authorization: TC3Authorization
    private let request: TC3Request
    private let hosts: SignedHosts
    /// The candidates for each signed header but `host`.
    private let contentTypes: [String]
    private let otherHeaders: [[(name: String, value: String)]]
    private let payload: Payload

    private enum Payload {
        case signed
        /// The client declared that it did not hash its payload.
        case unsigned
    }

    /// - Parameter signedHosts: names of this server, beside its address and
    ///   the vendor's names, that clients may sign as `host`.
    public init(_ request: TC3Request, signedHosts: ServerNames) throws(TC3AuthorizationError) {
        authorization = try TC3Authorization(parsing: request.requiredHeader("authorization"))
        self.request = request
        for name in ["content-type", "host"] where !authorization.signedHeaders.contains(name) {
            throw .notSigned(header: name)
        }
        // SDKs sign the values as sent, the documentation lower-cases them: the same but for capitals.
        let contentType = try request.requiredHeader("content-type")
        contentTypes = contentType.asSentAndLowerCased
        var others: [(name: String, value: String)] = []
        for name in authorization.signedHeaders where name != "content-type" && name != "host" {
            others.append((name, try request.requiredHeader(name)))
        }
        otherHeaders = Self.asSentAndLowerCased(others)
        let declaredHash = try request.header("x-tc-content-sha256")
        payload = declaredHash?.isSame(as: "UNSIGNED-PAYLOAD") == true ? .unsigned : .signed

        guard authorization.scope.date == TC3CredentialScope.date(of: request.timestamp) else {
            throw Self.milliseconds.contains(request.timestamp) ? .timestampNotInSeconds : .invalidDate
        }
        hosts = SignedHosts(
            host: try request.requiredHeader("host"), vendor: .tencentCloud(region: request.region),
            configured: signedHosts)
        guard hosts.accepts(service: authorization.scope.service) else { throw .invalidService }
    }

    /// What must be milliseconds: of the years 1973 to 5138, in which no second is so large.
    private static let milliseconds: Range<Int64> = 100_000_000_000..<100_000_000_000_000

    public var secretID: String { authorization.secretID }

    /// A query is part of what is signed; the payload of a GET is not read.
    public var mark: SignatureMark {
        SignatureMark(
            bytes: authorization.signature, timestamp: request.timestamp,
            unsignedPayload: payload == .unsigned && request.method == "POST" ? request.payload : nil)
    }

    /// A line break ends every part of the signed text, and none of them can hold one.
    public var ambiguousParameter: String? { nil }

    public func verify(
        secretKey: Secret, at now: Int64, keys: TC3SigningKeys = TC3SigningKeys()
    ) throws(CryptographyError) -> SignatureVerdict {
        if SignatureVerdict.hasExpired(request.timestamp, at: now) { return .expired(serverTime: now) }
        let key = try keys.key(of: authorization.secretID, secretKey: secretKey, scope: authorization.scope)
        return try headersSigned(with: key) == nil ? .mismatched : .verified
    }

    public func kept(secretKey: Secret) throws(CryptographyError) -> KeptSignature? {
        let key = try TC3SigningKey(secretKey: secretKey, scope: authorization.scope)
        guard payload == .signed, let text = String(validating: request.payload, as: UTF8.self),
            let headers = try headersSigned(with: key)
        else { return nil }
        return KeptSignature(
            KeptTC3(
                authorization: authorization.headerValue,
                headers: headers.map { .init($0.name, $0.value, token: KeptTC3.tokenHeader) },
                method: request.method, payload: text, query: signedQuery, timestamp: request.timestamp))
    }

    /// The signed headers as they were signed; nil if they were not signed with `key`.
    private func headersSigned(
        with key: TC3SigningKey
    ) throws(CryptographyError) -> [(name: String, value: String)]? {
        let payloadHash = try payloadHash()
        var signed: [(name: String, value: String)]?
        _ = try hosts.contains { host throws(CryptographyError) in
            for contentType in contentTypes {
                for others in otherHeaders {
                    let headers = signedHeaders(contentType: contentType, host: host, others: others)
                    let canonicalRequest = TC3.canonicalRequest(
                        method: request.method, query: signedQuery, headers: headers, payloadHash: payloadHash)
                    let stringToSign = TC3.stringToSign(
                        timestamp: request.timestamp, scope: authorization.scope,
                        canonicalRequestHash: try Digest.sha256.hash(canonicalRequest))
                    if equalInConstantTime(try key.signature(of: stringToSign), authorization.signature) {
                        signed = headers
                        return true
                    }
                }
            }
            return false
        }
        return signed
    }

    private var signedQuery: String { request.method == "POST" ? "" : request.query }

    private func payloadHash() throws(CryptographyError) -> [UInt8] {
        switch payload {
        case .signed: try Digest.sha256.hash(request.payload)
        case .unsigned: try Digest.sha256.hash("UNSIGNED-PAYLOAD".utf8)
        }
    }

    private func signedHeaders(
        contentType: String, host: String, others: [(name: String, value: String)]
    ) -> [(name: String, value: String)] {
        var others = others.makeIterator()
        var headers: [(name: String, value: String)] = []
        headers.reserveCapacity(authorization.signedHeaders.count)
        for name in authorization.signedHeaders {
            switch name {
            case "content-type": headers.append((name, contentType))
            case "host": headers.append((name, host))
            default: if let other = others.next() { headers.append(other) }
            }
        }
        return headers
    }

    private static func asSentAndLowerCased(
        _ headers: [(name: String, value: String)]
    ) -> [[(name: String, value: String)]] {
        let lowerCased = headers.map { (name: $0.name, value: $0.value.lowercased()) }
        let haveNoCapitals = headers.elementsEqual(lowerCased) { $0.value.isSame(as: $1.value) }
        return haveNoCapitals ? [headers] : [headers, lowerCased]
    }
}
