import TestSupport
import XCTest

@testable import HTTPServer

final class HTTPRequestParserTests: XCTestCase {
    /// Some hundred cases: each is parsed whole, cut at every byte boundary, and
    /// byte by byte, and must always give the same.
    func testEveryCaseHasItsOutcomeHoweverTheBytesAreCut() {
        for testCase in ParserCase.all {
            let bytes = testCase.input
            var cuts = (0...bytes.count).map { [bytes[..<$0], bytes[$0...]] }
            cuts.append(bytes.indices.map { bytes[$0...$0] })
            for pieces in cuts {
                let outcome = parse(pieces)
                guard outcome != testCase.outcome else { continue }
                XCTFail(
                    "\(testCase.name) (\(testCase.source)) in \(pieces.map(\.count)): \(outcome), "
                        + "not \(testCase.outcome)")
                break
            }
        }
    }

    func testTheNamesOfTheCasesAreDistinct() {
        XCTAssertEqual(Set(ParserCase.all.map(\.name)).count, ParserCase.all.count)
    }

    func testPipelinesOfHundredsComeOutInOrderInRandomPieces() {
        var random = randomNumbers()
        for _ in 0..<20 {
            let expected = (0..<400).map { number -> (String, String) in
                let body = String(repeating: "x", count: Int.random(in: 0...40, using: &random))
                return ("/\(number)", body)
            }
            let bytes = expected.enumerated().flatMap { index, request -> [UInt8] in
                let (target, body) = request
                let head = "POST \(target) HTTP/1.1\r\nHost: a\r\n"
                let isChunked = index.isMultiple(of: 3) && !body.isEmpty
                let rest =
                    isChunked
                    ? "Transfer-Encoding: chunked\r\n\r\n\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
                    : "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                return Array((head + rest).utf8)
            }
            var pieces: [ArraySlice<UInt8>] = []
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int.random(in: 1...200, using: &random))
                pieces.append(bytes[start..<end])
                start = end
            }
            let outcome = parse(pieces)
            XCTAssertEqual(outcome.requests, expected.map { "POST \($0.0) \($0.1)" })
            XCTAssertEqual(outcome.end, .waiting(.start))
        }
    }

    func testRandomBytesNeverTrap() {
        var random = randomNumbers()
        let request = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
        let alphabet = Array("\(request)0123456789ABCDEF;,\t\u{0}\u{7F}é".utf8)
        for _ in 0..<3_000 {
            var bytes = Array(request.utf8)
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            // The same bytes cut in another way must have the same outcome.
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let whole = parse([bytes[...]])
            XCTAssertEqual(parse([bytes[..<cut], bytes[cut...]]), whole, String(decoding: bytes, as: UTF8.self))
        }
    }

    func testTakesAQueryOf32KilobytesAndNamesWhatIsTooLong() {
        let query = String(repeating: "q", count: 32 * 1024)
        XCTAssertEqual(parse("GET /?\(query) HTTP/1.1\r\nHost: a\r\n\r\n").requests.count, 1)

        let line = String(repeating: "q", count: 41 * 1024)
        XCTAssertEqual(parse("GET /?\(line) HTTP/1.1\r\nHost: a\r\n\r\n").end, .rejected(.uriTooLong))
        XCTAssertEqual(
            parse("GET / HTTP/1.1\r\nHost: a\r\nX: \(line)\r\n\r\n").end, .rejected(.requestHeaderFieldsTooLarge))
    }

    func testTheLimitOfTheHeadIsExact() {
        var limits = HTTPLimits()
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        limits.headBytes = request.utf8.count
        XCTAssertEqual(parse(request, limits: limits).requests.count, 1)
        limits.headBytes -= 1
        XCTAssertEqual(parse(request, limits: limits).end, .rejected(.requestHeaderFieldsTooLarge))
    }

    func testASlashBehindTheHostIsTakenOnlyWhereItIsAllowed() {
        var limits = HTTPLimits()
        func end(host: String, target: String = "/") -> ParserOutcome.End {
            parse("GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n", limits: limits).end
        }
        XCTAssertEqual(end(host: "a:1/"), .rejected(.badRequest))
        limits.allowsSlashBehindHost = true
        for host in ["a:1/", "a:1", "http://a:1/", "http://a:1", "[::1]:1/"] {
            XCTAssertEqual(end(host: host), .waiting(.start), host)
        }
        XCTAssertEqual(end(host: "a:1/", target: "http://a:1/x"), .waiting(.start))
        for host in ["/", "a:1//", "a/b", "http:///", "a?/"] {
            XCTAssertEqual(end(host: host), .rejected(.badRequest), host)
        }
    }

    /// Not even where both say the same are fields folded that decide where a request ends or whose it is.
    func testOfRepeatedFieldsContentTypeAloneIsFoldedAndOnlyToTheByte() throws {
        func headers(_ lines: String...) throws -> HTTPHeaders? {
            var parser = HTTPRequestParser(limits: HTTPLimits(), remoteAddress: "127.0.0.1")
            var index = 0
            let text = "POST / HTTP/1.1\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
            return try parser.read(Array(text.utf8).span, from: &index)?.request.headers
        }
        let folded = try headers("Content-Type: a/b", "Host: a", "content-type:  a/b ", "CONTENT-TYPE: a/b")
        XCTAssertEqual(folded?["Content-Type"], "a/b")
        XCTAssertEqual(folded?.map(\.name), ["Content-Type", "Host"])
        for other in ["A/b", "a/b;", "a/b; charset=utf-8", ""] {
            let repeated = try headers("Host: a", "Content-Type: a/b", "Content-Type: \(other)")
            XCTAssertNil(repeated?["Content-Type"], other)
            XCTAssertEqual(repeated?.count, 3, other)
        }
        for name in ["Authorization", "X-TC-Action", "X-TC-Timestamp", "x-acs-date"] {
            let repeated = try headers("Host: a", "\(name): a", "\(name): a")
            XCTAssertNil(repeated?[name], name)
            XCTAssertEqual(repeated?.contains(name), true, name)
        }
        for line in ["Host: a", "Content-Length: 0", "Transfer-Encoding: chunked"] {
            XCTAssertThrowsError(try headers("Host: a", line, line), line)
        }
    }

    func testTheLimitOfTheFieldsIsExact() {
        func request(fields: Int) -> String {
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: fields - 1) + "\r\n"
        }
        XCTAssertEqual(parse(request(fields: 100)).requests.count, 1)
        XCTAssertEqual(parse(request(fields: 101)).end, .rejected(.requestHeaderFieldsTooLarge))
    }

    func testTheLimitOfTheBodyIsExactInEitherFraming() {
        var limits = HTTPLimits()
        limits.bodyBytes = 10
        let head = "POST / HTTP/1.1\r\nHost: a\r\n"
        XCTAssertEqual(parse("\(head)Content-Length: 10\r\n\r\n0123456789", limits: limits).requests.count, 1)
        XCTAssertEqual(parse("\(head)Content-Length: 11\r\n\r\n", limits: limits).end, .rejected(.contentTooLarge))
        let chunked = "\(head)Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n"
        XCTAssertEqual(parse("\(chunked)4\r\n6789\r\n0\r\n\r\n", limits: limits).requests.count, 1)
        XCTAssertEqual(parse("\(chunked)5", limits: limits).end, .rejected(.contentTooLarge))
    }

    func testChunkExtensionsAndTrailersAreBounded() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let long = String(repeating: "e", count: 5_000)
        XCTAssertEqual(parse("\(head)1;\(long)").end, .rejected(.badRequest))
        let many = String(repeating: "1;eeeeeeeeeeeeeeeeeeee\r\nx\r\n", count: 300)
        XCTAssertEqual(parse("\(head)\(many)0\r\n\r\n").end, .rejected(.badRequest))
        XCTAssertEqual(parse("\(head)0\r\nX: \(long)\r\n\r\n").end, .rejected(.requestHeaderFieldsTooLarge))
    }

    /// 40 KB byte by byte: a parser that looks at all that has come for each
    /// byte would look at 800 MB.
    func testBytesThatComeOneByOneTakeLinearTime() {
        let request = Array("GET /?\(String(repeating: "q", count: 38 * 1024)) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        func time(_ count: Int) -> Duration {
            processorTime { XCTAssertEqual(parse(request.prefix(count).map { [$0] }).requests, []) }
        }
        _ = time(1_000)
        let quarter = time(9_000)
        XCTAssertLessThan(time(36_000), quarter * 16 + .milliseconds(50))
    }

    /// `String` compares texts of combining marks in quadratic time.
    func testAVersionOfCombiningMarksTakesLittleTime() {
        var limits = HTTPLimits()
        limits.headBytes = 300_000
        let version = String(repeating: "\u{301}\u{323}", count: 50_000)
        let time = processorTime {
            XCTAssertEqual(parse("GET / H\(version)\r\n", limits: limits).end, .rejected(.badRequest))
        }
        XCTAssertLessThan(time, .seconds(1) * slowdown)
    }

    func testTellsThatTheClientWaitsForContinue() throws {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
        func awaitsContinue(_ text: String) throws -> Bool {
            var parser = HTTPRequestParser(limits: HTTPLimits(), remoteAddress: "")
            var index = 0
            XCTAssertNil(try parser.read(Array(text.utf8).span, from: &index))
            return parser.awaitsContinue
        }
        XCTAssertTrue(try awaitsContinue("\(head)Expect: 100-Continue\r\n\r\n"))
        XCTAssertFalse(try awaitsContinue("\(head)Expect: 100-continue\r\n\r\n1"))
        XCTAssertFalse(try awaitsContinue("\(head)\r\n"))
        XCTAssertFalse(try awaitsContinue("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"))
    }
}

