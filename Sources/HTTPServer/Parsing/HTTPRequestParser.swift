import Glibc

/// Turns the bytes of a connection into requests (RFC 9112).
///
/// A pure value: it knows no socket and no clock, and however the bytes are cut
/// into pieces the requests are the same. After an error it must not be used
/// again.
struct HTTPRequestParser: Sendable {
    /// A complete request, and what the connection needs to know of it.
    struct Output: Sendable {
        let request: HTTPRequest
        let isPersistent: Bool
    }

    /// What the next byte belongs to.
    enum Position: Sendable {
        /// Nothing of the next request has come, empty lines aside.
        case start
        case head
        case body
    }

    private enum Part {
        case requestLine
        case fieldLines
        case fixedBody(length: Int)
        case chunkedBody
    }

    private let limits: HTTPLimits
    private let asksForLongBodies: Bool
    private let peer: Peer
    /// The most bytes of the body.
    private var allowed: Int
    private var part = Part.requestLine
    private var headBytes: [UInt8] = []
    private var lineStart = 0
    private var emptyLines = 0
    /// The head as far as it was read; nil before the end of the request line.
    private var head: HTTPRequestHead?
    private var fixedBody: [UInt8] = []
    private var chunkedBody = ChunkedBody()

    /// The most empty lines that are skipped before a request line (RFC 9112 section 2.2).
    private static let mostEmptyLines = 4

    /// - Parameter asksForLongBodies: whether what is longer than
    ///   ``HTTPLimits/shortBodyBytes`` is read only after ``allow(bodyBytes:)``.
    init(limits: HTTPLimits, asksForLongBodies: Bool = false, remoteAddress: String) {
        self.init(limits: limits, asksForLongBodies: asksForLongBodies, peer: Peer(address: remoteAddress))
    }

    init(limits: HTTPLimits, asksForLongBodies: Bool, peer: Peer) {
        self.limits = limits
        self.asksForLongBodies = asksForLongBodies
        self.peer = peer
        allowed = asksForLongBodies ? min(limits.shortBodyBytes, limits.bodyBytes) : limits.bodyBytes
    }

    var position: Position {
        switch part {
        case .requestLine: headBytes.isEmpty ? .start : .head
        case .fieldLines: .head
        case .fixedBody, .chunkedBody: .body
        }
    }

    /// Whether the client waits for `100 Continue`: it said so and has sent
    /// nothing of the body yet.
    var awaitsContinue: Bool { position == .body && bufferedBodyBytes == 0 && head?.expectsContinue == true }

    /// Whether the method of the request that is being read is known to be HEAD.
    var isReadingHead: Bool { head?.requestLine.method == "HEAD" }

    /// The bytes of the head that is being read, as far as they have come.
    var headSoFar: [UInt8] { headBytes }

    /// Bytes held for a body that is not complete.
    var bufferedBodyBytes: Int { fixedBody.count + chunkedBody.content.count }

    /// Bytes held for a request that is not complete.
    var heldBytes: Int { headBytes.capacity + fixedBody.capacity + chunkedBody.heldBytes }

    /// What is known of the request whose body is longer than is allowed so far;
    /// nil if there is none.
    var requestWithLongBody: HTTPRequest? {
        switch part {
        case .fixedBody, .chunkedBody: bodyBytes > allowed ? request(body: []) : nil
        case .requestLine, .fieldLines: nil
        }
    }

    /// The bytes of the body, as far as is known.
    private var bodyBytes: Int {
        if case .fixedBody(let length) = part { length } else { chunkedBody.knownBytes }
    }

    /// Allows so many bytes for the body.
    ///
    /// - Returns: whether they are enough, as far as is known.
    mutating func allow(bodyBytes count: Int) -> Bool {
        allowed = count
        return bodyBytes <= count
    }

    /// Reads from `input`, from `index` on, up to the end of a request at most,
    /// and moves `index` behind what was read.
    ///
    /// - Returns: the request, or nil if the request is not complete: all of the
    ///   input was read, or there is a ``requestWithLongBody``.
    mutating func read(_ input: Span<UInt8>, from index: inout Int) throws(HTTPProtocolError) -> Output? {
        while true {
            switch part {
            case .requestLine, .fieldLines:
                guard try readLine(input, from: &index) else { return nil }
                if case .fixedBody(length: 0) = part { return finish(body: []) }
            case .fixedBody(let length):
                guard length <= allowed else { return nil }
                let count = min(length - fixedBody.count, input.count - index)
                makeRoom(for: count, of: length)
                fixedBody.append(input.extracting(index..<(index + count)))
                index += count
                return fixedBody.count == length ? finish(body: fixedBody) : nil
            case .chunkedBody:
                let progress = try chunkedBody.read(input, from: &index, allowed: allowed, limits: limits)
                return progress == .complete ? finish(body: chunkedBody.content) : nil
            }
        }
    }

