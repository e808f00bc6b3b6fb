@testable import HTTPServer

/// A connection from its first byte to its end, with a handler that responds
/// every request alike.
struct Conversation: Equatable {
    private var requests: [HandledRequest] = []
    private var rejection: HTTPProtocolError?
    /// What was sent, without `100 Continue`: whether that is sent depends on
    /// what comes together.
    private var output: [UInt8] = []
    private var isClosed = false

    private static let date = HTTPDate(second: 784_111_777)
    private static let dateField = Array("\r\nDate: ".utf8)
    private static let proceed = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// - Parameter respondsAtOnce: if not, the handler responds only when the
    ///   connection takes no more bytes.
    init(_ pieces: [ArraySlice<UInt8>], respondsAtOnce: Bool) throws {
        let now = MonotonicTime.now
        var connection = HTTPConnection(limits: HTTPLimits(), remoteAddress: "127.0.0.1", at: now)
        var hasRequest = false
        for piece in pieces {
            while !connection.wantsInput, hasRequest {
                try respond(&connection, &hasRequest, respondsAtOnce: respondsAtOnce, at: now)
            }
            connection.receive(piece.span, at: now)
            try run(&connection, &hasRequest, respondsAtOnce: respondsAtOnce, at: now)
        }
        while hasRequest { try respond(&connection, &hasRequest, respondsAtOnce: respondsAtOnce, at: now) }
        connection.receiveEnd()
        try run(&connection, &hasRequest, respondsAtOnce: respondsAtOnce, at: now)
        try demand(isClosed, "the connection is open after its end")
    }

    private mutating func respond(
        _ connection: inout HTTPConnection, _ hasRequest: inout Bool, respondsAtOnce: Bool, at now: MonotonicTime
    ) throws {
        hasRequest = false
        connection.respond(with: HTTPResponse(status: .ok, body: Array("ok".utf8)), date: Self.date, at: now)
        try run(&connection, &hasRequest, respondsAtOnce: respondsAtOnce, at: now)
    }

    private mutating func run(
        _ connection: inout HTTPConnection, _ hasRequest: inout Bool, respondsAtOnce: Bool, at now: MonotonicTime
    ) throws {
        while true {
            switch connection.next(date: Self.date, at: now) {
            case .handle(let request):
                requests.append(HandledRequest(request))
                hasRequest = true
                if respondsAtOnce { return try respond(&connection, &hasRequest, respondsAtOnce: true, at: now) }
            case .report(let error):
                try demand(rejection == nil, "refused twice")
                rejection = error
            case .send:
                let sent = connection.output.bytes[connection.output.sentCount...]
                try demand(!sent.isEmpty, "nothing to send")
                // It may stand behind the response to the request before.
                output += sent.removing(Self.proceed)
                connection.sent(sent.count, at: now)
            case .shutDownSending: break
            case .close:
                isClosed = true
                return
            case .wait:
                try demand(connection.deadline != nil, "waits without a deadline")
                return
            }
        }
    }

    /// The connection does what the parser says, up to the last request that the client wants a response to.
    func check(against parsed: ParsedBytes) throws {
        let last = parsed.requests.firstIndex { !$0.isPersistent }
        let wanted = last.map { parsed.requests[...$0] } ?? parsed.requests[...]
        try demand(
            requests.elementsEqual(wanted) { $0 == HandledRequest($1.http) }, "handled \(requests), parsed \(parsed)")
        try demand(
            rejection == (last == nil ? parsed.rejection : nil), "refused for \(rejection as Any), parsed \(parsed)")
        var responses = 0
        var rest = output[...]
        while let found = rest.firstIndex(of: UInt8(ascii: "\r")) {
            rest = rest[found...]
            if rest.starts(with: Self.dateField) { responses += 1 }
            rest = rest.dropFirst()
        }
        try demand(responses == requests.count + (rejection == nil ? 0 : 1), "\(responses) answers: \(text(output))")
    }
}

/// What a handler gets. Compared as bytes: `String` takes much for equal that is not the same.
private struct HandledRequest: Equatable, CustomStringConvertible {
    private let method: String
    private let target: String
    private let body: [UInt8]

    init(_ request: HTTPRequest) {
        method = request.method
        target = request.target
        body = request.body
    }

    static func == (left: Self, right: Self) -> Bool {
        left.method.isSame(as: right.method) && left.target.isSame(as: right.target) && left.body == right.body
    }

    var description: String { "\(method) \(target) \(text(body))" }
}

extension ArraySlice<UInt8> {
    /// Without `part`, wherever it stands.
    ///
    /// Not by `firstRange(of:)`, whose generic search took more time than the server.
    fileprivate func removing(_ part: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        kept.reserveCapacity(count)
        var index = startIndex
        while index < endIndex {
            if self[index] == part.first, self[index...].starts(with: part) {
                index += part.count
            } else {
                kept.append(self[index])
                index += 1
            }
        }
        return kept
    }
}
