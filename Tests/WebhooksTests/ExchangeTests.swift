import APIClient
import HTTPServer
import RequestSigning
import SessionKill
import TLS
import TestSupport
import XCTest

@testable import Webhooks

/// What an attempt does with receivers that do not behave.
final class ExchangeTests: XCTestCase {
    private func deliver(
        to port: UInt16, path: String = "/hook", scheme: String = "http", format: WebhookFormat = .standard,
        allowed: [IPNetwork] = [], listeners: [ListenAddress] = [], authorities: String? = nil,
        within time: Duration = .seconds(10)
    ) throws -> DeliveryResult {
        var target = try WebhookTarget.sample(format, address: "\(scheme)://127.0.0.1:\(port)\(path)")
        target.allowed = allowed
        target.trust.authorities = authorities
        var limits = WebhookExchange.Limits()
        (limits.connecting, limits.whole) = (time, time)
        let exchange = WebhookExchange(to: target, limits: limits, listeners: { listeners })
        let now = UnixTime(milliseconds: 1_790_000_000_000)
        return exchange.deliver(try WebhookRequest([.asking()], to: target, at: now), at: now)
    }

    func testAReceiverThatSaysYesHasTheWholeMessage() throws {
        let receiver = try Receiver()
        XCTAssertEqual(try deliver(to: receiver.port, path: "/a/b?c=d"), .delivered)
        XCTAssertEqual(receiver.requests.map(\.target), ["/a/b?c=d"])
        XCTAssertTrue(receiver.bodies[0].contains(#""type":"plan.prepared""#))
    }

    func testTwoHundredWithAnErrorInTheBodyIsAFailure() throws {
        let receiver = try Receiver(HTTPResponse(status: .ok, body: Array(#"{"errcode":93000}"#.utf8)))
        XCTAssertEqual(try deliver(to: receiver.port, format: .wecom), .failed(.code(93_000)))
        receiver.answer(HTTPResponse(status: .ok, body: Array(#"{"errcode":0}"#.utf8)))
        XCTAssertEqual(try deliver(to: receiver.port, format: .wecom), .delivered)
    }

    func testARedirectIsNotFollowed() throws {
        let other = try Receiver()
        for status in [301, 302, 303, 307, 308] {
            let receiver = try RawReceiver { client in
                RawReceiver.read(client)
                RawReceiver.write(
                    "HTTP/1.1 \(status) Moved\r\nLocation: http://127.0.0.1:\(other.port)/\r\nContent-Length: 0\r\n\r\n",
                    to: client)
            }
            XCTAssertEqual(try deliver(to: receiver.port), .failed(.redirect(status)))
        }
        XCTAssertEqual(other.requests.count, 0)
    }

    func testAReceiverThatHangsUpOrSaysNothingIsAFailureInTime() throws {
        let start = ContinuousClock.now
        let hangingUp = try RawReceiver { RawReceiver.read($0) }
        XCTAssertEqual(
            try deliver(to: hangingUp.port), .failed(.noAnswer("the receiver ended the connection without an answer")))
        let silent = try RawReceiver { _ in sleep(60) }
        let inTime = Duration.milliseconds(600)
        XCTAssertEqual(
            try deliver(to: silent.port, within: inTime), .failed(.noAnswer("the receiver did not answer in time")))
        // A byte now and then is no answer either.
        let trickling = try RawReceiver { client in
            RawReceiver.write("HTTP/1.1 200 OK\r\n", to: client)
            while RawReceiver.write("X: y\r\n", to: client) { usleep(20_000) }
        }
        XCTAssertEqual(
            try deliver(to: trickling.port, within: inTime), .failed(.noAnswer("the receiver did not answer in time")))
        let nobody = try Receiver().port
        if case .failed(.connection) = try deliver(to: nobody) {} else { XCTFail("somebody was there") }
        // The silent one would say nothing for a minute, and the other would trickle without end.
        XCTAssertLessThan(start.duration(to: .now), .seconds(20))
    }

    func testNoMoreThan64KBOfAnAnswerAreRead() throws {
        let endless = try RawReceiver { client in
            RawReceiver.read(client)
            RawReceiver.write("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", to: client)
            while RawReceiver.write(String(repeating: "x", count: 4_096), to: client) {}
        }
        XCTAssertEqual(try deliver(to: endless.port), .delivered)
        XCTAssertEqual(try deliver(to: endless.port, format: .feishu), .failed(.unknownBody))
        let chunked = try RawReceiver { client in
            RawReceiver.read(client)
            RawReceiver.write("HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked\r\n\r\n", to: client)
            let chunk = "1000\r\n" + String(repeating: "x", count: 4_096) + "\r\n"
            while RawReceiver.write(chunk, to: client) {}
        }
        XCTAssertEqual(try deliver(to: chunked.port), .delivered)
    }

    func testKilldsOwnListenerIsNotCalledUnlessItIsNamed() throws {
        let receiver = try Receiver()
        let own = ListenAddress(host: "127.0.0.1", port: receiver.port)
        XCTAssertEqual(try deliver(to: receiver.port, listeners: [own]), .failed(.address(.killd)))
        XCTAssertEqual(receiver.requests.count, 0)
        let allowed = try XCTUnwrap(IPNetwork("127.0.0.1"))
        XCTAssertEqual(try deliver(to: receiver.port, allowed: [allowed], listeners: [own]), .delivered)
    }

    func testAProxyOfTheEnvironmentIsNotAsked() throws {
        let (proxy, receiver) = (try Receiver(), try Receiver())
        let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        for name in names { setenv(name, "http://127.0.0.1:\(proxy.port)", 1) }
        defer { for name in names { unsetenv(name) } }
        XCTAssertEqual(try deliver(to: receiver.port), .delivered)
        XCTAssertEqual(proxy.requests.count, 0)
    }

    func testOverHTTPSAReceiverHasToProveWhoItIs() async throws {
        let certificates = try TestCertificates()
        let server = try HTTPServer(
            listen: ListenAddress(host: "127.0.0.1", port: 0),
            tls: TLSServerContext(certificate: certificates.server.certificate, privateKey: certificates.server.key)
        ) { _ in .immediate(HTTPResponse(status: .ok)) }
        try server.start()
        let port = server.boundAddress.port
        XCTAssertEqual(
            try deliver(to: port, scheme: "https", authorities: certificates.authority.certificate), .delivered)
        guard case .failed(.connection(let words)) = try deliver(to: port, scheme: "https") else {
            return XCTFail("it was believed")
        }
        XCTAssertTrue(words.hasPrefix("TLS failed"), words)
        await server.drain(within: .zero)
    }
}
