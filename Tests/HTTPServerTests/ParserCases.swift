import Foundation

@testable import HTTPServer

/// Bytes, what must come of them, and who demands it: a section of an RFC, or a
/// known mistake of other servers.
struct ParserCase {
    let name: String
    let source: String
    let input: [UInt8]
    let outcome: ParserOutcome

    private init(_ name: String, _ source: String, _ input: String, _ outcome: ParserOutcome) {
        self.init(name, source, Array(input.utf8), outcome)
    }

    private init(_ name: String, _ source: String, _ input: [UInt8], _ outcome: ParserOutcome) {
        self.name = name
        self.source = source
        self.input = input
        self.outcome = outcome
    }

    static func served(_ name: String, _ source: String, _ input: String, _ requests: String...) -> Self {
        Self(name, source, input, ParserOutcome(requests: requests))
    }

    static func rejected(
        _ name: String, _ source: String, _ input: String, _ status: HTTPStatus = .badRequest,
        after requests: String...
    ) -> Self {
        Self(name, source, input, ParserOutcome(requests: requests, end: .rejected(status)))
    }

    static func waiting(
        _ name: String, _ source: String, _ input: String, _ position: HTTPRequestParser.Position
    ) -> Self {
        Self(name, source, input, ParserOutcome(end: .waiting(position)))
    }

    /// What no string can be: `{}` in the text stands for the byte.
    static func rejected(
        _ name: String, _ source: String, byte: UInt8, in text: String, _ status: HTTPStatus = .badRequest
    ) -> Self {
        let parts = text.components(separatedBy: "{}").map { Array($0.utf8) }
        return Self(name, source, Array(parts.joined(separator: [byte])), ParserOutcome(end: .rejected(status)))
    }

    /// A request whose header is Host and then `field`.
    static func with(_ field: String) -> String { "POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n" }

    /// A request with a chunked body.
    static func chunked(_ body: String) -> String { with("Transfer-Encoding: chunked") + body }

    static let all = requestLines + hosts + fields + lengths + codings + chunks + others