    /// Doubles what is held for the body where it is too little, but to no more
    /// than the whole body.
    private mutating func makeRoom(for count: Int, of length: Int) {
        let needed = fixedBody.count + count
        if needed > fixedBody.capacity { fixedBody.reserveCapacity(min(length, max(needed, 2 * fixedBody.capacity))) }
    }

    /// Forgets what has come of a request.
    mutating func reset() {
        self = HTTPRequestParser(limits: limits, asksForLongBodies: asksForLongBodies, peer: peer)
    }

    /// Reads up to the end of a line of the head.
    ///
    /// - Returns: whether a line was complete.
    private mutating func readLine(_ input: Span<UInt8>, from index: inout Int) throws(HTTPProtocolError) -> Bool {
        guard index < input.count else { return false }
        if headBytes.isEmpty {
            // What is not HTTP, such as a TLS handshake, may never send the end of a line.
            guard input[index].isTokenByte || input[index] == .carriageReturn else {
                throw HTTPProtocolError(.badRequest, "this is not an HTTP request")
            }
            headBytes.reserveCapacity(min(input.count - index, 1024))
        }
        let rest = input.extracting(index..<input.count)
        let lineEnd = rest.firstLineFeed
        let piece = if let lineEnd { rest.extracting(0...lineEnd) } else { rest }
        guard headBytes.count + piece.count <= limits.headBytes else {
            headBytes.append(piece.extracting(0..<max(0, min(piece.count, limits.headBytes - headBytes.count))))
            throw lineStart == 0
                ? HTTPProtocolError(.uriTooLong, "the request line is longer than \(limits.headBytes) bytes")
                : HTTPProtocolError(
                    .requestHeaderFieldsTooLarge, "the request head is longer than \(limits.headBytes) bytes")
        }
        headBytes.append(piece)
        index += piece.count
        guard lineEnd != nil else { return false }
        let end = headBytes.count - 2
        guard end >= lineStart, headBytes[end] == .carriageReturn else {
            throw HTTPProtocolError(.badRequest, "a line does not end with CRLF")
        }
        try readLine(lineStart..<end)
        return true
    }

    private mutating func readLine(_ line: Range<Int>) throws(HTTPProtocolError) {
        if line.isEmpty {
            try readEmptyLine()
        } else if case .requestLine = part {
            let requestLine = try HTTPRequestLine(headBytes.span, at: line)
            head = HTTPRequestHead(requestLine: requestLine)
            part = .fieldLines
        } else {
            guard head?.fields.count ?? 0 < limits.fieldCount else {
                throw HTTPProtocolError(
                    .requestHeaderFieldsTooLarge, "the request has more than \(limits.fieldCount) header fields")
            }
            let bytes = headBytes
            try head?.readField(bytes.span, at: line, limits: limits)
        }
        lineStart = headBytes.count
    }

    private mutating func readEmptyLine() throws(HTTPProtocolError) {
        guard let head else {
            emptyLines += 1
            guard emptyLines <= Self.mostEmptyLines else {
                throw HTTPProtocolError(.badRequest, "there are too many empty lines before the request line")
            }
            headBytes.removeAll(keepingCapacity: true)
            return
        }
        switch try head.framing(headBytes.span, limits: limits) {
        case .fixed(let length): part = .fixedBody(length: length)
        case .chunked: part = .chunkedBody
        }
    }

    private mutating func finish(body: [UInt8]) -> Output? {
        guard let head, let request = request(body: body) else { return nil }
        reset()
        return Output(request: request, isPersistent: head.isPersistent)
    }

    private func request(body: [UInt8]) -> HTTPRequest? {
        head.map { head in
            let headers = HTTPHeaders(bytes: headBytes, fields: head.fields)
            let sender = peer.sender(of: headers)
            return HTTPRequest(
                method: head.requestLine.method, target: head.requestLine.target, version: head.requestLine.version,
                headers: headers, body: body, remoteAddress: sender.address, forwardedPort: sender.proxyPort)
        }
    }
}

extension Span<UInt8> {
    /// The index of the first line feed.
    fileprivate var firstLineFeed: Int? {
        withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, let found = memchr(base, Int32(UInt8.lineFeed), bytes.count)
            else { return nil }
            return UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
        }
    }
}
