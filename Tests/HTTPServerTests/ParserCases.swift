@testable import HTTPServer

/// Bytes, what must come of them, and who demands it.
struct ParserCase {
    let name: String
    let source: String
    let input: String
    let outcome: ParserOutcome

    private init(_ name: String, _ source: String, _ input: String, _ outcome: ParserOutcome) {
        self.name = name
        self.source = source
        self.input = input
        self.outcome = outcome
    }

    private static func served(_ name: String, _ source: String, _ input: String, _ requests: String...) -> Self {
        Self(name, source, input, ParserOutcome(requests: requests))
    }

    private static func refused(
        _ name: String, _ source: String, _ input: String, _ status: HTTPStatus = .badRequest,
        after requests: String...
    ) -> Self {
        Self(name, source, input, ParserOutcome(requests: requests, end: .refused(status)))
    }

    private static func waiting(
        _ name: String, _ source: String, _ input: String, _ position: HTTPRequestParser.Position
    ) -> Self {
        Self(name, source, input, ParserOutcome(end: .waiting(position)))
    }

    /// A request whose header is Host and then `field`.
    private static func with(_ field: String) -> String { "POST / HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n" }

    /// A request with a chunked body.
    private static func chunked(_ body: String) -> String { with("Transfer-Encoding: chunked") + body }

    static let all = requestLines + hosts + fields + lengths + codings + chunks + others

