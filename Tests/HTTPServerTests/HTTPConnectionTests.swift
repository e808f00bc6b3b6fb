import XCTest

@testable import HTTPServer

/// The protocol of a connection, with time moved by hand.
final class HTTPConnectionTests: XCTestCase {
    private let get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
    private let post = "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"

    // MARK: Keep-alive and pipelining

    func testAnswersCarryDateLengthAndConnection() {
        var client = ScriptedClient()
        client.send(get)
        client.respond("hello", headers: ["Content-Type": "text/plain"])
        XCTAssertEqual(
            client.received,
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n"
                + "Connection: keep-alive\r\nContent-Type: text/plain\r\n\r\nhello")
        client.send(get)
        XCTAssertEqual(client.log, ["GET /a", "GET /a"])
    }

    func testPipelinedRequestsAreHandledOneAtATimeInOrder() {
        var client = ScriptedClient()
        client.send((1...300).map { "GET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
        XCTAssertEqual(client.log, ["GET /1"])
        XCTAssertFalse(client.connection.wantsInput)
        for _ in 1...300 { client.respond("") }
        XCTAssertEqual(client.log, (1...300).map { "GET /\($0)" })
        XCTAssertTrue(client.connection.wantsInput)
    }

    func testNoFurtherRequestIsHandledWhileTheClientTakesNoAnswers() {
        var client = ScriptedClient()
        client.takesAnswers = false
        client.send(get + get + get)
        client.respond(String(repeating: "x", count: 100_000))
        XCTAssertEqual(client.log, ["GET /a"])
        client.takesAnswers = true
        client.run()
        XCTAssertEqual(client.log, ["GET /a", "GET /a"])
    }

    func testWhoTheConnectionIsKeptFor() {
        let cases: [(request: String, isKept: Bool)] = [
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: h\r\nconnection: TE, Close\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: h\r\nConnection: TE\r\nConnection: close\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", true),
            ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
            ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false),
        ]
        for (request, isKept) in cases {
            var client = ScriptedClient()
            client.send(request)
            client.respond("")
            XCTAssertEqual(client.log, isKept ? ["GET /"] : ["GET /", "shut down sending"], request)
            XCTAssertTrue(client.received.contains("Connection: \(isKept ? "keep-alive" : "close")\r\n"), request)
        }
    }

    func testWhatFollowsARequestThatClosesIsNotRead() {
        var client = ScriptedClient()
        client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + get)
        client.respond("")
        XCTAssertEqual(client.log, ["GET /", "shut down sending"])
    }

    func testTheAnswerToHeadHasNoBodyButItsLength() {
        var client = ScriptedClient()
        client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        client.respond("hello")
        XCTAssertTrue(client.received.contains("Content-Length: 5\r\n"))
        XCTAssertTrue(client.received.hasSuffix("\r\n\r\n"))
    }

    func testAResponseThatIsCutEndsTheConnectionShortOfItsLength() {
        var client = ScriptedClient()
        client.send(get + get)
        client.respond("hello", delivery: .cut(afterBodyBytes: 2))
        XCTAssertTrue(client.received.contains("Content-Length: 5\r\n"), client.received)
        XCTAssertTrue(client.received.hasSuffix("\r\n\r\nhe"), client.received)
        XCTAssertEqual(client.log, ["GET /a", "shut down sending"])
    }

    func testAResponseThatIsHeldBackEndsTheConnectionWithoutAByte() {
        var client = ScriptedClient()
        client.send(get)
        client.respond("hello", delivery: .nothing)
        XCTAssertEqual(client.received, "")
        XCTAssertEqual(client.log, ["GET /a", "close"])
    }

    func testARefusalOfHeadHasNoBodyEither() {
        var broken = ScriptedClient()
        broken.send("HEAD / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n")
        var hanging = ScriptedClient()
        hanging.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        hanging.advance(.seconds(300))
        for (client, status) in [(broken, "400"), (hanging, "503")] {
            XCTAssertTrue(client.received.hasPrefix("HTTP/1.1 \(status) "), client.received)
            XCTAssertTrue(client.received.hasSuffix("\r\n\r\n"), client.received)
        }
    }

