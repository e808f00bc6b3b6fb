import Dispatch
import Glibc
import Synchronization
import TestSupport
import XCTest

@testable import HTTPServer

/// The server over real sockets.
final class HTTPServerTests: XCTestCase {
    private let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

    /// Responses with the length of the body, or with the path; paths that begin
    /// with `/later` from a task, those with `/soon` beside the event loop.
    private static let echo: HTTPServer.Handler = { request in
        let text = request.body.isEmpty ? request.path : "\(request.body.count)"
        let response = HTTPResponse(status: .ok, body: Array("<\(text)>".utf8))
        if request.path.hasPrefix("/soon/later") { return .offloaded { .async { response } } }
        if request.path.hasPrefix("/soon") { return .offloaded { .immediate(response) } }
        return request.path.hasPrefix("/later") ? .async { response } : .immediate(response)
    }

    private func start(
        limits: HTTPLimits = HTTPLimits(), handler: @escaping HTTPServer.Handler = echo,
        observer: @escaping HTTPServer.Observer = { _ in }
    ) throws -> (server: HTTPServer, port: UInt16) {
        let address = ListenAddress(host: "127.0.0.1", port: 0)
        let server = try HTTPServer(listen: address, limits: limits, handler: handler, observer: observer)
        try server.start()
        return (server, server.boundAddress.port)
    }

    // MARK: Serving

    func testKeepsAConnectionForManyRequests() throws {
        let (server, port) = try start()
        let client = try TestClient(port: port)
        for path in ["/", "/later", "/soon", "/", "/soon/later", "/later/2"] {
            client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
            let response = try XCTUnwrap(client.receive(until: "<\(path)>"))
            XCTAssertTrue(response.hasPrefix("HTTP/1.1 200 OK\r\nDate: "), response)
        }
        withExtendedLifetime(server) {}
    }

    func testAnswersPipelinesInOrderWhetherAtOnceOrLater() throws {
        let (server, port) = try start()
        let client = try TestClient(port: port)
        let paths = (0..<500).map { ["", "/later", "/soon", "/soon/later"][$0 % 4] + "/\($0)" }
        client.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
        let response = try XCTUnwrap(client.receive(until: "</soon/later/499>"))
        XCTAssertEqual(response.matches(of: /<(.*?)>/).map { String($0.1) }, paths)
        withExtendedLifetime(server) {}
    }

    func testWorkBesideTheEventLoopHoldsUpNoOtherConnection() throws {
        let goesOn = DispatchSemaphore(value: 0)
        let (server, port) = try start { request in
            guard request.path == "/soon" else { return Self.echo(request) }
            return .offloaded {
                goesOn.wait()
                return .immediate(HTTPResponse(status: .ok, body: Array("</soon>".utf8)))
            }
        }
        let (slow, quick) = (try TestClient(port: port), try TestClient(port: port))
        slow.send("GET /soon HTTP/1.1\r\nHost: h\r\n\r\n")
        quick.send("GET /quick HTTP/1.1\r\nHost: h\r\n\r\n")
        XCTAssertNotNil(quick.receive(until: "</quick>"))
        goesOn.signal()
        XCTAssertNotNil(slow.receive(until: "</soon>"))
        withExtendedLifetime(server) {}
    }

    func testEveryClientOfManyGetsTheAnswerToItsOwnRequest() throws {
        let (server, port) = try start()
        let clients = try (0..<100).map { _ in try TestClient(port: port) }
        for turn in 0..<10 {
            for (number, client) in clients.enumerated() {
                client.send("GET /soon/\(turn)/\(number) HTTP/1.1\r\nHost: h\r\n\r\n")
            }
            for (number, client) in clients.enumerated() {
                let response = client.receive(until: "</soon/\(turn)/\(number)>")
                XCTAssertEqual(response?.matches(of: /<.*?>/).count, 1, "\(turn)/\(number)")
            }
        }
        withExtendedLifetime(server) {}
    }

