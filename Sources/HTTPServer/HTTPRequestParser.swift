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
    private let remoteAddress: String
    private var part = Part.requestLine
    private var headBytes: [UInt8] = []
    private var lineStart = 0
    private var emptyLines = 0
    /// Nil before the end of the request line.
    private var head: HTTPRequestHead?
    private var fixedBody: [UInt8] = []
    private var chunkedBody = ChunkedBody()

    /// Empty lines are skipped before a request line (RFC 9112 section 2.2).
    private static let mostEmptyLines = 4

    init(limits: HTTPLimits, remoteAddress: String) {
        self.limits = limits
        self.remoteAddress = remoteAddress
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

    /// Bytes held for a body that is not complete.
    var bufferedBodyBytes: Int { fixedBody.count + chunkedBody.content.count }

    /// Reads from `input`, from `index` on, up to the end of a request at most,
    /// and moves `index` behind what was read.
    ///
    /// - Returns: the request, or nil if all of the input was read and the
    ///   request is not complete.
    mutating func read(_ input: Span<UInt8>, from index: inout Int) throws(HTTPProtocolError) -> Output? {
        while true {
            switch part {
            case .requestLine, .fieldLines:
                guard try readLine(input, from: &index) else { return nil }
                if case .fixedBody(length: 0) = part { return finish(body: []) }
            case .fixedBody(let length):
                let count = min(length - fixedBody.count, input.count - index)
                fixedBody.append(input.extracting(index..<(index + count)))
                index += count
                return fixedBody.count == length ? finish(body: fixedBody) : nil
            case .chunkedBody:
                guard try chunkedBody.read(input, from: &index, limits: limits) else { return nil }
                return finish(body: chunkedBody.content)
            }
        }
    }

    /// Forgets what has come of a request.
    mutating func reset() { self = HTTPRequestParser(limits: limits, remoteAddress: remoteAddress) }

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
        guard let head else { return nil }
        let request = HTTPRequest(
            method: head.requestLine.method, target: head.requestLine.target, version: head.requestLine.version,
            headers: HTTPHeaders(bytes: headBytes, fields: head.fields), body: body, remoteAddress: remoteAddress)
        reset()
        return Output(request: request, isPersistent: head.isPersistent)
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