    // MARK: Expect: 100-continue

    func testAClientThatWaitsIsToldOnceToContinue() {
        var client = ScriptedClient()
        client.send("\(post)Expect: 100-continue\r\n\r\n")
        XCTAssertEqual(client.received, "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("ab")
        client.send("cd")
        XCTAssertEqual(client.log, ["POST /b abcd"])
        client.respond("")
        XCTAssertEqual(client.received.components(separatedBy: "100 Continue").count, 2)
    }

    func testContinueComesAfterTheAnswersBeforeIt() {
        var client = ScriptedClient()
        client.send("\(get)\(post)Expect: 100-continue\r\n\r\n")
        XCTAssertEqual(client.received, "")
        client.respond("first")
        XCTAssertTrue(client.received.hasSuffix("firstHTTP/1.1 100 Continue\r\n\r\n"))
    }

    func testATooLargeBodyIsRefusedInsteadOfInvited() {
        var client = ScriptedClient()
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10485761\r\nExpect: 100-continue\r\n\r\n")
        XCTAssertEqual(client.log, ["refused 413", "shut down sending"])
        XCTAssertFalse(client.received.contains("100"))
    }

    // MARK: Rejections

    func testARefusalIsToldInOneLineAndTheClientHasTimeToReadIt() {
        var client = ScriptedClient()
        client.send("GET / HTTP/1.1\nHost: h\n\n")
        XCTAssertEqual(client.log, ["refused 400", "shut down sending"])
        XCTAssertTrue(client.received.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        XCTAssertTrue(client.received.contains("Connection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"))
        XCTAssertTrue(client.received.hasSuffix("\r\n\r\n400 Bad Request: a line does not end with CRLF\n"))
        client.send("more of it")
        XCTAssertTrue(client.connection.wantsInput)
        client.end()
        XCTAssertEqual(client.log.last, "close")
    }

    func testARefusalComesAfterTheAnswersBeforeIt() {
        var client = ScriptedClient()
        client.send("\(get)nonsense\r\n")
        XCTAssertEqual(client.log, ["GET /a"])
        client.respond("first")
        XCTAssertEqual(client.log, ["GET /a", "refused 400", "shut down sending"])
        XCTAssertTrue(client.received.contains("firstHTTP/1.1 400"))
    }

    func testLingeringIsBoundedInTimeAndBytes() {
        var client = ScriptedClient()
        client.send("\u{16}")
        client.advance(.seconds(4))
        XCTAssertEqual(client.log, ["refused 400", "shut down sending"])
        client.advance(.seconds(1))
        XCTAssertEqual(client.log.last, "close")

        var limits = HTTPLimits()
        limits.lingerBytes = 10
        client = ScriptedClient(limits: limits)
        client.send("\u{16}")
        client.send("123456789")
        XCTAssertEqual(client.log.last, "shut down sending")
        client.send("0")
        XCTAssertEqual(client.log.last, "close")
    }

    func testTooManyUnfinishedBodiesAreRefusedAndFreed() {
        var client = ScriptedClient()
        client.send("\(post)\r\nab")
        XCTAssertGreaterThan(client.connection.heldBytes, post.utf8.count + 2)
        client.connection.rejectForLackOfMemory()
        client.run()
        XCTAssertEqual(client.log, ["refused 503", "shut down sending"])
        XCTAssertEqual(client.connection.heldBytes, client.connection.output.heldBytes)
    }

    // MARK: Deadlines

    func testAHeadThatDripsIsEndedAtItsDeadline() {
        var client = ScriptedClient()
        client.send(get)
        client.respond("")
        client.advance(.seconds(50))
        client.send("GET /")
        for _ in 0..<14 {
            client.advance(.seconds(1))
            client.send("a")
        }
        XCTAssertEqual(client.log, ["GET /a"])
        client.advance(.seconds(1))
        XCTAssertEqual(client.log, ["GET /a", "refused 408", "shut down sending"])
    }

    func testANewConnectionThatSaysNothingIsClosedSilently() {
        var client = ScriptedClient()
        client.advance(.seconds(14))
        XCTAssertEqual(client.log, [])
        client.advance(.seconds(1))
        XCTAssertEqual(client.log, ["close"])
        XCTAssertEqual(client.received, "")
    }

    func testEmptyLinesDoNotKeepAConnectionAlive() {
        var client = ScriptedClient()
        for _ in 0..<3 {
            client.advance(.seconds(4))
            client.send("\r\n")
        }
        client.advance(.seconds(3))
        XCTAssertEqual(client.log, ["close"])
    }

    func testAnIdleConnectionIsClosedSilentlyAfterItsLastAnswerIsTaken() {
        var client = ScriptedClient()
        client.takesAnswers = false
        client.send(get)
        client.respond("")
        client.advance(.seconds(10))
        client.takesAnswers = true
        client.run()
        client.advance(.seconds(179))
        XCTAssertEqual(client.log, ["GET /a"])
        client.advance(.seconds(1))
        XCTAssertEqual(client.log, ["GET /a", "close"])
    }

    func testABodyThatStallsIsEnded() {
        var client = ScriptedClient()
        client.send("\(post)\r\na")
        client.advance(.seconds(14))
        XCTAssertEqual(client.log, [])
        client.advance(.seconds(1))
        XCTAssertEqual(client.log, ["refused 408", "shut down sending"])
    }

    /// 500 bytes a second are enough.
    func testABodyThatCrawlsIsEndedThoughItNeverStalls() {
        for rate in [560, 480] {
            var client = ScriptedClient()
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
            for _ in 0..<60 {
                client.send(String(repeating: "a", count: rate))
                client.advance(.seconds(1))
            }
            XCTAssertEqual(client.log.first, rate == 560 ? nil : "refused 408")
        }
    }

    func testABodyThatGetsOnIsEndedAtItsDeadlineAllTheSame() {
        var client = ScriptedClient()
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n")
        for _ in 0..<11 {
            client.advance(.seconds(10))
            client.send(String(repeating: "a", count: 8_000))
        }
        XCTAssertEqual(client.log, [])
        client.advance(.seconds(10))
        XCTAssertEqual(client.log, ["refused 408", "shut down sending"])
    }

    func testAClientThatTakesNothingIsCutOff() {
        var client = ScriptedClient()
        client.takesAnswers = false
        client.send(get)
        client.respond("hello")
        client.advance(.seconds(14))
        XCTAssertEqual(client.log, ["GET /a"])
        client.advance(.seconds(1))
        XCTAssertEqual(client.log, ["GET /a", "close"])
    }

    func testAClientThatTakesItsAnswerAtACrawlIsCutOff() {
        for rate in [560, 480] {
            var client = ScriptedClient()
            client.takesAnswers = false
            client.send(get)
            client.respond(String(repeating: "x", count: 1_000_000))
            for _ in 0..<60 {
                client.connection.sent(rate, at: client.now)
                client.advance(.seconds(1))
            }
            XCTAssertEqual(client.log.last, rate == 560 ? "GET /a" : "close")
        }
    }

    func testAClientThatTakesItsAnswerSlowlyIsCutOffAtTheDeadline() {
        var client = ScriptedClient()
        client.takesAnswers = false
        client.send(get)
        client.respond(String(repeating: "x", count: 1_000_000))
        for _ in 0..<11 {
            client.advance(.seconds(10))
            client.connection.sent(8_000, at: client.now)
        }
        XCTAssertEqual(client.log, ["GET /a"])
        client.advance(.seconds(10))
        XCTAssertEqual(client.log, ["GET /a", "close"])
    }

    func testAHandlerThatNeverAnswersIsAnsweredForAndItsLateAnswerDropped() {
        var client = ScriptedClient()
        client.send(get)
        client.advance(.seconds(299))
        XCTAssertEqual(client.log, ["GET /a"])
        client.advance(.seconds(1))
        XCTAssertEqual(client.log, ["GET /a", "refused 503", "shut down sending"])
        let received = client.received
        client.respond("too late")
        XCTAssertEqual(client.received, received)
    }

    // MARK: The end

    func testAClientThatEndsItsHalfStillGetsAllItsAnswers() {
        var client = ScriptedClient()
        client.send(get + get)
        client.end()
        client.respond("first")
        client.respond("second")
        XCTAssertEqual(client.log, ["GET /a", "GET /a", "close"])
        XCTAssertTrue(client.received.contains("first"))
        XCTAssertTrue(client.received.hasSuffix("second"))
    }

    func testARequestThatIsCutShortIsNeverHandled() {
        let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        for part in ["GET", "\(post)\r\nabc", chunked] {
            var client = ScriptedClient()
            client.send(part)
            client.end()
            XCTAssertEqual(client.log, ["close"], part)

            client = ScriptedClient()
            client.send(get + part)
            client.end()
            client.respond("")
            XCTAssertEqual(client.log, ["GET /a", "close"], part)
        }
    }

    func testDrainingClosesIdleConnectionsAtOnceAndFinishesRequests() {
        var idle = ScriptedClient()
        idle.drain()
        XCTAssertEqual(idle.log, ["close"])

        var reading = ScriptedClient()
        reading.send("GET /")
        reading.drain()
        reading.send("a HTTP/1.1\r\nHost: h\r\n\r\n")
        reading.respond("last")
        XCTAssertEqual(reading.log, ["GET /a", "shut down sending"])
        XCTAssertTrue(reading.received.contains("Connection: close\r\n"))

        var handling = ScriptedClient()
        handling.send(get + get)
        handling.drain()
        handling.respond("last")
        XCTAssertEqual(handling.log, ["GET /a", "shut down sending"])
    }
}

/// A connection with its client: does what the connection asks for and writes
/// down what is seen from outside.
private struct ScriptedClient {
    var connection: HTTPConnection
    var now: MonotonicTime
    var takesAnswers = true
    private(set) var log: [String] = []
    private(set) var received = ""
    private let date = HTTPDate(second: 784_111_777)

    init(limits: HTTPLimits = HTTPLimits()) {
        now = .now
        connection = HTTPConnection(limits: limits, remoteAddress: "127.0.0.1", at: now)
    }

    mutating func send(_ text: String) {
        connection.receive(Array(text.utf8).span, at: now)
        run()
    }

    mutating func end() {
        connection.receiveEnd()
        run()
    }

    mutating func drain() {
        connection.drain()
        run()
    }

    mutating func respond(
        _ body: String, headers: HTTPHeaders = [:], delivery: HTTPResponse.Delivery = .whole
    ) {
        var response = HTTPResponse(status: .ok, headers: headers, body: Array(body.utf8))
        response.delivery = delivery
        connection.respond(with: response, date: date, at: now)
        run()
    }

    mutating func advance(_ duration: Duration) {
        now = now + duration
        connection.timeOut(at: now)
        run()
    }

    mutating func run() {
        while true {
            switch connection.next(date: date, at: now) {
            case .handle(let request):
                let body = String(decoding: request.body, as: UTF8.self)
                log.append("\(request.method) \(request.target)\(body.isEmpty ? "" : " ")\(body)")
            case .report(let error): log.append("refused \(error.status.rawValue)")
            case .send:
                guard takesAnswers else { return }
                let rest = connection.output.bytes[connection.output.sentCount...]
                received += String(decoding: rest, as: UTF8.self)
                connection.sent(rest.count, at: now)
            case .shutDownSending: log.append("shut down sending")
            case .close:
                log.append("close")
                return
            case .wait: return
            }
        }
    }
}
