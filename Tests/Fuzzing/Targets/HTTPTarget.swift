@testable import HTTPServer

/// However the bytes of a connection are cut, the requests and answers are the
/// same, and what is taken for a request can be written down and is read again
/// as the same.
enum HTTPTarget {
    static func read(_ bytes: [UInt8]) {
        _ = try? Conversation([bytes[...]], answersAtOnce: true)
        _ = try? Conversation([bytes[...]], answersAtOnce: false)
    }

    static func check(_ bytes: [UInt8]) throws {
        var random = InputGenerator(of: bytes)
        let singleBytes = bytes.indices.prefix(1_000).map { bytes[$0...$0] } + [bytes.dropFirst(1_000)]
        let cuts = [bytes.pieces(using: &random), singleBytes]

        let whole = ParsedBytes([bytes[...]])
        for pieces in cuts {
            let cut = ParsedBytes(pieces)
            try demand(cut == whole, "in pieces: \(cut), whole: \(whole)")
        }
        for request in whole.requests { try check(request) }
        if let refusal = whole.refusal { try check(refusal) }

        let conversation = try Conversation([bytes[...]], answersAtOnce: true)
        try conversation.check(against: whole)
        for pieces in cuts {
            for answersAtOnce in [true, false] {
                let other = try Conversation(pieces, answersAtOnce: answersAtOnce)
                try demand(
                    other == conversation, "in pieces, at once \(answersAtOnce): \(other), whole: \(conversation)")
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
            again.requests.map(\.essence) == [request.essence] && again.refusal == nil,
            "\(text(request.encoded)) is \(again)")
    }

    private static func check(_ refusal: HTTPProtocolError) throws {
        try demand(
            refusal.reason.utf8.count <= 100 && refusal.reason.utf8.allSatisfy { (0x20...0x7E).contains($0) },
            "reason \(refusal.reason)")
    }
}

struct ParsedRequest: Equatable, CustomStringConvertible {
    let http: HTTPRequest
    let isPersistent: Bool

    static func == (left: Self, right: Self) -> Bool {
        left.lines == right.lines && left.http.body == right.http.body && left.isPersistent == right.isPersistent
    }

    /// The head as bytes: `String` takes much for equal that is not the same.
    private var lines: [[UInt8]] {
        ["\(http.method) \(http.target) \(http.version)"].map { Array($0.utf8) }
            + http.headers.map { Array("\($0.name): \($0.value)".utf8) }
    }

    /// What does not change with the framing of the body.
    var essence: [[UInt8]] {
        let framing = ["content-length", "transfer-encoding"].map { Array($0.utf8) + [UInt8(ascii: ":")] }
        return lines.filter { line in !framing.contains { Array(line.prefix($0.count).map(\.asciiLowercased)) == $0 } }
            + [http.body, [isPersistent ? 1 : 0]]
    }

    /// The request as a client would send it with Content-Length.
    var encoded: [UInt8] {
        var text = Array("\(http.method) \(http.target) HTTP/1.\(http.version == .http11 ? 1 : 0)\r\n".utf8)
        for (name, value) in http.headers where !["content-length", "transfer-encoding"].contains(name.lowercased()) {
            text += "\(name): \(value)\r\n".utf8
        }
        return text + "Content-Length: \(http.body.count)\r\n\r\n".utf8 + http.body
    }

    var description: String { "\(lines.map { text($0) }) \(text(http.body)) \(isPersistent)" }
}

/// What the parser makes of some bytes.
struct ParsedBytes: Equatable {
    private(set) var requests: [ParsedRequest] = []
    private(set) var refusal: HTTPProtocolError?
    private(set) var end = HTTPRequestParser.Position.start

    init(_ pieces: [ArraySlice<UInt8>], limits: HTTPLimits = HTTPLimits()) {
        var parser = HTTPRequestParser(limits: limits, remoteAddress: "127.0.0.1")
        for piece in pieces {
            let bytes = Array(piece)
            var index = 0
            while index < bytes.count {
                do throws(HTTPProtocolError) {
                    guard let output = try parser.read(bytes.span, from: &index) else { continue }
                    requests.append(ParsedRequest(http: output.request, isPersistent: output.isPersistent))
                } catch {
                    refusal = error
                    return
                }
            }
        }
        end = parser.position
    }
}
