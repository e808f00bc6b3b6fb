import HTTPServer
import Text

/// The response to one request, put together from the pieces in which it comes (RFC
/// 9112): with a length, chunked as proxies send it, or up to the end of the
/// stream.
struct HTTPResponseReader {
    enum Problem: Error {
        case noResponse
        case notHTTP
        case truncated
        case tooLong
    }

    private enum Framing {
        case length(Int)
        case chunked(ChunkedBody)
        case untilEnd
    }

    /// Of the head, until it is whole.
    private var head: [UInt8] = []
    private var status = 0
    private var headers: [(name: String, value: String)] = []
    /// Nil before the end of the head.
    private var framing: Framing?
    private var body: [UInt8] = []

    private static let longestHead = 64 * 1024
    private let limits: HTTPLimits
    /// Whether a body that is too long counts as far as it was read.
    private let cutsBody: Bool

    init(bodyLimit: HTTPClient.BodyLimit = .refuse(above: 64 * 1_024 * 1_024)) {
        var limits = HTTPLimits()
        switch bodyLimit {
        case .refuse(let bytes): (limits.bodyBytes, cutsBody) = (bytes, false)
        case .cut(let bytes): (limits.bodyBytes, cutsBody) = (bytes, true)
        }
        self.limits = limits
    }

    /// - Returns: the response, once it is whole.
    mutating func read(_ piece: [UInt8]) throws(Problem) -> HTTPResponse? {
        guard framing == nil else { return try readBody(piece) }
        head += piece
        while let end = head.firstRange(of: Array("\r\n\r\n".utf8)) {
            let rest = Array(head[end.upperBound...])
            try readHead(head[..<end.lowerBound])
            // Interim responses (RFC 9110 section 15.2) come before the one that counts.
            if framing != nil { return try readBody(rest) }
            head = rest
        }
        guard head.count <= Self.longestHead else { throw .notHTTP }
        return nil
    }

    /// The stream is at its end.
    mutating func end() throws(Problem) -> HTTPResponse {
        switch framing {
        case nil: throw head.isEmpty ? .noResponse : .truncated
        case .untilEnd: return response(body)
        case .length, .chunked: throw .truncated
        }
    }

    private func response(_ body: [UInt8]) -> HTTPResponse {
        HTTPResponse(status: status, headers: headers, body: body)
    }

    /// A body of which no more is read.
    private func tooLong(_ body: [UInt8]) throws(Problem) -> HTTPResponse {
        guard cutsBody else { throw .tooLong }
        return response(Array(body.prefix(limits.bodyBytes)))
    }

    private mutating func readBody(_ piece: [UInt8]) throws(Problem) -> HTTPResponse? {
        switch framing {
        case .chunked(var chunks):
            var index = 0
            let progress: ChunkedBody.Progress
            do throws(HTTPProtocolError) {
                progress = try chunks.read(
                    piece.span, from: &index, allowed: limits.bodyBytes, limits: limits)
            } catch {
                guard error.status == .contentTooLarge else { throw .notHTTP }
                return try tooLong(chunks.content)
            }
            framing = .chunked(chunks)
            return progress == .complete ? response(chunks.content) : nil
        case .length(let length):
            body += piece
            if body.count >= length, length <= limits.bodyBytes { return response(Array(body.prefix(length))) }
            return body.count > limits.bodyBytes ? try tooLong(body) : nil
        case .untilEnd, nil:
            body += piece
            return body.count > limits.bodyBytes ? try tooLong(body) : nil
        }
    }

    private mutating func readHead(_ head: ArraySlice<UInt8>) throws(Problem) {
        let lines = head.split { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        let words = lines.first?.split(separator: UInt8(ascii: " ")) ?? []
        guard words.count >= 2, words[0].starts(with: "HTTP/1.".utf8), words[1].count == 3,
            let status = Int(words[1].text)
        else { throw .notHTTP }
        guard !(100...199).contains(status) else { return }
        self.status = status
        framing = .untilEnd
        headers = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let name = String(
                decoding: line[..<colon].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
            return (name, line[(colon + 1)...].withoutBlanks.text)
        }
        for line in lines.dropFirst() {
            if let coding = line.value(of: "transfer-encoding:") {
                // It counts more than a length (RFC 9112 section 6.3).
                guard coding.isSameWord(as: "chunked") else { throw .notHTTP }
                framing = .chunked(ChunkedBody())
                return
            }
            if let text = line.value(of: "content-length:") {
                guard let length = Int(text.text), length >= 0 else { throw .notHTTP }
                if case .length(let other) = framing, other != length { throw .notHTTP }
                guard length <= limits.bodyBytes || cutsBody else { throw .tooLong }
                framing = .length(length)
            }
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }

    /// What stands behind the name, without blanks around it; nil if the line is another field's.
    fileprivate func value(of name: String) -> ArraySlice<UInt8>? {
        prefix(name.utf8.count).isSameWord(as: name) ? dropFirst(name.utf8.count).withoutBlanks : nil
    }

    fileprivate var withoutBlanks: ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let value = drop(while: isBlank)
        guard let last = value.lastIndex(where: { !isBlank($0) }) else { return value.prefix(0) }
        return value[...last]
    }
}