    private static let requestLines: [ParserCase] = [
        .served("origin-form", "9112 3.2.1", "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?b=c "),
        .served("absolute-form", "9112 3.2.2", "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/b "),
        .served("absolute-form in capitals", "3986 3.1", "GET HTTP://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET HTTP://a "),
        .served("asterisk-form", "9112 3.2.4", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * "),
        .served("method of other token characters", "9110 5.6.2", "M-S!' / HTTP/1.1\r\nHost: a\r\n\r\n", "M-S!' / "),
        .served("HTTP/1.0", "9112 2.3", "GET / HTTP/1.0\r\n\r\n", "GET / "),
        .served("empty lines before it", "9112 2.2", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / "),
        .rejected("too many empty lines", "9112 2.2", "\r\n\r\n\r\n\r\n\r\nGET"),
        .rejected("asterisk without OPTIONS", "9112 3.2.4", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("asterisk with more", "9112 3.2.4", "OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n"),
        .served(
            "absolute-form with a port", "9112 3.2.2", absolute("http://a:1/b?c", host: "a:1"), "GET http://a:1/b?c "),
        .served("absolute-form, Host in capitals", "9112 3.2.2", absolute("http://a/", host: "A"), "GET http://a/ "),
        .served(
            "absolute-form of IPv6", "9112 3.2.2",
            absolute("http://[::1]:1/", host: "[::1]:1"), "GET http://[::1]:1/ "),
        .served(
            "absolute-form in HTTP/1.0 without Host", "9112 3.2.2", "GET http://a/ HTTP/1.0\r\n\r\n", "GET http://a/ "),
        .served(
            "absolute-form, scheme in Host, as the Python SDK sends it through a proxy", "–",
            absolute("http://a:1/", host: "http://a:1"), "GET http://a:1/ "),
        .rejected("absolute-form for another host than Host", "9112 3.2", absolute("http://b/", host: "a")),
        .rejected("absolute-form for another port than Host", "9112 3.2", absolute("http://a:2/", host: "a:1")),
        .rejected("absolute-form with an empty Host", "9112 3.2", absolute("http://a/", host: "")),
        .rejected("absolute-form that begins like Host", "9112 3.2", absolute("http://a.b/", host: "a")),
        .rejected("user in an absolute-form", "9110 4.2.4", absolute("http://u@a/", host: "a")),
        .rejected("user that is Host in an absolute-form", "9110 4.2.4", absolute("http://a@b/", host: "a")),
        .rejected("backslash in the authority", "3986 3.2.2", absolute(#"http://a\b/"#, host: "a")),
        .rejected("port that is no number", "3986 3.2.3", absolute("http://a:b/", host: "a:b")),
        .rejected("authority-form", "9112 3.2.3", absolute("a:80", host: "a")),
        // The API's responses have status 200, which would open the tunnel (RFC 9110 section 9.3.6).
        .rejected("CONNECT", "9110 9.3.6", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", .notImplemented),
        .rejected("CONNECT with a path", "9110 9.3.6", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", .notImplemented),
        .served(
            "TRACE, whose answer is the handler's", "9110 9.3.8", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "TRACE / "),
        .served("method in small letters is another", "9110 9.1", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "get / "),
        .served("path of two slashes", "3986 3.3", "GET //b/c HTTP/1.1\r\nHost: a\r\n\r\n", "GET //b/c "),
        .rejected("other scheme", "9112 3.2", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("absolute-form without host", "9110 4.2.1", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("target without slash", "9112 3.2.1", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("fragment", "9112 3.2", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("raw UTF-8 in the target", "3986 2", "GET /é HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("NUL in the target", "3986 2", "GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("DEL in the target", "3986 2", "GET /\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("two spaces", "9112 3", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("tab for a space", "9112 3", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("space before the method", "9112 3", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("space behind the version", "9112 3", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        .rejected("space in the target", "9112 3.2", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("method that is no token", "9110 9.1", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("HTTP/0.9", "9112 3", "GET /\r\n"),
        .rejected("no version", "9112 3", "GET / \r\n"),
        .rejected("lower-case version", "9112 2.3", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        .rejected("version of one number", "9112 2.3", "GET / HTTP/1\r\nHost: a\r\n\r\n"),
        .rejected("version of three numbers", "9112 2.3", "GET / HTTP/1.1.1\r\nHost: a\r\n\r\n"),
        .rejected("HTTP/1.2", "9110 15.6.6", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", .httpVersionNotSupported),
        .rejected("HTTP/2.0", "9110 15.6.6", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", .httpVersionNotSupported),
        .rejected("version of two digits", "9112 2.3", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        .rejected("version above 32 bits", "9112 2.3", "GET / HTTP/4294967297.1\r\nHost: a\r\n\r\n"),
        .rejected("bare CR in the version", "9112 2.2", "GET / HTTP/\r1.1\r\nHost: a\r\n\r\n"),
        .rejected("bare LF between target and version", "9112 2.2", "GET /\nHTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("form feed for a space", "9112 3", "GET\u{C}/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("line of white space", "9112 2.2", "  \r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("byte of Latin-1 in the target", "3986 2", byte: 0xE9, in: "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("HTTP/2 preface", "9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .rejected("TLS hello", "8446 4.1.2", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}"),
        .rejected("TLS hello, first byte alone", "8446 4.1.2", "\u{16}"),
        .rejected("bare LF behind it", "9112 2.2", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        .rejected("bare CR in it", "9112 2.2", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n"),
        .rejected("LF first", "9112 2.2", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    private static func absolute(_ target: String, host: String) -> String {
        "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n"
    }

    private static func withHost(_ host: String) -> String { absolute("/", host: host) }

    private static let hosts: [ParserCase] = [
        .served("Host with port", "9112 3.2", "GET / HTTP/1.1\r\nHost: a.example:80\r\n\r\n", "GET / "),
        .served("Host of IPv6", "9112 3.2", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / "),
        .served("empty Host", "9112 3.2", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / "),
        .served("Host in HTTP/1.0", "9112 3.2", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / "),
        .rejected("no Host", "9112 3.2", "GET / HTTP/1.1\r\n\r\n"),
        .rejected("no Host with absolute-form", "9112 3.2", "GET http://a/ HTTP/1.1\r\n\r\n"),
        .rejected("two Hosts", "9112 3.2", with("Host: b")),
        .rejected("the same Host twice", "9112 3.2", with("hOST: a")),
        .rejected("two Hosts in HTTP/1.0", "9112 3.2", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
        .rejected("list in Host", "9112 3.2", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
        .rejected("user in Host", "9112 3.2", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        .rejected("path in Host", "9112 3.2", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        .served(
            "scheme in Host, as the Python SDK sends it", "–",
            "GET / HTTP/1.1\r\nHost: http://a:1\r\n\r\n", "GET / "),
        .rejected("scheme and path in Host", "9112 3.2", "GET / HTTP/1.1\r\nHost: http://a/b\r\n\r\n"),
        .served("Host of all allowed characters", "3986 3.2.2", withHost("a-._~!$&'()*+;=%4f:0"), "GET / "),
        .served("Host with an empty port", "3986 3.2.3", withHost("a:"), "GET / "),
        .served("Host with white space around", "9112 5.1", withHost(" \ta\t "), "GET / "),
        .rejected("port of letters in Host", "3986 3.2.3", withHost("a:b")),
        .rejected("two ports in Host", "3986 3.2.3", withHost("a:1:2")),
        .rejected("port alone in Host", "9110 4.2.1", withHost(":80")),
        .rejected("scheme alone in Host", "9112 3.2", withHost("http://")),
        .rejected("space in Host", "9112 3.2", withHost("a b")),
        .rejected("IPv6 without brackets in Host", "3986 3.2.2", withHost("::1")),
        .rejected("unclosed bracket in Host", "3986 3.2.2", withHost("[::1")),
        .rejected("bracket behind a name in Host", "3986 3.2.2", withHost("a]")),
        .rejected("empty brackets in Host", "3986 3.2.2", withHost("[]")),
        .rejected("name in brackets in Host", "3986 3.2.2", withHost("[host]")),
        .rejected("text behind the brackets in Host", "3986 3.2.2", withHost("[::1]a")),
        .rejected("broken escape in Host", "3986 2.1", withHost("a%4")),
        .rejected("UTF-8 in Host", "3986 3.2.2", withHost("é")),
        .rejected("NUL in Host", "9110 5.5", withHost("a\u{0}b")),
        .rejected("query in Host", "9112 3.2", withHost("a?b")),
    ]

    private static let fields: [ParserCase] = [
        .served("empty value", "9110 5.5", with("X:"), "POST / "),
        .served("white space around the value", "9112 5.1", with("X: \t y \t "), "POST / "),
        .served("tab in a value", "9110 5.5", with("X: a\tb"), "POST / "),
        .served("UTF-8 in a value", "9110 5.5", with("X: é"), "POST / "),
        .served("name of all token characters", "9110 5.6.2", with("!#$%&'*+-.^_`|~09azAZ: x"), "POST / "),
        .rejected("space before the colon", "9112 5.1", with("X : y")),
        .rejected("tab before the colon", "9112 5.1", with("X\t: y")),
        .rejected("no colon", "9112 5", with("X")),
        .rejected("empty name", "9110 5.1", with(": y")),
        .rejected("name that is no token", "9110 5.1", with("X(: y")),
        .rejected("name in UTF-8", "9110 5.1", with("é: y")),
        .rejected("NUL in a name", "9110 5.1", with("X\u{0}: y")),
        .rejected("folded line", "9112 5.2", with("X: y\r\n z")),
        .rejected("folded line with a tab", "9112 5.2", with("X: y\r\n\tz")),
        .rejected("white space before the first field", "9112 2.2", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        .rejected("NUL in a value", "9110 5.5", with("X: a\u{0}b")),
        .rejected("bell in a value", "9110 5.5", with("X: \u{7}")),
        .rejected("DEL in a value", "9110 5.5", with("X: \u{7F}")),
        .rejected("vertical tab at the start of a value", "9110 5.5", with("X: \u{B}y")),
        .rejected("bare CR in a value", "9112 2.2", with("X: a\rb")),
        .rejected("CR before CRLF", "9112 2.2", with("X: a\r")),
        .rejected("bare LF behind a field", "9112 2.2", "GET / HTTP/1.1\r\nHost: a\n\r\n"),
        .rejected("bare LF at the end of the head", "9112 2.2", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        .served("name with an underscore is another field", "9110 5.1", with("Content_Length: 3"), "POST / "),
        .rejected("a name over two lines", "9112 5", with("Transfer-\r\nEncoding: chunked")),
        .rejected("space for the colon", "9112 5", with("Content-Length 3")),
        .rejected("colon alone", "9110 5.1", with(":")),
        .rejected("bare CR at the end of the head", "9112 2.2", "GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n"),
        .rejected("bare LF at the start of a value", "9112 2.2", with("X:\n\nGET / HTTP/1.1")),
        .rejected("escape character in a value", "9110 5.5", with("X: \u{1B}[31m")),
        .rejected("byte of Latin-1 in a value", "9110 5.5", byte: 0xE9, in: with("X: caf{}")),
        .rejected("byte of Latin-1 in a name", "9110 5.1", byte: 0xEF, in: with("{}foo: bar")),
        .rejected("overlong UTF-8 in a value", "3629 3", byte: 0xC0, in: with("X: {}\u{2F}")),
        .rejected("no-break space behind a name", "9110 5.1", byte: 0xA0, in: with("Content-Length{}: 3")),
    ]

    private static let others: [ParserCase] = [
        .waiting("nothing", "9112 8", "", .start),
        .waiting("one empty line", "9112 2.2", "\r\n", .start),
        .waiting("part of a method", "9112 8", "GE", .head),
        .waiting("a head without its end", "9112 8", "GET / HTTP/1.1\r\nHost: a\r\n", .head),
        .served(
            "pipeline", "9112 9.3.2", with("Content-Length: 1") + "x" + chunked("1\r\ny\r\n0\r\n\r\n") + with("X: z"),
            "POST / x", "POST / y", "POST / "),
        .rejected(
            "a smuggled request", "9112 11.2", with("Content-Length: 1") + "xGET\r\n", after: "POST / x"),
        .rejected("other expectation", "9110 10.1.1", with("Expect: 200-ok"), .expectationFailed),
        .rejected("a list of expectations", "9110 10.1.1", with("Expect: 100-continue, x"), .expectationFailed),
        .rejected("an empty expectation", "9110 10.1.1", with("Expect:"), .expectationFailed),
        .served("an expectation without a body", "9110 10.1.1", with("Expect: 100-continue"), "POST / "),
        .served("an upgrade to h2c, ignored", "9110 7.8", with("Connection: Upgrade\r\nUpgrade: h2c"), "POST / "),
        .served(
            "an upgrade to WebSocket, ignored", "9110 7.8",
            with("Connection: Upgrade\r\nUpgrade: websocket"), "POST / "),
        .served("fields that Connection names", "9110 7.6.1", with("Connection: Content-Length, Host"), "POST / "),
        .rejected(
            "a broken request behind a good one", "9112 9.3.2", with("X: y") + "G(T / HTTP/1.1\r\n", after: "POST / "),
        .served(
            "empty lines behind a body", "9112 2.2", with("Content-Length: 1") + "x\r\n\r\n" + with("X: y"), "POST / x",
            "POST / "),
    ]
}