    func testServesABodyOfTheLimitAndRefusesOneByteMoreReadably() throws {
        let (server, port) = try start()
        let limit = HTTPLimits().bodyBytes
        let client = try TestClient(port: port)
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(limit)\r\n\r\n")
        client.send([UInt8](repeating: 0x78, count: limit))
        XCTAssertNotNil(client.receive(until: "<\(limit)>"))

        // Sends all of it before it reads, as most clients do.
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(limit + 1)\r\n\r\n")
        client.send([UInt8](repeating: 0x78, count: limit + 1))
        client.endSending()
        let rejection = try XCTUnwrap(client.receive())
        XCTAssertTrue(rejection.hasPrefix("HTTP/1.1 413 "), rejection)
        withExtendedLifetime(server) {}
    }

    func testServesAChunkedBodyOfTheLimit() throws {
        let (server, port) = try start()
        let client = try TestClient(port: port)
        client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = [UInt8](repeating: 0x78, count: 1024 * 1024)
        for _ in 0..<10 { client.send(Array("100000\r\n".utf8) + chunk + Array("\r\n".utf8)) }
        client.send("0\r\n\r\n")
        XCTAssertNotNil(client.receive(until: "<10485760>"))
        withExtendedLifetime(server) {}
    }

    func testSendsALargeAnswerToAClientThatReadsLate() throws {
        let body = [UInt8](repeating: 0x78, count: 20 * 1024 * 1024)
        let (server, port) = try start { _ in .immediate(HTTPResponse(status: .ok, body: body)) }
        let client = try TestClient(port: port)
        client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        // The other client gets its response while the first one's waits to be read.
        let other = try TestClient(port: port)
        other.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        XCTAssertNotNil(other.receive(until: "\r\n\r\n"))
        let response = try XCTUnwrap(client.receive())
        XCTAssertGreaterThan(response.utf8.count, body.count)
        withExtendedLifetime(server) {}
    }

