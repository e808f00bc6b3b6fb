import Cryptography
import FoundationEssentials
import Glibc
import RequestSigning

/// Calls a killd server the way an official SDK does.
struct APIClient {
    let endpoint: Endpoint
    var trust = ServerTrust()
    let secretID: String
    let secretKey: Secret
    var region: String?

    struct Answer<Content> {
        let content: Content
        /// The whole answer as it came.
        let json: String
    }

    /// - Throws: `CommandFailure` for all that the server and the way there may do.
    func call<Content: Decodable>(
        _ action: String, _ request: some Encodable, answer: Content.Type
    ) throws -> Answer<Content> {
        let body = try Self.body(of: request)
        let response = try HTTPClient(endpoint: endpoint, trust: trust).post(
            headers: headers(action: action, body: body, timestamp: Int64(time(nil))), body: body)
        guard response.status == 200 else {
            // A proxy says 502 or 504 also of what the server goes on to do.
            throw CommandFailure(
                text: "\(endpoint) answered with HTTP status \(response.status)",
                isOfLostAnswer: response.status >= 500)
        }
        let decoder = JSONDecoder()
        let data = Data(response.body)
        guard let outcome = try? decoder.decode(Envelope<Outcome>.self, from: data).response else {
            throw CommandFailure(text: "\(endpoint) does not speak this API", isOfLostAnswer: true)
        }
        let json = String(decoding: response.body, as: UTF8.self)
        if let error = outcome.error {
            throw CommandFailure(
                text: "\(error.code): \(error.message) (RequestId \(outcome.requestID))", answer: json)
        }
        guard let content = try? decoder.decode(Envelope<Content>.self, from: data).response else {
            throw CommandFailure(text: "\(endpoint) is another version of killd: its answer is not understood")
        }
        return Answer(content: content, json: json)
    }

    static func body(of request: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(request))
    }

    /// All headers of a signed request but `Host`, which is the endpoint's authority.
    ///
    /// Action and trace id are signed too, which no SDK does: so the request is no
    /// other action's, and none has the signature of another.
    func headers(action: String, body: [UInt8], timestamp: Int64) throws -> [(String, String)] {
        let signer = TC3Signer(
            secretID: secretID, secretKey: secretKey, host: endpoint.authority, service: "dbbrain")
        let traceID = try randomUUID()
        let authorization = try signer.authorization(
            method: "POST", query: "", contentType: "application/json",
            others: [("x-tc-action", action), ("x-tc-traceid", traceID)], payload: body, timestamp: timestamp)
        var headers = [
            ("Content-Type", "application/json"), ("Authorization", authorization.headerValue),
            ("X-TC-Action", action), ("X-TC-Version", "2021-05-27"), ("X-TC-Timestamp", String(timestamp)),
            ("X-TC-TraceId", traceID), ("X-TC-Language", "en-US"), ("X-TC-RequestClient", "killd"),
        ]
        if let region { headers.append(("X-TC-Region", region)) }
        return headers
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
