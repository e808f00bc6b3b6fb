/// How long a request's body is (RFC 9112 section 6.3).
enum HTTPFraming {
    case fixed(Int)
    case chunked
}

/// What the lines of a request's head say, taken in line by line.
///
/// Strict where leniency would let two readers of the same bytes see different
/// requests; each rejection names its rule.
struct HTTPRequestHead: Sendable {
    let requestLine: HTTPRequestLine
    private(set) var fields: [HTTPHeaders.Field] = []
    private var hostCount = 0
    /// The last Host, without the scheme that it may not have.
    private var host = 0..<0
    private var contentLength: Int?
    private var isChunked = false
    private var asksToClose = false
    private var asksToKeepAlive = false
    private var expects100Continue = false

    init(requestLine: HTTPRequestLine) {
        self.requestLine = requestLine
        fields.reserveCapacity(16)
    }

    /// Whether the client wants the connection to stay (RFC 9112 section 9.3).
    var isPersistent: Bool { !asksToClose && (requestLine.version == .http11 || asksToKeepAlive) }

    /// Whether the client waits for `100 Continue` before it sends the body. An
    /// expectation in HTTP/1.0 is ignored (RFC 9110 section 10.1.1).
    var expectsContinue: Bool { expects100Continue && requestLine.version == .http11 }

    // MARK: The header fields, RFC 9112 section 5

    /// - Parameter line: where the line is in `bytes`, without its CRLF.
    mutating func readField(
        _ bytes: Span<UInt8>, at line: Range<Int>, limits: HTTPLimits
    ) throws(HTTPProtocolError) {
        let field = try HTTPHeaders.Field(bytes, at: line)
        fields.append(field)
        switch field.name.count {
        case 4 where bytes.has("host", at: field.name):
            hostCount += 1
            // The Python SDK of Tencent Cloud sends `Host: http://127.0.0.1:8155` when its endpoint has a scheme.
            host = bytes.withoutScheme(field.value)
            if limits.allowsSlashBehindHost, let last = host.last, bytes[last] == UInt8(ascii: "/") {
                host = host.lowerBound..<last
            }
            // It may be empty where the target has no host (RFC 9112 section 3.2).
            guard field.value.isEmpty || bytes.isHostWithPort(at: host) else {
                throw HTTPProtocolError(.badRequest, "Host is not a host with an optional port")
            }
        case 6 where bytes.has("expect", at: field.name):
            guard bytes.has("100-continue", at: field.value) else {
                throw HTTPProtocolError(.expectationFailed, "the only expectation served is 100-continue")
            }
            expects100Continue = true
        case 10 where bytes.has("connection", at: field.name):
            for member in bytes.listMembers(in: field.value) {
                if bytes.has("close", at: member) { asksToClose = true }
                if bytes.has("keep-alive", at: member) { asksToKeepAlive = true }
            }
        case 12 where bytes.has("content-type", at: field.name):
            // acme.sh sends it twice. Said again to the byte it can mean nothing else; all other fields stay repeated,
            // and those that say where the body ends are rejected.
            let isFolded = fields.dropLast().contains {
                $0.name.count == 12 && bytes.has("content-type", at: $0.name) && bytes.isSameText($0.value, field.value)
            }
            if isFolded { fields.removeLast() }
        case 14 where bytes.has("content-length", at: field.name):
            guard contentLength == nil else { throw HTTPProtocolError(.badRequest, "Content-Length is repeated") }
            contentLength = try Self.length(in: field.value, of: bytes)
        case 17 where bytes.has("transfer-encoding", at: field.name):
            guard !isChunked else { throw HTTPProtocolError(.badRequest, "Transfer-Encoding is repeated") }
            try Self.requireChunked(field.value, of: bytes)
            isChunked = true
        default: break
        }
    }

    /// `1*DIGIT` (RFC 9110 section 8.6); what no Int holds is the largest Int,
    /// which every limit rejects.
    private static func length(in range: Range<Int>, of bytes: Span<UInt8>) throws(HTTPProtocolError) -> Int {
        var length = 0
        for index in range {
            guard let digit = bytes[index].decimalDigit else {
                throw HTTPProtocolError(.badRequest, "Content-Length is not a decimal number")
            }
            let (tenfold, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(digit)
            length = overflow || carry ? Int.max : sum
        }
        guard !range.isEmpty else { throw HTTPProtocolError(.badRequest, "Content-Length is empty") }
        return length
    }

    /// RFC 9112 section 6.1: 501 for codings that are not understood, 400 where
    /// `chunked` is not last or not alone.
    private static func requireChunked(_ value: Range<Int>, of bytes: Span<UInt8>) throws(HTTPProtocolError) {
        let codings = bytes.listMembers(in: value)
        let chunkedCount = codings.count { bytes.has("chunked", at: $0) }
        if codings.count == 1, chunkedCount == 1 { return }
        guard let last = codings.last, codings.allSatisfy({ !$0.isEmpty }), chunkedCount <= 1,
            chunkedCount == 0 || bytes.has("chunked", at: last)
        else { throw HTTPProtocolError(.badRequest, "Transfer-Encoding is not a list that ends with chunked") }
        throw HTTPProtocolError(.notImplemented, "the only transfer coding served is chunked")
    }

    // MARK: The whole head

    /// Checks what only the whole head shows.
    func framing(_ bytes: Span<UInt8>, limits: HTTPLimits) throws(HTTPProtocolError) -> HTTPFraming {
        guard hostCount == 1 || requestLine.version == .http10 && hostCount == 0 else {
            throw HTTPProtocolError(.badRequest, "Host is missing or repeated")
        }
        // The target's host would count (RFC 9112 section 3.2.2), but Host is what is signed: both must be one.
        if let authority = requestLine.authority, hostCount == 1, !bytes.isSame(authority, host) {
            throw HTTPProtocolError(.badRequest, "Host is another than the request target's")
        }
        guard isChunked else {
            guard contentLength ?? 0 <= limits.bodyBytes else {
                throw HTTPProtocolError(.contentTooLarge, "the body is longer than \(limits.bodyBytes) bytes")
            }
            return .fixed(contentLength ?? 0)
        }
        guard contentLength == nil else {
            throw HTTPProtocolError(.badRequest, "Transfer-Encoding and Content-Length are both present")
        }
        guard requestLine.version == .http11 else {
            throw HTTPProtocolError(.badRequest, "HTTP/1.0 has no Transfer-Encoding")
        }
        return .chunked
    }
}
