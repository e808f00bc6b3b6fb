import Glibc
import Synchronization
import TLS
import TestSupport
import XCTest

@testable import HTTPServer

/// HTTPS over real sockets, with clients good and bad.
final class TLSConnectionTests: XCTestCase {
    private let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

    // MARK: Good clients

    func testAnswersPipelinesInOrder() throws {
        let https = try TLSTestServer()
        let client = try https.connect()
        let paths = (0..<500).map { "/\($0)" }
        client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
        let response = try XCTUnwrap(client.receive(until: "</499>"))
        XCTAssertEqual(response.matches(of: /<(.*?)>/).map { String($0.1) }, paths)
    }

    func testServesABodyOfTheLimitAndRefusesOneByteMoreReadably() throws {
        let https = try TLSTestServer()
        let limit = HTTPLimits().bodyBytes
        let client = try https.connect()
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(limit)\r\n\r\n")
        client.send([UInt8](repeating: 0x78, count: limit))
        XCTAssertNotNil(try client.receive(until: "<\(limit)>"))
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(limit + 1)\r\n\r\n")
        client.send([UInt8](repeating: 0x78, count: limit + 1))
        let rejection = try XCTUnwrap(client.receive())
        XCTAssertTrue(rejection.hasPrefix("HTTP/1.1 413 "), rejection)
    }

    func testSendsALargeAnswerToAClientThatReadsLate() throws {
        let body = [UInt8](repeating: 0x78, count: 20 * 1024 * 1024)
        let https = try TLSTestServer { _ in .immediate(HTTPResponse(status: .ok, body: body)) }
        let client = try https.connect()
        client.send(TLSTestServer.lastRequest)
        // The other client gets its response while the first one's waits to be read.
        let other = try https.connect()
        other.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        XCTAssertNotNil(try other.receive(until: "\r\n\r\n"))
        XCTAssertGreaterThan(try XCTUnwrap(client.receive()).utf8.count, body.count)
    }

    func testAHandshakeThatComesByteByByteIsWhole() throws {
        let https = try TLSTestServer()
        let client = try TLSTestClient(port: https.port, made: https.made, piecesOf: 1)
        client.send(get)
        XCTAssertNotNil(try client.receive(until: "</>"))
    }

    func testSaysInTLSThatItSendsNoMore() throws {
        var limits = HTTPLimits()
        limits.keepAliveTimeout = .milliseconds(50)
        let https = try TLSTestServer(limits: limits)
        let told = try https.connect()
        told.send(TLSTestServer.lastRequest)
        XCTAssertEqual(try told.receive()?.hasSuffix("</>"), true)
        XCTAssertTrue(told.hasEnded)
        let idle = try https.connect()
        idle.send(get)
        XCTAssertEqual(try idle.receive()?.hasSuffix("</>"), true)
        XCTAssertTrue(idle.hasEnded)
    }

    func testAnswersAClientThatHasEndedItsHalf() throws {
        let https = try TLSTestServer()
        let polite = try https.connect()
        polite.send(get)
        polite.end()
        XCTAssertEqual(try polite.receive()?.hasSuffix("</>"), true)
        // Without a word in TLS: the request is whole by its own length.
        let terse = try https.connect()
        terse.send(get)
        terse.socket.endSending()
        XCTAssertEqual(try terse.receive()?.hasSuffix("</>"), true)
    }

    func testDrainingEndsIdleConnectionsPolitely() throws {
        let https = try TLSTestServer()
        let idle = try https.connect()
        idle.send(get)
        XCTAssertNotNil(try idle.receive(until: "</>"))
        let drained = expectation(description: "drained")
        Task {
            await https.server.drain(within: .seconds(10))
            drained.fulfill()
        }
        XCTAssertEqual(try idle.receive(), "")
        XCTAssertTrue(idle.hasEnded)
        wait(for: [drained], timeout: 10)
    }

    // MARK: Rude clients

