/// The versions of HTTP that are served.
public enum HTTPVersion: Sendable {
    case http10, http11
}

/// A complete request.
public struct HTTPRequest: Sendable {
    /// The method, case-sensitive (RFC 9110 section 9.1).
    public let method: String
    /// The request target exactly as received: visible ASCII, in origin-form
    /// (`/path?query`), absolute-form (`http://host/path?query`) or `*`.
    public let target: String
    public let version: HTTPVersion
    public let headers: HTTPHeaders
    /// The content, with the chunked coding removed.
    public let body: [UInt8]
    /// The client's IP address without its port, such as `127.0.0.1` or `::1`; of
    /// one behind ``TrustedProxies`` its own and not theirs.
    public let remoteAddress: String
    /// The port at which the client reached ``TrustedProxies``, if they told.
    public let forwardedPort: UInt16?

    public init(
        method: String, target: String, version: HTTPVersion = .http11, headers: HTTPHeaders = [:],
        body: [UInt8] = [], remoteAddress: String, forwardedPort: UInt16? = nil
    ) {
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
        self.forwardedPort = forwardedPort
    }

    /// Bytes held for the head and the body.
    var heldBytes: Int { headers.heldBytes + body.capacity }

    /// The target's path as received, without the query; of an absolute-form
    /// without scheme and authority, `/` if nothing is left.
    public var path: String {
        let path = originForm.prefix { $0 != UInt8(ascii: "?") }
        return path.isEmpty ? "/" : String(path) ?? target
    }

    /// The target's text after the first `?` as received, nil without one.
    public var query: String? {
        let utf8 = originForm
        guard let mark = utf8.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        return String(utf8[utf8.index(after: mark)...])
    }

    private var originForm: Substring.UTF8View {
        let utf8 = target.utf8[...]
        guard let first = utf8.first, first != UInt8(ascii: "/"), first != UInt8(ascii: "*"),
            let colon = utf8.firstIndex(of: UInt8(ascii: ":"))
        else { return utf8 }
        let authority = utf8[colon...].dropFirst("://".utf8.count)
        return authority.drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
    }
}

/// The response to a request.
///
/// The server adds `Date`, `Content-Length` and `Connection`: they do not
/// belong in ``headers``.
public struct HTTPResponse: Sendable {
    /// How much of a response a client gets.
    public enum Delivery: Hashable, Sendable {
        case whole
        /// The head, the first bytes of the body, and the end of the connection: a client that counts finds the body
        /// short.
        case cut(afterBodyBytes: Int)
        /// The end of the connection.
        case nothing
    }

    public var status: HTTPStatus
    public var headers: HTTPHeaders
    public var body: [UInt8]
    /// Anything but the whole is for servers that let clients be tested.
    public var delivery = Delivery.whole

    public init(status: HTTPStatus, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