    func testInvitesTheBodyOfAClientThatAsks() throws {
        let (server, port) = try start()
        let client = try TestClient(port: port)
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        XCTAssertEqual(client.receive(until: "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("abc")
        XCTAssertNotNil(client.receive(until: "<3>"))
        withExtendedLifetime(server) {}
    }

    func testAnswersAClientThatHasEndedItsHalf() throws {
        let (server, port) = try start()
        for path in ["/", "/later", "/soon"] {
            let client = try TestClient(port: port)
            client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
            client.endSending()
            XCTAssertEqual(client.receive()?.hasSuffix("<\(path)>"), true)
        }
        withExtendedLifetime(server) {}
    }

    func testTellsTheHandlerTheAddressOfTheClient() throws {
        let (server, port) = try start { request in
            .immediate(HTTPResponse(status: .ok, body: Array("<\(request.remoteAddress)>".utf8)))
        }
        let client = try TestClient(port: port)
        client.send(get)
        XCTAssertNotNil(client.receive(until: "<127.0.0.1>"))
        withExtendedLifetime(server) {}
    }

    // MARK: Rude clients

    func testRefusesNonsenseReadablyAndReportsIt() throws {
        let reported = Mutex<[String]>([])
        let (server, port) = try start(observer: { event in
            guard case .rejected(let error, let address) = event else { return }
            reported.withLock { $0.append("\(error.status.rawValue) \(address)") }
        })
        for nonsense in ["\u{16}\u{3}\u{1}", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nX : y\r\n\r\n"] {
            let client = try TestClient(port: port)
            client.send(nonsense)
            let response = try XCTUnwrap(client.receive())
            XCTAssertTrue(response.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), response)
        }
        XCTAssertEqual(reported.withLock { $0 }, Array(repeating: "400 127.0.0.1", count: 3))
        withExtendedLifetime(server) {}
    }

    func testTellsOnceOfEachConnectionThatOpensAndCloses() async throws {
        let told = Mutex((opened: 0, closed: 0))
        let (server, port) = try start(observer: { event in
            told.withLock { told in
                switch event {
                case .connectionOpened: told.opened += 1
                case .connectionClosed: told.closed += 1
                default: break
                }
            }
        })
        for (count, farewell) in [(1, ""), (2, "Connection: close\r\n"), (3, "X : y\r\n")] {
            let client = try TestClient(port: port)
            if farewell.isEmpty { client.resetAtClose() }
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\(farewell)\r\n")
            XCTAssertTrue(client.hasInput(within: 10_000))
            XCTAssertEqual(told.withLock(\.opened), count)
        }
        try await eventually("the end of two") { told.withLock { $0.closed >= 2 } }
        let stays = try TestClient(port: port)
        stays.send(get)
        XCTAssertTrue(stays.hasInput(within: 10_000))
        await server.drain(within: .seconds(1))
        XCTAssertTrue(told.withLock { $0 == (4, 4) })
    }

    func testEndsAHeadThatDrips() throws {
        var limits = HTTPLimits()
        limits.headTimeout = .milliseconds(200)
        let (server, port) = try start(limits: limits)
        let client = try TestClient(port: port)
        let start = ContinuousClock.now
        client.send("GET / HTTP/1.1\r\nHost: h\r\nX: ")
        while !client.hasInput(within: 10), start.duration(to: .now) < .seconds(8) { client.send("x") }
        let response = try XCTUnwrap(client.receive())
        XCTAssertTrue(response.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"), response)
        XCTAssertLessThan(start.duration(to: .now), .seconds(8))
        withExtendedLifetime(server) {}
    }

    func testConnectionsAboveTheLimitWaitForTheirTurn() throws {
        var limits = HTTPLimits()
        limits.connections = 2
        let (server, port) = try start(limits: limits)
        var clients = try (0..<2).map { _ in try TestClient(port: port) }
        for client in clients {
            client.send(get)
            XCTAssertNotNil(client.receive(until: "</>"))
        }
        let third = try TestClient(port: port)
        third.send("GET /third HTTP/1.1\r\nHost: h\r\n\r\n")
        // The server responds to the others, so it has seen that a third one waits.
        for client in clients {
            client.send(get)
            XCTAssertNotNil(client.receive(until: "</>"))
        }
        let computed = processorSeconds()
        XCTAssertFalse(third.hasInput(within: 200))
        XCTAssertLessThan(processorSeconds() - computed, 0.1, "the server spins")
        clients.removeLast()
        XCTAssertNotNil(third.receive(until: "</third>"))
        withExtendedLifetime(server) {}
    }

    func testSurvivesTheLackOfDescriptors() throws {
        let pauses = Atomic(0)
        let (server, port) = try start(observer: { event in
            if case .acceptingPaused = event { pauses.add(1, ordering: .relaxed) }
        })
        let client = try TestClient()
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        var none = limit
        none.rlim_cur = 3
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none)
        defer { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) }
        try client.connect(to: port)
        client.send(get)
        XCTAssertTrue(eventually { pauses.load(ordering: .relaxed) > 0 })
        let computed = processorSeconds()
        XCTAssertFalse(client.hasInput(within: 200))
        XCTAssertLessThan(processorSeconds() - computed, 0.1, "the server spins")
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        XCTAssertNotNil(client.receive(until: "</>"))
        withExtendedLifetime(server) {}
    }

    // MARK: Beginning and end

    func testDrainingFinishesWhatIsInFlightAndRefusesWhatIsNew() throws {
        let (open, gate) = AsyncStream.makeStream(of: Never.self)
        let isHandling = expectation(description: "the handler was called")
        let (server, port) = try start { _ in
            .async {
                isHandling.fulfill()
                for await _ in open {}
                return HTTPResponse(status: .ok, body: Array("<done>".utf8))
            }
        }
        // First: connections are accepted in their order, and one that was not is reset.
        let idle = try TestClient(port: port)
        let busy = try TestClient(port: port)
        busy.send(get)
        wait(for: [isHandling], timeout: 10)

        let drained = expectation(description: "drained")
        Task {
            await server.drain(within: .seconds(10))
            drained.fulfill()
        }
        XCTAssertEqual(idle.receive(), "")
        XCTAssertThrowsError(try TestClient(port: port))
        gate.finish()
        let response = try XCTUnwrap(busy.receive())
        XCTAssertTrue(response.contains("Connection: close\r\n") && response.hasSuffix("<done>"), response)
        busy.endSending()
        wait(for: [drained], timeout: 10)
    }

