import FoundationEssentials
import HTTPServer
import TencentCloudErrors

/// The `Response` object around every answer.
struct Envelope {
    let requestID: String
    /// Echoed; the Node.js SDK reads it.
    let traceID: String?

    func success(_ answer: any Encodable & Sendable) throws -> HTTPResponse {
        try response(Success(answer: answer, requestID: requestID))
    }

    func failure(_ error: TencentCloudError, in language: Language) throws -> HTTPResponse {
        try response(
            Failure(
                error: .init(code: error.code.rawValue, message: error.message(in: language)), requestID: requestID))
    }

    /// What is left to say when an answer cannot even be encoded.
    var internalError: HTTPResponse {
        respond(
            Array(
                #"{"Response":{"Error":{"Code":"InternalError","Message":"An internal error has occurred."},"RequestId":"\#(requestID)"}}"#
                    .utf8))
    }

    private func response(_ content: some Encodable) throws -> HTTPResponse {
        let encoder = JSONEncoder()
        // Sorted also puts Error before RequestId, as the vendor's gateway does.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return respond(Array(try encoder.encode(["Response": content])))
    }

    /// Always status 200, and the content type without a charset: the Python SDK
    /// overlooks the error in anything else and reports success (measured).
    private func respond(_ body: [UInt8]) -> HTTPResponse {
        var headers: HTTPHeaders = ["Content-Type": "application/json"]
        if let traceID { headers.append(name: "X-TC-TraceId", value: traceID) }
        return HTTPResponse(status: .ok, headers: headers, body: body)
    }
}

private struct Success: Encodable {
    let answer: any Encodable & Sendable
    let requestID: String

    private enum CodingKeys: String, CodingKey { case requestID = "RequestId" }

    func encode(to encoder: any Encoder) throws {
        try answer.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(requestID, forKey: .requestID)
    }
}

private struct Failure: Encodable {
    struct Details: Encodable {
        let code: String
        let message: String

        enum CodingKeys: String, CodingKey { case code = "Code", message = "Message" }
    }
    let error: Details
    let requestID: String

    enum CodingKeys: String, CodingKey { case error = "Error", requestID = "RequestId" }
}
