import Cryptography
import FoundationEssentials
import Glibc
import RequestSigning

/// A client of DBbrain's actions, which calls a killd server the way an official SDK does.
public struct DBbrainClient: Sendable {
    public let endpoint: Endpoint
    public let credentials: APICredentials
    public let trust: ServerTrust
    public let region: String?

    public init(
        endpoint: Endpoint, trust: ServerTrust = ServerTrust(), credentials: APICredentials, region: String? = nil
    ) {
        self.endpoint = endpoint
        self.trust = trust
        self.credentials = credentials
        self.region = region
    }

    /// The response to an action that did what was asked.
    public struct Response<Content> {
        public let content: Content
        /// The whole body as it came.
        public let json: String
    }

    /// Calls an action and waits for the response.
    ///
    /// - Throws: ``APIClientError`` for all that the server and the way there may do.
    public func call<Content: Decodable>(
        _ action: String, _ request: some Encodable, response: Content.Type
    ) throws -> Response<Content> {
        let call = try signed(action, body: Self.body(of: request), timestamp: Int64(time(nil)))
        let http = try HTTPClient(endpoint: endpoint, trust: trust).connect()
            .exchange(call.message(keepsConnection: false))
        guard http.status == 200 else {
            // A proxy says 502 or 504 also of what the server goes on to do.
            throw APIClientError(.status(http.status), at: endpoint, isResponseLost: http.status >= 500)
        }
        let decoder = JSONDecoder()
        let data = Data(http.body)
        guard let outcome = try? decoder.decode(Envelope<Outcome>.self, from: data).response else {
            throw APIClientError(.notThisAPI, at: endpoint, isResponseLost: true)
        }
        let json = String(decoding: http.body, as: UTF8.self)
        if let error = outcome.error {
            throw APIClientError(
                .refused(code: error.code, message: error.message, requestID: outcome.requestID, response: json),
                at: endpoint)
        }
        guard let content = try? decoder.decode(Envelope<Content>.self, from: data).response else {
            throw APIClientError(.unexpectedResult, at: endpoint)
        }
        return Response(content: content, json: json)
    }

    /// The JSON of a request, as ``call(_:_:response:)`` sends it.
    public static func body(of request: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(request))
    }

    /// A call with a trace id of its own.
    ///
    /// - Parameter timestamp: Unix time in seconds.
    public func signed(_ action: String, body: [UInt8], timestamp: Int64) throws -> SignedCall {
        var others: [SignedCall.Header] = [("X-TC-Language", "en-US"), ("X-TC-RequestClient", "killd")]
        if let region { others.append(("X-TC-Region", region)) }
        return try SignedCall(
            action, body: body, by: credentials, to: endpoint.authority, traceID: randomUUID(), others: others,
            timestamp: timestamp)
    }
}

private struct Envelope<Content: Decodable>: Decodable {
    let response: Content
    enum CodingKeys: String, CodingKey { case response = "Response" }
}

private struct Outcome: Decodable {
    struct Failure: Decodable {
        let code: String
        let message: String
        enum CodingKeys: String, CodingKey { case code = "Code", message = "Message" }
    }
    let error: Failure?
    let requestID: String
    enum CodingKeys: String, CodingKey { case error = "Error", requestID = "RequestId" }
}