    func testDrainingEndsAtItsDeadlineWhateverIsInFlight() throws {
        let (open, gate) = AsyncStream.makeStream(of: Never.self)
        let isHandling = expectation(description: "the handler was called")
        let (server, port) = try start { _ in
            .async {
                isHandling.fulfill()
                for await _ in open {}
                return HTTPResponse(status: .ok)
            }
        }
        let client = try TestClient(port: port)
        client.send(get)
        wait(for: [isHandling], timeout: 10)
        let drained = expectation(description: "drained, twice")
        drained.expectedFulfillmentCount = 2
        Task {
            await server.drain(within: .milliseconds(100))
            drained.fulfill()
            await server.drain(within: .seconds(100))
            drained.fulfill()
        }
        wait(for: [drained], timeout: 10)
        gate.finish()
    }

    func testAServerThatIsReleasedGivesEverythingBack() throws {
        let before = try openDescriptors()
        do {
            let (server, port) = try start()
            let client = try TestClient(port: port)
            client.send(get)
            XCTAssertNotNil(client.receive(until: "</>"))
            _ = try HTTPServer(listen: ListenAddress(host: "127.0.0.1", port: 0), handler: Self.echo)
            withExtendedLifetime(server) {}
        }
        XCTAssertTrue(try eventually { try openDescriptors() <= before })
    }

    func testDrainingAServerThatWasNeverStartedIsImmediate() async throws {
        let address = ListenAddress(host: "127.0.0.1", port: 0)
        let server = try HTTPServer(listen: address, handler: Self.echo)
        await server.drain(within: .seconds(100))
        let again = try HTTPServer(listen: server.boundAddress, handler: Self.echo)
        XCTAssertEqual(again.boundAddress, server.boundAddress)
    }

    func testAnAddressThatCannotBeHadIsNamed() throws {
        let (server, port) = try start()
        let taken = ListenAddress(host: "127.0.0.1", port: port)
        XCTAssertThrowsError(try HTTPServer(listen: taken, handler: Self.echo)) {
            XCTAssertEqual(
                "\($0)",
                "cannot listen at 127.0.0.1:\(port): the address is in use; `ss -ltnp` names the program that listens "
                    + "there: end it, or take another port")
        }
        let foreign = ListenAddress(host: "192.0.2.1", port: 0)
        XCTAssertThrowsError(try HTTPServer(listen: foreign, handler: Self.echo)) {
            XCTAssertEqual(($0 as? ListenError)?.reason, .notOfThisMachine)
        }
        let unknown = ListenAddress(host: "no such host", port: 0)
        XCTAssertThrowsError(try HTTPServer(listen: unknown, handler: Self.echo)) {
            XCTAssertEqual(($0 as? ListenError)?.address, unknown)
        }
        withExtendedLifetime(server) {}
    }

    func testListensAtNamesAndAtIPv6() throws {
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo("localhost", nil, nil, &found)
        if let found { freeaddrinfo(found) }
        guard result == 0 else {
            throw XCTSkip("this machine has no name localhost (no /etc/hosts)")
        }
        for host in ["localhost", "::1"] {
            let server = try HTTPServer(listen: ListenAddress(host: host, port: 0), handler: Self.echo)
            XCTAssertTrue(["127.0.0.1", "::1"].contains(server.boundAddress.host))
            XCTAssertNotEqual(server.boundAddress.port, 0)
        }
    }
}
