import Dispatch
import Synchronization
import TestSupport
import XCTest

@testable import HTTPServer

/// What strangers may hold of a server's memory, and what they may not take from
/// others.
final class HTTPMemoryTests: XCTestCase {
    // MARK: The bound

    func testEveryConnectionHasItsShareWhateverOthersHold() {
        let memory = HTTPMemory(bytes: 1_000, connections: 10)
        XCTAssertEqual(memory.share, 50)
        XCTAssertTrue(memory.change(by: 500))
        XCTAssertFalse(memory.change(by: 1))
        XCTAssertTrue(memory.change(by: 0), "no more than the share")
        XCTAssertTrue(memory.change(by: -2))
        XCTAssertTrue(memory.change(by: 1))
    }

    func testRequestsAtAHandlerCountUntilItHasAnsweredAlsoWhereTheClientIsGone() throws {
        let memory = HTTPMemory(bytes: 1_000, connections: 10)
        var table = ConnectionTable(memory: memory)
        let address = try XCTUnwrap(SocketAddress.resolve(ListenAddress(host: "127.0.0.1", port: 0)).first)
        let machine = HTTPConnection(limits: HTTPLimits(), remoteAddress: "", at: .now)
        let connection = table.add(try Socket.listen(at: address), from: nil, machine)
        connection.bytesAtHandler = 550
        XCTAssertTrue(table.countBytes(of: connection))
        XCTAssertFalse(memory.change(by: 1))
        _ = memory.change(by: -1)
        table.remove(connection)
        XCTAssertFalse(memory.change(by: 1))
        _ = memory.change(by: -1)
        XCTAssertNil(table.noteResponse(to: connection.id))
        XCTAssertTrue(memory.change(by: 500))
    }

    func testFreeMemoryIsReturnedOnceMuchOfItIsFree() throws {
        var table = ConnectionTable(memory: HTTPMemory(bytes: 1 << 30, connections: 10))
        let address = try XCTUnwrap(SocketAddress.resolve(ListenAddress(host: "127.0.0.1", port: 0)).first)
        let machine = HTTPConnection(limits: HTTPLimits(), remoteAddress: "", at: .now)
        let connection = table.add(try Socket.listen(at: address), from: nil, machine)
        for _ in 0..<2 {
            connection.bytesAtHandler = 100 << 20
            table.countBytes(of: connection)
            XCTAssertFalse(table.shouldReturnMemory())
            connection.bytesAtHandler = nil
            table.countBytes(of: connection)
            XCTAssertTrue(table.shouldReturnMemory())
            XCTAssertFalse(table.shouldReturnMemory())
        }
    }

    // MARK: Over sockets

    private static let body = [UInt8](repeating: 0x78, count: 100_000)

    /// Room for the bodies of five clients, apart from the shares.
    private func start(
        allowance: HTTPServer.Allowance? = nil, handler: @escaping HTTPServer.Handler
    ) throws -> (server: HTTPServer, port: UInt16) {
        var limits = HTTPLimits()
        limits.connections = 100
        limits.heldBytes = 1_000_000
        let server = try HTTPServer(
            listen: ListenAddress(host: "127.0.0.1", port: 0), limits: limits, handler: handler, allowance: allowance)
        try server.start()
        return (server, server.boundAddress.port)
    }

    private static func length(_ request: HTTPRequest) -> HTTPResponse {
        HTTPResponse(status: .ok, body: Array("<\(request.body.count)>".utf8))
    }

    private func head(_ length: Int) -> String { "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\n" }

    func testUnfinishedBodiesTakeAllButTheShareOfOthers() throws {
        let (server, port) = try start { .immediate(Self.length($0)) }
        var greedy: [TestClient] = []
        var rejected = 0
        for _ in 0..<10 {
            let client = try TestClient(port: port)
            client.send(head(100_001))
            client.send(Self.body)
            greedy.append(client)
        }
        XCTAssertTrue(eventually { greedy.count { $0.hasInput(within: 0) } >= 4 })
        for client in greedy where client.hasInput(within: 100) {
            XCTAssertEqual(client.receive()?.hasPrefix("HTTP/1.1 503 "), true)
            rejected += 1
        }
        XCTAssertTrue((4...9).contains(rejected), "\(rejected)")
        let modest = try TestClient(port: port)
        modest.send(head(1_000))
        modest.send([UInt8](repeating: 0x78, count: 1_000))
        XCTAssertNotNil(modest.receive(until: "<1000>"))
        // What was rejected or has gone is held no more.
        greedy = []
        try assertServed(100_000, port)
        withExtendedLifetime(server) {}
    }

    private func assertServed(_ length: Int, _ port: UInt16) throws {
        XCTAssertTrue(
            try eventually {
                let client = try TestClient(port: port)
                client.send(head(length))
                client.send([UInt8](repeating: 0x78, count: length))
                return client.receive(until: "<\(length)>") != nil
            })
    }

