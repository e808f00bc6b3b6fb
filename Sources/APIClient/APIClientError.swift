import TLS

/// The reason why a call brought no result, and where it was made.
public struct APIClientError: Error, Sendable {
    public enum Reason: Sendable {
        /// The host's name has no address, in the resolver's words.
        case unresolvable(String)
        /// No address of the host accepted a connection; the error number of the last one.
        case unreachable(Int32)
        /// The server neither read nor sent anything for the time that the client waits.
        case timeout
        /// The system ended the connection, with this error number.
        case connectionFailed(Int32)

        /// TLS could not be set up: a file of ours is wrong, or OpenSSL is.
        case tlsSetup(TLSError)
        case endedInHandshake
        /// TLS does not go on, in OpenSSL's words where it has any.
        case tls(String?)

        /// The connection ended before anything came.
        case noResponse
        case notHTTP
        /// The response ended before it was whole.
        case truncated
        /// The response is longer than the client reads.
        case tooLong

        /// A status other than 200.
        case status(Int)
        /// The body is none of this API's.
        case notThisAPI
        /// The API's error; `response` is the body as it came.
        case refused(code: String, message: String, requestID: String, response: String)
        /// The body is this API's, but not the result that was expected.
        case unexpectedResult
    }

    public let endpoint: Endpoint
    public let reason: Reason
    /// Whether the server may have done what was asked: it has the request, and no whole response came back.
    public var isResponseLost: Bool

    init(_ reason: Reason, at endpoint: Endpoint, isResponseLost: Bool = false) {
        self.endpoint = endpoint
        self.reason = reason
        self.isResponseLost = isResponseLost
    }
}