/// What came of some bytes.
struct ParserOutcome: Equatable, CustomStringConvertible {
    enum End: Equatable {
        case waiting(HTTPRequestParser.Position)
        case rejected(HTTPStatus)
    }

    /// Method, target and body of each.
    var requests: [String] = []
    var end = End.waiting(.start)

    var description: String { "\(requests) \(end)" }
}

func parse(_ text: String, limits: HTTPLimits = HTTPLimits()) -> ParserOutcome {
    parse([Array(text.utf8)[...]], limits: limits)
}

func parse(_ pieces: [some Collection<UInt8>], limits: HTTPLimits = HTTPLimits()) -> ParserOutcome {
    var parser = HTTPRequestParser(limits: limits, remoteAddress: "127.0.0.1")
    var outcome = ParserOutcome()
    for piece in pieces {
        let bytes = Array(piece)
        var index = 0
        while index < bytes.count {
            do throws(HTTPProtocolError) {
                guard let request = try parser.read(bytes.span, from: &index)?.request else { continue }
                outcome.requests.append(
                    "\(request.method) \(request.target) \(String(decoding: request.body, as: UTF8.self))")
            } catch {
                outcome.end = .rejected(error.status)
                return outcome
            }
        }
    }
    outcome.end = .waiting(parser.position)
    return outcome
}
