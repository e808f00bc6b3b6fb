/// A request line (RFC 9112 section 3).
struct HTTPRequestLine: Sendable {
    let method: String
    let target: String
    let version: HTTPVersion
    /// Where the host and port of a target in absolute-form are.
    let authority: Range<Int>?

    /// - Parameter line: where the line is in `bytes`, without its CRLF.
    init(_ bytes: Span<UInt8>, at line: Range<Int>) throws(HTTPProtocolError) {
        var index = line.lowerBound
        while index < line.upperBound, bytes[index].isTokenByte { index += 1 }
        let method = line.lowerBound..<index
        guard !method.isEmpty, index < line.upperBound, bytes[index] == UInt8(ascii: " ") else {
            throw HTTPProtocolError(.badRequest, "the request line does not begin with a method and a space")
        }
        index += 1
        let targetStart = index
        while index < line.upperBound, bytes[index].isTargetByte { index += 1 }
        let target = targetStart..<index
        guard !target.isEmpty, index < line.upperBound, bytes[index] == UInt8(ascii: " ") else {
            throw HTTPProtocolError(.badRequest, "the request line has no valid target followed by a space")
        }
        self.method = bytes.text(at: method)
        self.target = bytes.text(at: target)
        // A response of status 200, as all of the API are, would make a proxy open the tunnel (RFC 9110
        // section 9.3.6).
        guard self.method != "CONNECT" else {
            throw HTTPProtocolError(.notImplemented, "this server is no proxy")
        }
        self.authority = try Self.authority(of: target, method: self.method, in: bytes)
        self.version = try Self.version(in: bytes, at: (index + 1)..<line.upperBound)
    }

    /// Tells the forms of a target apart (RFC 9112 section 3.2).
    private static func authority(
        of target: Range<Int>, method: String, in bytes: Span<UInt8>
    ) throws(HTTPProtocolError) -> Range<Int>? {
        if bytes[target.lowerBound] == UInt8(ascii: "/") { return nil }
        if method == "OPTIONS", bytes.has("*", at: target) { return nil }
        let rest = bytes.withoutScheme(target)
        let end = rest.first { bytes[$0] == UInt8(ascii: "/") || bytes[$0] == UInt8(ascii: "?") } ?? rest.upperBound
        guard rest != target, bytes.isHostWithPort(at: rest.lowerBound..<end) else {
            throw HTTPProtocolError(.badRequest, "the request target is neither a path nor an http URI")
        }
        return rest.lowerBound..<end
    }

    /// The name of the protocol is case-sensitive (RFC 9112 section 2.3).
    private static func version(
        in bytes: Span<UInt8>, at range: Range<Int>
    ) throws(HTTPProtocolError) -> HTTPVersion {
        let start = range.lowerBound
        guard range.count == 8, bytes.isExactly("HTTP/", at: start..<(start + 5)),
            let major = bytes[start + 5].decimalDigit, bytes[start + 6] == UInt8(ascii: "."),
            let minor = bytes[start + 7].decimalDigit
        else { throw HTTPProtocolError(.badRequest, "the request line does not end with an HTTP version") }
        switch (major, minor) {
        case (1, 1): return .http11
        case (1, 0): return .http10
        default: throw HTTPProtocolError(.httpVersionNotSupported, "only HTTP/1.1 and HTTP/1.0 are served")
        }
    }
}
