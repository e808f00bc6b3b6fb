/// Why a connection is rejected on the level of HTTP.
public struct HTTPProtocolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The response to the client before the connection is closed.
    public let status: HTTPStatus
    /// The reason, in one sentence for people, without anything that the client sent.
    public let reason: String

    init(_ status: HTTPStatus, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    public var description: String { "\(status.rawValue) \(status.reasonPhrase): \(reason)" }
}

extension HTTPProtocolError {
    /// What the client is told, if nobody has other words for it.
    public var response: HTTPResponse {
        HTTPResponse(
            status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: Array("\(self)\n".utf8))
    }
}
