/// What a TC3 signature covers of a request, as it came over the wire.
///
/// The texts come from a parser that rejects control characters; a line break
/// in one of them would blur where the next begins.
public struct TC3Request: Sendable {
    /// `GET` or `POST`.
    public var method: String
    /// The text after `?`, neither unescaped nor sorted; empty if there is none.
    /// For POST it is **not** covered by the signature, so nothing may be read
    /// from it then.
    public var query: String
    public var headers: any HeaderFields
    public var payload: [UInt8]
    /// `X-TC-Timestamp`, Unix time in seconds.
    public var timestamp: Int64
    /// `X-TC-Region`.
    public var region: String?

    public init(
        method: String, query: String, headers: any HeaderFields, payload: [UInt8], timestamp: Int64, region: String?
    ) {
        self.method = method
        self.query = query
        self.headers = headers
        self.payload = payload
        self.timestamp = timestamp
        self.region = region
    }

    /// The value of a header that must be there exactly once.
    func requiredHeader(_ lowerCaseName: String) throws(TC3AuthorizationError) -> String {
        guard let value = try header(lowerCaseName) else { throw .absent(header: lowerCaseName) }
        return value
    }

    /// The value of a header that may be there once.
    func header(_ lowerCaseName: String) throws(TC3AuthorizationError) -> String? {
        if let value = headers[lowerCaseName] { return value.withoutSurroundingBlanks }
        guard !headers.contains(lowerCaseName) else { throw .repeated(header: lowerCaseName) }
        return nil
    }
}