    private static let requestLines: [ParserCase] = [
        .served("origin-form", "9112 3.2.1", "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?b=c "),
        .served("absolute-form", "9112 3.2.2", "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/b "),
        .served("absolute-form in capitals", "3986 3.1", "GET HTTP://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET HTTP://a "),
        .served("asterisk-form", "9112 3.2.4", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * "),
        .served("method of other token characters", "9110 5.6.2", "M-S!' / HTTP/1.1\r\nHost: a\r\n\r\n", "M-S!' / "),
        .served("HTTP/1.0", "9112 2.3", "GET / HTTP/1.0\r\n\r\n", "GET / "),
        .served("empty lines before it", "9112 2.2", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / "),
        .refused("too many empty lines", "9112 2.2", "\r\n\r\n\r\n\r\n\r\nGET"),
        .refused("asterisk without OPTIONS", "9112 3.2.4", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("authority-form", "9112 3.2.3", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("other scheme", "9112 3.2", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("absolute-form without host", "9110 4.2.1", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("target without slash", "9112 3.2.1", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("fragment", "9112 3.2", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("raw UTF-8 in the target", "3986 2", "GET /é HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("NUL in the target", "3986 2", "GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("DEL in the target", "3986 2", "GET /\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("two spaces", "9112 3", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("tab for a space", "9112 3", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("space before the method", "9112 3", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("space behind the version", "9112 3", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        .refused("space in the target", "9112 3.2", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("method that is no token", "9110 9.1", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("HTTP/0.9", "9112 3", "GET /\r\n"),
        .refused("no version", "9112 3", "GET / \r\n"),
        .refused("lower-case version", "9112 2.3", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        .refused("version of one number", "9112 2.3", "GET / HTTP/1\r\nHost: a\r\n\r\n"),
        .refused("version of three numbers", "9112 2.3", "GET / HTTP/1.1.1\r\nHost: a\r\n\r\n"),
        .refused("HTTP/1.2", "9110 15.6.6", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", .httpVersionNotSupported),
        .refused("HTTP/2.0", "9110 15.6.6", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", .httpVersionNotSupported),
        .refused("HTTP/2 preface", "9113 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .refused("TLS hello", "8446 4.1.2", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}"),
        .refused("TLS hello, first byte alone", "8446 4.1.2", "\u{16}"),
        .refused("bare LF behind it", "9112 2.2", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        .refused("bare CR in it", "9112 2.2", "GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n"),
        .refused("LF first", "9112 2.2", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    private static let hosts: [ParserCase] = [
        .served("Host with port", "9112 3.2", "GET / HTTP/1.1\r\nHost: a.example:80\r\n\r\n", "GET / "),
        .served("Host of IPv6", "9112 3.2", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / "),
        .served("empty Host", "9112 3.2", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / "),
        .served("Host in HTTP/1.0", "9112 3.2", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / "),
        .refused("no Host", "9112 3.2", "GET / HTTP/1.1\r\n\r\n"),
        .refused("no Host with absolute-form", "9112 3.2", "GET http://a/ HTTP/1.1\r\n\r\n"),
        .refused("two Hosts", "9112 3.2", with("Host: b")),
        .refused("the same Host twice", "9112 3.2", with("hOST: a")),
        .refused("two Hosts in HTTP/1.0", "9112 3.2", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
        .refused("list in Host", "9112 3.2", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
        .refused("user in Host", "9112 3.2", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        .refused("path in Host", "9112 3.2", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        .served("scheme in Host, as the Python SDK sends it", "–", "GET / HTTP/1.1\r\nHost: http://a:1\r\n\r\n", "GET / "),
        .refused("scheme and path in Host", "9112 3.2", "GET / HTTP/1.1\r\nHost: http://a/b\r\n\r\n"),
    ]

    private static let fields: [ParserCase] = [
        .served("empty value", "9110 5.5", with("X:"), "POST / "),
        .served("white space around the value", "9112 5.1", with("X: \t y \t "), "POST / "),
        .served("tab in a value", "9110 5.5", with("X: a\tb"), "POST / "),
        .served("UTF-8 in a value", "9110 5.5", with("X: é"), "POST / "),
        .served("name of all token characters", "9110 5.6.2", with("!#$%&'*+-.^_`|~09azAZ: x"), "POST / "),
        .refused("space before the colon", "9112 5.1", with("X : y")),
        .refused("tab before the colon", "9112 5.1", with("X\t: y")),
        .refused("no colon", "9112 5", with("X")),
        .refused("empty name", "9110 5.1", with(": y")),
        .refused("name that is no token", "9110 5.1", with("X(: y")),
        .refused("name in UTF-8", "9110 5.1", with("é: y")),
        .refused("NUL in a name", "9110 5.1", with("X\u{0}: y")),
        .refused("folded line", "9112 5.2", with("X: y\r\n z")),
        .refused("folded line with a tab", "9112 5.2", with("X: y\r\n\tz")),
        .refused("white space before the first field", "9112 2.2", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        .refused("NUL in a value", "9110 5.5", with("X: a\u{0}b")),
        .refused("bell in a value", "9110 5.5", with("X: \u{7}")),
        .refused("DEL in a value", "9110 5.5", with("X: \u{7F}")),
        .refused("vertical tab at the start of a value", "9110 5.5", with("X: \u{B}y")),
        .refused("bare CR in a value", "9112 2.2", with("X: a\rb")),
        .refused("CR before CRLF", "9112 2.2", with("X: a\r")),
        .refused("bare LF behind a field", "9112 2.2", "GET / HTTP/1.1\r\nHost: a\n\r\n"),
        .refused("bare LF at the end of the head", "9112 2.2", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    ]

    private static let lengths: [ParserCase] = [
        .served("Content-Length", "9112 6.2", with("Content-Length: 3") + "abc", "POST / abc"),
        .served("Content-Length 0", "9112 6.2", with("Content-Length: 0"), "POST / "),
        .served("leading zeros", "9110 8.6", with("Content-Length: 003") + "abc", "POST / abc"),
        .served("body of a GET", "9110 9.3.1", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", "GET / x"),
        .waiting("unfinished body", "9112 8", with("Content-Length: 3") + "ab", .body),
        .refused("conflicting Content-Length", "9112 6.3", with("Content-Length: 3\r\nContent-Length: 4")),
        .refused("the same Content-Length twice", "9112 6.3", with("Content-Length: 3\r\nContent-Length: 3")),
        .refused("Content-Length list", "9112 6.3", with("Content-Length: 3, 3")),
        .refused("empty Content-Length", "9110 8.6", with("Content-Length:")),
        .refused("Content-Length with plus", "9110 8.6", with("Content-Length: +3")),
        .refused("negative Content-Length", "9110 8.6", with("Content-Length: -3")),
        .refused("hexadecimal Content-Length", "9110 8.6", with("Content-Length: 0x3")),
        .refused("fraction in Content-Length", "9110 8.6", with("Content-Length: 3.0")),
        .refused("space in Content-Length", "9110 8.6", with("Content-Length: 3 3")),
        .refused("underscore in Content-Length", "9110 8.6", with("Content-Length: 1_0")),
        .refused("largest Int", "9110 8.6", with("Content-Length: 9223372036854775807"), .contentTooLarge),
        .refused("above UInt64", "9110 8.6", with("Content-Length: 18446744073709551617"), .contentTooLarge),
        .refused("far above", "9110 8.6", with("Content-Length: 99999999999999999999999990"), .contentTooLarge),
    ]

    private static let codings: [ParserCase] = [
        .served("chunked", "9112 7.1", chunked("3\r\nabc\r\n0\r\n\r\n"), "POST / abc"),
        .served(
            "chunked in capitals", "9112 7", with("Transfer-Encoding: CHUNKED") + "1\r\na\r\n0\r\n\r\n", "POST / a"),
        .refused("chunked and Content-Length", "9112 6.1", with("Transfer-Encoding: chunked\r\nContent-Length: 3")),
        .refused("Content-Length and chunked", "9112 6.1", with("Content-Length: 3\r\nTransfer-Encoding: chunked")),
        .refused("chunked in HTTP/1.0", "9112 6.1", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        .refused("chunked twice", "9112 6.1", with("Transfer-Encoding: chunked, chunked")),
        .refused("two fields", "9112 6.1", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")),
        .refused("chunked not last", "9112 6.3", with("Transfer-Encoding: chunked, gzip")),
        .refused("empty coding", "9112 6.1", with("Transfer-Encoding:")),
        .refused("empty member", "9112 6.1", with("Transfer-Encoding: , chunked")),
        .refused("gzip", "9112 6.1", with("Transfer-Encoding: gzip, chunked"), .notImplemented),
        .refused("identity", "9112 7", with("Transfer-Encoding: identity"), .notImplemented),
        .refused("like chunked", "9112 7", with("Transfer-Encoding: xchunked"), .notImplemented),
        .refused("control character before chunked", "9110 5.5", with("Transfer-Encoding: \u{B}chunked")),
        .refused("space before the colon of it", "9112 5.1", with("Transfer-Encoding : chunked")),
    ]

    private static let chunks: [ParserCase] = [
        .served("several", "9112 7.1", chunked("1\r\na\r\n02\r\nbc\r\n0\r\n\r\n"), "POST / abc"),
        .served("capital digits", "9112 7.1", chunked("A\r\n0123456789\r\n000\r\n\r\n"), "POST / 0123456789"),
        .served("no data", "9112 7.1", chunked("0\r\n\r\n"), "POST / "),
        .served("extension", "9112 7.1.1", chunked("1;n=\"v;\"\r\na\r\n0;x\r\n\r\n"), "POST / a"),
        .served("space before an extension", "9112 7.1.1", chunked("1 \t;n\r\na\r\n0\r\n\r\n"), "POST / a"),
        .served("trailers", "9112 7.1.2", chunked("0\r\nX: y\r\nHost: b\r\n\r\n"), "POST / "),
        .served("CRLF as data", "9112 7.1", chunked("2\r\n\r\n\r\n0\r\n\r\n"), "POST / \r\n"),
        .waiting("without last chunk", "9112 8", chunked("1\r\na\r\n"), .body),
        .refused("empty size", "9112 7.1", chunked("\r\n")),
        .refused("size of no digit", "9112 7.1", chunked("g\r\n")),
        .refused("size with 0x", "9112 7.1", chunked("0x1\r\na\r\n")),
        .refused("negative size", "9112 7.1", chunked("-1\r\n")),
        .refused("size with plus", "9112 7.1", chunked("+1\r\n")),
        .refused("space before the size", "9112 7.1", chunked(" 1\r\na\r\n")),
        .refused("space behind the size", "9112 7.1", chunked("1 \r\na\r\n")),
        .refused("extension without size", "9112 7.1", chunked(";n\r\n")),
        .refused("size of too many digits", "9112 7.1", chunked("0000000000000001\r\n")),
        .refused("size above the limit", "9112 7.1", chunked("A00001\r\n"), .contentTooLarge),
        .refused("size above UInt64", "9112 7.1", chunked("10000000000000001\r\n"), .contentTooLarge),
        .refused("bare LF behind the size", "9112 2.2", chunked("1\na\r\n0\r\n\r\n")),
        .refused("bare CR behind the size", "9112 2.2", chunked("1\ra\r\n0\r\n\r\n")),
        .refused("bare LF in an extension", "9112 7.1.1", chunked("1;n\na\r\n0\r\n\r\n")),
        .refused("bare CR in an extension", "9112 7.1.1", chunked("1;n\rx\r\na\r\n")),
        .refused("NUL in an extension", "9112 7.1.1", chunked("1;\u{0}\r\na\r\n")),
        .refused("data longer than the size", "9112 7.1", chunked("1\r\nab\r\n0\r\n\r\n")),
        .refused("bare LF behind the data", "9112 2.2", chunked("1\r\na\n0\r\n\r\n")),
        .refused("bare CR behind the data", "9112 2.2", chunked("1\r\na\r0\r\n\r\n")),
        .refused("trailer that is no field", "9112 7.1.2", chunked("0\r\nX\r\n\r\n")),
        .refused("trailer with space before the colon", "9112 5.1", chunked("0\r\nX : y\r\n\r\n")),
        .refused("folded trailer", "9112 5.2", chunked("0\r\nX: y\r\n z\r\n\r\n")),
        .refused("bare LF behind a trailer", "9112 2.2", chunked("0\r\nX: y\n\r\n")),
        .refused("bare LF at the end", "9112 2.2", chunked("0\r\n\n")),
    ]

    private static let others: [ParserCase] = [
        .waiting("nothing", "9112 8", "", .start),
        .waiting("one empty line", "9112 2.2", "\r\n", .start),
        .waiting("part of a method", "9112 8", "GE", .head),
        .waiting("a head without its end", "9112 8", "GET / HTTP/1.1\r\nHost: a\r\n", .head),
        .served(
            "pipeline", "9112 9.3.2", with("Content-Length: 1") + "x" + chunked("1\r\ny\r\n0\r\n\r\n") + with("X: z"),
            "POST / x", "POST / y", "POST / "),
        .refused(
            "a smuggled request", "9112 11.2", with("Content-Length: 1") + "xGET\r\n", after: "POST / x"),
        .refused("other expectation", "9110 10.1.1", with("Expect: 200-ok"), .expectationFailed),
    ]
}
