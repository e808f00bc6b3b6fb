import Dispatch
import Synchronization
import TestSupport
import XCTest

@testable import HTTPServer

/// Connections that are kept for further requests, by clients that are slow or a proxy that is.
final class KeepAliveTests: XCTestCase {
    private let post = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n"

    /// What a server did.
    private final class Witness: Sendable {
        struct State {
            var handled: [String] = []
            var closed = 0
        }
        let state = Mutex(State())
        var handled: [String] { state.withLock(\.handled) }
        var closed: Int { state.withLock(\.closed) }
    }

    private func start(_ witness: Witness, keepAlive: Duration) throws -> HTTPServer {
        var limits = HTTPLimits()
        limits.keepAliveTimeout = keepAlive
        let server = try HTTPServer(
            listen: ListenAddress(host: "127.0.0.1", port: 0), limits: limits,
            handler: { request in
                witness.state.withLock { $0.handled.append(String(decoding: request.body, as: UTF8.self)) }
                return .immediate(HTTPResponse(status: .ok, body: Array("<done>".utf8)))
            },
            observer: { event in
                if case .connectionClosed = event { witness.state.withLock { $0.closed += 1 } }
            })
        try server.start()
        return server
    }

    /// nginx keeps a connection for 75 seconds, Caddy for 120: who sends must be the one that ends it, since only it
    /// knows whether it is about to send.
    func testAConnectionIsKeptLongerThanProxiesKeepIt() {
        XCTAssertGreaterThan(HTTPLimits().keepAliveTimeout, .seconds(120))
    }

    /// The server ends a connection at the moment at which a proxy sends a request over it: the request arrives when
    /// nobody is there any more. It is not handled, not even in part, and can be sent again.
    func testARequestThatADelayingProxyBringsTooLateIsNotHandledAndCanBeRepeated() throws {
        let witness = Witness()
        let server = try start(witness, keepAlive: .milliseconds(100))
        let holds = Atomic(false)
        let goesOn = DispatchSemaphore(value: 0)
        let proxy = try TCPProxy(
            to: server.boundAddress.port,
            fromClient: { bytes in
                if holds.load(ordering: .acquiring) { goesOn.wait() }
                return .forward(bytes)
            })
        let client = try TestClient(port: proxy.port)
        client.send(post + "once")
        XCTAssertNotNil(client.receive(until: "<done>"))
        holds.store(true, ordering: .releasing)
        client.send(post + "late")
        XCTAssertTrue(eventually { witness.closed == 1 }, "the idle connection was not closed")
        holds.store(false, ordering: .releasing)
        goesOn.signal()
        // The end of the connection or a reset, but no response.
        XCTAssertTrue([nil, ""].contains(client.receive()))
        XCTAssertEqual(witness.handled, ["once"])

        let again = try TestClient(port: proxy.port)
        again.send(post + "late")
        XCTAssertNotNil(again.receive(until: "<done>"))
        XCTAssertEqual(witness.handled, ["once", "late"])
        proxy.stop()
        withExtendedLifetime(server) {}
    }

    /// What has begun is not idle: a proxy may bring the rest as late as the limits of heads and bodies allow.
    func testARequestThatHasBegunInTimeIsHandledWhenItsRestComes() throws {
        let witness = Witness()
        let server = try start(witness, keepAlive: .milliseconds(50))
        let parts = Atomic(0)
        let goesOn = DispatchSemaphore(value: 0)
        let proxy = try TCPProxy(
            to: server.boundAddress.port,
            fromClient: { bytes in
                if parts.wrappingAdd(1, ordering: .relaxed).newValue == 3 { goesOn.wait() }
                return .forward(bytes)
            })
        let other = try TestClient(port: server.boundAddress.port)
        other.send(post + "once")
        XCTAssertNotNil(other.receive(until: "<done>"))
        let client = try TestClient(port: proxy.port)
        client.send(post + "once")
        XCTAssertNotNil(client.receive(until: "<done>"))
        client.send(post)
        XCTAssertTrue(eventually { parts.load(ordering: .relaxed) == 2 })
        client.send("late")
        // By then the keep-alive time of the one that was idle, and begun before, is over.
        XCTAssertTrue(eventually { witness.closed == 1 })
        goesOn.signal()
        XCTAssertNotNil(client.receive(until: "<done>"))
        XCTAssertEqual(witness.handled, ["once", "once", "late"])
        proxy.stop()
        withExtendedLifetime(server) {}
    }
}
