import FoundationEssentials
import HTTPServer
import RequestDispatch
import TencentCloudErrors
import Text

/// What a request says of how its response is to be written.
public struct ResponseForm: Sendable {
    var language: Language
    /// The `X-TC-TraceId` that came, which is echoed; the Node.js SDK reads it.
    let traceID: String?
}

extension Exchange<ResponseForm> {
    var envelope: Envelope { Envelope(requestID: requestID, traceID: form.traceID) }
}

/// The `Response` object around every response.
struct Envelope {
    let requestID: String
    /// The trace id of ``ResponseForm``.
    let traceID: String?

    func success(_ response: any Encodable & Sendable) throws -> HTTPResponse {
        guard let prepared = response as? any PreparedResponse else {
            return respond(try Self.json(of: ["Response": Success(response: response, requestID: requestID)]))
        }
        var body = Array(#"{"Response":{"#.utf8)
        try prepared.appendMembers(to: &body)
        body += #","RequestId":"#.utf8
        body.append(jsonString: requestID)
        body += "}}".utf8
        return respond(body)
    }

    static func json(of value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    /// Compact and with Error first, as the vendor's gateway writes it.
    func failure(_ code: ErrorCode, _ message: String) -> HTTPResponse {
        var body: [UInt8] = []
        body.reserveCapacity(256)
        body += #"{"Response":{"Error":{"Code":"#.utf8
        body.append(jsonString: code.rawValue)
        body += #","Message":"#.utf8
        body.append(jsonString: message)
        body += #"},"RequestId":"#.utf8
        body.append(jsonString: requestID)
        body += "}}".utf8
        return respond(body)
    }

    /// Always status 200, and the content type without a charset: the Python SDK
    /// overlooks the error in anything else and reports success (measured).
    private func respond(_ body: [UInt8]) -> HTTPResponse {
        var headers = Self.headers
        if let traceID { headers.append(name: "X-TC-TraceId", value: traceID) }
        return HTTPResponse(status: .ok, headers: headers, body: body)
    }

    private static let headers: HTTPHeaders = ["Content-Type": "application/json"]
}

private struct Success: Encodable {
    let response: any Encodable & Sendable
    let requestID: String

    private enum CodingKeys: String, CodingKey { case requestID = "RequestId" }

    func encode(to encoder: any Encoder) throws {
        try response.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(requestID, forKey: .requestID)
    }
}
