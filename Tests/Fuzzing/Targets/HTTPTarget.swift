import SeededRandom
@testable import HTTPServer

/// However the bytes of a connection are cut, the requests and responses are the
/// same, and what is taken for a request can be written down and is read again
/// as the same.
enum HTTPTarget {
    static func read(_ bytes: [UInt8]) {
        _ = try? Conversation([bytes[...]], respondsAtOnce: true)
        _ = try? Conversation([bytes[...]], respondsAtOnce: false)
    }

    /// - Parameter isThorough: if not, only some bytes come one by one, and the
    ///   handler responds either at once or late: drawn anew for each input.
    static func check(_ bytes: [UInt8], isThorough: Bool) throws {
        var random = SplitMix64(of: bytes)
        let start = isThorough ? 0 : Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, start + (isThorough ? 1_000 : 32))
        let singleBytes = [bytes[..<start]] + (start..<end).map { bytes[$0...$0] } + [bytes[end...]]
        let cuts = [bytes.pieces(using: &random), singleBytes.filter { !$0.isEmpty }]

        let whole = ParsedBytes([bytes[...]])
        for pieces in cuts {
            let cut = ParsedBytes(pieces)
            try demand(cut == whole, "in pieces: \(cut), whole: \(whole)")
        }
        for request in whole.requests { try check(request) }
        if let rejection = whole.rejection { try check(rejection) }

        let conversation = try Conversation([bytes[...]], respondsAtOnce: true)
        try conversation.check(against: whole)
        for pieces in cuts {
            for respondsAtOnce in isThorough ? [true, false] : [Bool.random(using: &random)] {
                let other = try Conversation(pieces, respondsAtOnce: respondsAtOnce)
                try demand(
                    other == conversation, "in pieces, at once \(respondsAtOnce): \(other), whole: \(conversation)")
            }
        }
    }

    private static func check(_ request: ParsedRequest) throws {
        let http = request.http
        let path = http.path
        try demand(path.utf8.first == UInt8(ascii: "/") || path == "*", "path \(path) of \(http.target)")
        if http.target.utf8.first == UInt8(ascii: "/") {
            try demand(path + (http.query.map { "?\($0)" } ?? "") == http.target, "parts of \(http.target)")
        }
        for (name, value) in http.headers {
            try demand(name.utf8.allSatisfy(\.isTokenByte), "name \(name)")
            try demand(value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }, "value \(value)")
            try demand(value.utf8.first?.isSpaceOrTab != true, "value \(value)")
            try demand(value.utf8.last?.isSpaceOrTab != true, "value \(value)")
        }
        var limits = HTTPLimits()
        limits.headBytes *= 2
        limits.fieldCount += 1
        let again = ParsedBytes([request.encoded[...]], limits: limits)
        try demand(
            again.requests.elementsEqual([request]) { $0.isSame(as: $1, butFraming: true) } && again.rejection == nil,
            "\(text(request.encoded)) is \(again)")
    }

    private static func check(_ rejection: HTTPProtocolError) throws {
        try demand(
            rejection.reason.utf8.count <= 100 && rejection.reason.utf8.allSatisfy { (0x20...0x7E).contains($0) },
            "reason \(rejection.reason)")
    }
}

struct ParsedRequest: Equatable, CustomStringConvertible {
    let http: HTTPRequest
    let isPersistent: Bool

    static func == (left: Self, right: Self) -> Bool { left.isSame(as: right, butFraming: false) }

    /// Compares bytes: `String` takes much for equal that is not the same.
    ///
    /// - Parameter butFraming: whether the fields that frame the body may differ.
    func isSame(as other: Self, butFraming: Bool) -> Bool {
        let (left, right) = (http, other.http)
        func fields(_ request: HTTPRequest) -> [(name: String, value: String)] {
            request.headers.filter { field in
                !butFraming || !["content-length", "transfer-encoding"].contains(field.name.lowercased())
            }.map { ($0.name, $0.value) }
        }
        return left.method.isSame(as: right.method) && left.target.isSame(as: right.target)
            && left.version == right.version && left.body == right.body && isPersistent == other.isPersistent
            && fields(left).elementsEqual(fields(right)) {
                $0.name.isSame(as: $1.name) && $0.value.isSame(as: $1.value)
            }
    }

    /// The request as a client would send it with Content-Length.
    var encoded: [UInt8] {
        var text = Array("\(http.method) \(http.target) HTTP/1.\(http.version == .http11 ? 1 : 0)\r\n".utf8)
        for (name, value) in http.headers where !["content-length", "transfer-encoding"].contains(name.lowercased()) {
            text += "\(name): \(value)\r\n".utf8
        }
        return text + "Content-Length: \(http.body.count)\r\n\r\n".utf8 + http.body
    }

    var description: String { "\(text(encoded)) \(isPersistent)" }
}

/// What the parser makes of some bytes.
struct ParsedBytes: Equatable {
    private(set) var requests: [ParsedRequest] = []
    private(set) var rejection: HTTPProtocolError?
    private(set) var end = HTTPRequestParser.Position.start

    init(_ pieces: [ArraySlice<UInt8>], limits: HTTPLimits = HTTPLimits()) {
        var parser = HTTPRequestParser(limits: limits, remoteAddress: "127.0.0.1")
        for piece in pieces {
            var index = 0
            while index < piece.count {
                do throws(HTTPProtocolError) {
                    guard let output = try parser.read(piece.span, from: &index) else { continue }
                    requests.append(ParsedRequest(http: output.request, isPersistent: output.isPersistent))
                } catch {
                    rejection = error
                    return
                }
            }
        }
        end = parser.position
    }
}
