public import RequestSigning

/// The id of an account, and the key that proves it.
public struct APICredentials: Sendable {
    public let secretID: String
    public let secretKey: Secret

    public init(secretID: String, secretKey: Secret) {
        self.secretID = secretID
        self.secretKey = secretKey
    }
}

/// A call of one action by POST, with its signature.
public struct SignedCall: Sendable {
    public typealias Header = (name: String, value: String)

    /// The `Host` header, with the port unless it is the scheme's own.
    public let host: String
    /// All headers but `Host`, and those that frame the body.
    public let headers: [Header]
    public let body: [UInt8]

    public init(host: String, headers: [Header], body: [UInt8]) {
        self.host = host
        self.headers = headers
        self.body = body
    }

    /// Signs a call of DBbrain with TC3-HMAC-SHA256, as official SDKs do it.
    ///
    /// - Parameters:
    ///   - body: a JSON object.
    ///   - traceID: signed too, together with the action, which no SDK does: so the call is no other action's, and no
    ///     other call has its signature. Without it, equal calls of one second have the same signature.
    ///   - others: further headers, which are not signed.
    ///   - timestamp: Unix time in seconds; the call is valid for five minutes.
    public init(
        _ action: String, version: String = "2021-05-27", body: [UInt8], by credentials: APICredentials,
        to host: String, traceID: String? = nil, others: [Header] = [], timestamp: Int64
    ) throws(TC3SigningError) {
        let signer = TC3Signer(
            secretID: credentials.secretID, secretKey: credentials.secretKey, host: host, service: "dbbrain")
        let authorization = try signer.authorization(
            method: "POST", query: "", contentType: "application/json",
            others: traceID.map { [("x-tc-action", action), ("x-tc-traceid", $0)] } ?? [], payload: body,
            timestamp: timestamp)
        var headers: [Header] = [
            ("Content-Type", "application/json"), ("Authorization", authorization.headerValue),
            ("X-TC-Action", action), ("X-TC-Version", version), ("X-TC-Timestamp", String(timestamp)),
        ]
        if let traceID { headers.append(("X-TC-TraceId", traceID)) }
        self.init(host: host, headers: headers + others, body: body)
    }

    /// The bytes that are sent.
    ///
    /// - Parameter keepsConnection: whether another call may follow over the same connection.
    public func message(keepsConnection: Bool) -> [UInt8] {
        var text = "POST / HTTP/1.1\r\nHost: \(host)\r\nConnection: \(keepsConnection ? "keep-alive" : "close")\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        return Array("\(text)Content-Length: \(body.count)\r\n\r\n".utf8) + body
    }
}