    func testPlainHTTPIsToldWhatIsWrong() throws {
        let https = try TLSTestServer()
        let client = try TestClient(port: https.port)
        client.send(get)
        let response = try XCTUnwrap(client.receive())
        XCTAssertTrue(response.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), response)
        XCTAssertTrue(response.contains("this port speaks HTTPS only"), response)
        XCTAssertEqual(https.reported.count, 1)
    }

    func testWhatIsNeitherTLSNorHTTPIsCutOffAndReported() throws {
        let https = try TLSTestServer()
        let nonsense: [[UInt8]] = [
            [UInt8](repeating: 0xFF, count: 100), [0x16, 0x03, 0x01, 0xFF, 0xFF, 0x01], [0x80] + [UInt8](1...40),
            [0x16, 0x03, 0x01, 0x00, 0x05] + Array("Hello".utf8), [UInt8](repeating: 0, count: 100_000),
            [0x17, 0x03, 0x03, 0x00, 0x01, 0x00], [0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x28],
        ]
        for bytes in nonsense {
            let client = try TestClient(port: https.port)
            client.send(bytes)
            client.endSending()
            XCTAssertNotNil(client.receive(), "\(bytes.prefix(8)) was answered with a reset")
        }
        XCTAssertEqual(https.reported.count, nonsense.count, "\(https.reported)")
    }

    func testNonsenseInTheMiddleEndsTheConnection() throws {
        let https = try TLSTestServer()
        let client = try https.connect()
        client.send(get)
        XCTAssertNotNil(try client.receive(until: "</>"))
        client.socket.send([0x17, 0x03, 0x03, 0x00, 0x20] + [UInt8](repeating: 7, count: 32))
        XCTAssertThrowsError(try client.receive()) { error in
            XCTAssertEqual((error as? TLSTestClient.Failure)?.reason.contains("alert bad record mac"), true, "\(error)")
        }
        XCTAssertTrue(eventually { https.reported.count == 1 })
    }

    func testEndsAHandshakeThatIsNotWholeInTime() throws {
        var limits = HTTPLimits()
        limits.headTimeout = .milliseconds(200)
        let https = try TLSTestServer(limits: limits)
        let silent = try TestClient(port: https.port)
        let half = try TestClient(port: https.port)
        half.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
        let start = ContinuousClock.now
        let dripping = try TestClient(port: https.port)
        dripping.send([0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3F, 0xFC])
        while !dripping.hasInput(within: 10), start.duration(to: .now) < .seconds(8) { dripping.send([3]) }
        // A handshake that is whole is no excuse for sending no request.
        let mute = try https.connect()
        XCTAssertEqual(try mute.receive(), "")
        for client in [silent, half] { XCTAssertEqual(client.receive(), "") }
        XCTAssertLessThan(start.duration(to: .now), .seconds(8))
    }

    func testResetsInTheHandshakeLeaveNoDescriptorAndNoHarm() throws {
        let https = try TLSTestServer()
        let first = try https.connect()
        first.send(get)
        XCTAssertNotNil(try first.receive(until: "</>"))
        let session = try TLSClientContext(authorities: https.made.authority.certificate).session(with: "127.0.0.1")
        _ = session.receive([UInt8]().span) { _ in }
        let hello = session.output
        let before = try openDescriptors()
        for number in 0..<2_000 {
            let client = try TestClient(port: https.port)
            client.resetAtClose()
            client.send(Array(hello.prefix(number % (hello.count + 1))))
            // Some wait for the server's half.
            if number.isMultiple(of: 400) { client.send(hello) }
        }
        let client = try https.connect()
        client.send(get)
        XCTAssertNotNil(try client.receive(until: "</>"))
        XCTAssertTrue(try eventually { try openDescriptors() <= before + 2 })
    }

    func testARequestThatIsCutOffIsNotHandled() throws {
        let calls = Atomic(0)
        let https = try TLSTestServer { _ in
            calls.add(1, ordering: .relaxed)
            return .immediate(HTTPResponse(status: .ok))
        }
        for isPolite in [true, false] {
            let client = try https.connect()
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345")
            if isPolite { client.end() } else { client.socket.endSending() }
            XCTAssertEqual(try client.receive(), "")
        }
        XCTAssertEqual(calls.load(ordering: .relaxed), 0)
    }

    func testAClientThatDoesNotReadIsNotReadFrom() throws {
        let calls = Atomic(0)
        let body = [UInt8](repeating: 0x78, count: 1024 * 1024)
        let https = try TLSTestServer { request in
            guard request.path == "/large" else {
                return .immediate(HTTPResponse(status: .ok, body: Array("<ok>".utf8)))
            }
            calls.add(1, ordering: .relaxed)
            return .immediate(HTTPResponse(status: .ok, body: body))
        }
        let greedy = try https.connect()
        greedy.send(String(repeating: "GET /large HTTP/1.1\r\nHost: h\r\n\r\n", count: 2_000))
        for _ in 0..<20 {
            let other = try https.connect()
            other.send(get)
            XCTAssertNotNil(try other.receive(until: "<ok>"))
        }
        // So much as the sockets hold.
        XCTAssertLessThan(calls.load(ordering: .relaxed), 50)
        XCTAssertGreaterThan(calls.load(ordering: .relaxed), 0)
    }

    func testAClientThatTakesNothingOfItsAnswerIsCutOff() throws {
        var limits = HTTPLimits()
        limits.writeStallTimeout = .milliseconds(200)
        let body = [UInt8](repeating: 0x78, count: 20 * 1024 * 1024)
        let https = try TLSTestServer(limits: limits) { _ in .immediate(HTTPResponse(status: .ok, body: body)) }
        let before = try openDescriptors()
        let client = try https.connect()
        client.send(get)
        XCTAssertTrue(try eventually { try openDescriptors() == before + 1 }, "only the client's socket is left")
        XCTAssertNil(try client.receive(), "the answer seems whole")
    }
}