    func testBodiesThatAreCompleteCountWhileTheyWaitForAHandler() throws {
        let goesOn = DispatchSemaphore(value: 0)
        let (server, port) = try start { request in
            .offloaded {
                if request.body.count > 65_536 { goesOn.wait() }
                return .immediate(Self.length(request))
            }
        }
        let greedy = try (0..<10).map { _ in
            let client = try TestClient(port: port)
            client.send(head(100_000))
            client.send(Self.body)
            return client
        }
        XCTAssertTrue(eventually { greedy.count { $0.hasInput(within: 0) } >= 4 })
        let rejected = greedy.filter { $0.hasInput(within: 100) }
        for client in rejected { XCTAssertEqual(client.receive()?.hasPrefix("HTTP/1.1 503 "), true) }
        XCTAssertTrue((4...9).contains(rejected.count), "\(rejected.count)")
        // Long work waits for long work, but short work does not.
        let modest = try TestClient(port: port)
        modest.send(head(1_000))
        modest.send([UInt8](repeating: 0x78, count: 1_000))
        XCTAssertNotNil(modest.receive(until: "<1000>"))
        for _ in 0..<20 { goesOn.signal() }
        for client in greedy where !rejected.contains(where: { $0 === client }) {
            XCTAssertNotNil(client.receive(until: "<100000>"))
        }
        try assertServed(100_000, port)
        withExtendedLifetime(server) {}
    }

    func testWhoDoesNotReadAnswersIsNotReadFrom() throws {
        let answered = Mutex(0)
        let (server, port) = try start { request in
            guard request.body.isEmpty else { return .immediate(Self.length(request)) }
            answered.withLock { $0 += 1 }
            return .offloaded { .immediate(HTTPResponse(status: .ok, body: [UInt8](repeating: 0x78, count: 2_000))) }
        }
        let client = try TestClient(port: port)
        let request = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        Thread.detachNewThread { for _ in 0..<20_000 { client.send(request) } }
        // Until nothing is taken any more: the kernel's buffers are full.
        var before = -1
        XCTAssertTrue(
            eventually {
                let now = answered.withLock { $0 }
                defer { before = now }
                usleep(50_000)
                return now > 0 && now == before
            })
        XCTAssertLessThan(answered.withLock { $0 }, 20_000)
        try assertServed(100_000, port)
        withExtendedLifetime(server) {}
    }

    // MARK: Long bodies

    private static let allowance: HTTPServer.Allowance = { request in
        BodyAllowance(bytes: request.path == "/long" ? 200_000 : 0) {
            HTTPResponse(status: .ok, body: Array("<not \(request.path)>".utf8))
        }
    }

    func testALongBodyIsRefusedBeforeItIsReadUnlessItIsAllowed() throws {
        let (server, port) = try start(allowance: Self.allowance) { .immediate(Self.length($0)) }
        for (path, length, response) in [
            ("/", 65_536, "<65536>"), ("/", 65_537, "<not />"), ("/long", 200_000, "<200000>"),
            ("/long", 200_001, "<not /long>"),
        ] {
            let client = try TestClient(port: port)
            client.send("POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\n")
            if !response.contains("not") { client.send([UInt8](repeating: 0x78, count: length)) }
            XCTAssertNotNil(client.receive(until: response), response)
        }
        withExtendedLifetime(server) {}
    }

    func testABodyOfUnknownLengthIsRefusedOnceItIsTooLong() throws {
        let (server, port) = try start(allowance: Self.allowance) { .immediate(Self.length($0)) }
        for (path, chunks, response) in [
            ("/", 4, "<64000>"), ("/", 5, "<not />"), ("/long", 12, "<192000>"), ("/long", 13, "<not /long>"),
        ] {
            let client = try TestClient(port: port)
            client.send("POST \(path) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<chunks {
                client.send("3e80\r\n")
                client.send([UInt8](repeating: 0x78, count: 16_000))
                client.send("\r\n")
            }
            if !response.contains("not") { client.send("0\r\n\r\n") }
            XCTAssertNotNil(client.receive(until: response), response)
        }
        withExtendedLifetime(server) {}
    }

    func testWhatWaitsForAHandlerIsAnsweredThoughWhatFollowsHasNoRoom() {
        let now = MonotonicTime.now
        let date = HTTPDate(second: 0)
        var connection = HTTPConnection(limits: HTTPLimits(), remoteAddress: "", at: now)
        let requests = ["/a", "/b"].map { "GET \($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined()
        connection.receive(Array(requests.utf8).span, at: now)
        guard case .handle = connection.next(date: date, at: now) else { return XCTFail("not handled") }
        connection.rejectForLackOfMemory()
        connection.respond(with: HTTPResponse(status: .ok, body: Array("done".utf8)), date: date, at: now)
        let output = String(decoding: connection.output.bytes, as: UTF8.self)
        XCTAssertTrue(output.hasSuffix("done"), output)
        XCTAssertTrue(output.contains("Connection: close"), output)
        connection.sent(connection.output.bytes.count, at: now)
        guard case .shutDownSending = connection.next(date: date, at: now) else { return XCTFail("not ended") }
    }
}
