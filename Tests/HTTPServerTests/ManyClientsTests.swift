import FileDescriptors
import Glibc
import Synchronization
import TestSupport
import XCTest

@testable import HTTPServer

/// Thousands of rude and slow clients at once.
final class ManyClientsTests: XCTestCase {
    private static let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    private static let later = "GET /later HTTP/1.1\r\nHost: h\r\n\r\n"
    private static let post = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n"

    private func start(limits: HTTPLimits = HTTPLimits()) throws -> (server: HTTPServer, port: UInt16) {
        let address = ListenAddress(host: "127.0.0.1", port: 0)
        let large = HTTPResponse(status: .ok, body: [UInt8](repeating: 0x78, count: 1_000_000))
        let server = try HTTPServer(listen: address, limits: limits) { request in
            switch request.path {
            case "/later": .async { HTTPResponse(status: .ok, body: Array("<later>".utf8)) }
            case "/large": .immediate(large)
            default: .immediate(HTTPResponse(status: .ok, body: Array("<now>".utf8)))
            }
        }
        try server.start()
        // The first task of a process opens descriptors of its own.
        let first = try TestClient(port: server.boundAddress.port)
        first.send(Self.later)
        XCTAssertNotNil(first.receive(until: "<later>"))
        return (server, server.boundAddress.port)
    }

    func testTwentyThousandResetsAtRandomPointsLeaveNothingBehind() throws {
        let (server, port) = try start()
        let descriptors = try openDescriptors()
        let chunked = "POST /later HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
        let conversations = [
            Self.get, Self.later, Self.get + Self.later + Self.get, Self.post + String(repeating: "x", count: 100),
            chunked, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n", "\u{16}\u{3}\u{1}",
        ].map { Array($0.utf8) }
        var random = randomNumbers()
        func reset(_ count: Int) throws {
            for _ in 0..<count {
                let client = try TestClient(port: port)
                client.resetAtClose()
                let bytes = conversations[Int.random(in: 0..<conversations.count, using: &random)]
                let cut = Int.random(in: 0...bytes.count, using: &random)
                client.send(Array(bytes[..<cut]))
                switch Int.random(in: 0..<4, using: &random) {
                case 0: client.endSending()
                case 1 where cut == bytes.count: _ = client.hasInput(within: 1)
                default: break
                }
            }
        }
        try reset(5_000)
        let memory = try residentKilobytes()
        try reset(15_000)
        let client = try TestClient(port: port)
        client.send(Self.get)
        XCTAssertNotNil(client.receive(until: "<now>"))
        // Both ends of the last connection.
        XCTAssertTrue(try eventually { try openDescriptors() <= descriptors + 2 })
        XCTAssertLessThan(try residentKilobytes(), memory + 4_096)
        withExtendedLifetime(server) {}
    }

    /// The server's part of a connection; the test's own is a descriptor.
    func testAnIdleConnectionHoldsLessThanEightKilobytes() throws {
        var limits = HTTPLimits()
        limits.connections = 2_100
        let (server, port) = try start(limits: limits)
        func connect(_ count: Int) throws -> [TestClient] {
            let clients = try (0..<count).map { _ in try TestClient(port: port) }
            for client in clients {
                client.send(Self.get)
                XCTAssertNotNil(client.receive(until: "<now>"))
            }
            return clients
        }
        let first = try connect(50)
        let memory = try residentKilobytes()
        let many = try connect(2_000)
        XCTAssertLessThan(Double(try residentKilobytes() - memory) / 2_000, 8)
        withExtendedLifetime((server, first, many)) {}
    }

    func testTwoThousandSlowClientsKeepNobodyWaitingAndGiveEverythingBack() throws {
        var limits = HTTPLimits()
        limits.headTimeout = .milliseconds(1_500)
        limits.bodyStallTimeout = .milliseconds(1_500)
        limits.lingerTimeout = .milliseconds(100)
        let (server, port) = try start(limits: limits)
        let client = try TestClient(port: port)
        /// The median of 200 requests.
        func latency(_ before: (Int) -> Void) -> Duration {
            (0..<200).map { number in
                before(number)
                let start = ContinuousClock.now
                client.send(Self.get)
                XCTAssertNotNil(client.receive(until: "<now>"))
                return start.duration(to: .now)
            }.sorted()[100]
        }
        let alone = latency { _ in }
        let descriptors = try openDescriptors()
        let slow = try (0..<2_000).map { number in
            let client = try TestClient(port: port)
            client.send(number.isMultiple(of: 2) ? "GET / HTTP/1.1\r\nHost: h\r\nX: " : "\(Self.post)x")
            return client
        }
        // Bytes that drip in keep the server busy, and no connection open.
        let beside = latency { slow[$0].send("x") }
        // On a busy machine either takes longer.
        XCTAssertLessThan(beside, max(.milliseconds(20), alone * 10))
        for client in slow { XCTAssertEqual(client.receive()?.hasPrefix("HTTP/1.1 408 "), true) }
        // The ends of the 2,000 clients are open still, the server's are not.
        XCTAssertTrue(try eventually { try openDescriptors() <= descriptors + 2_000 })
        withExtendedLifetime((server, slow)) {}
    }

    func testAHandlerWhoseClientIsGoneHoldsItsPlaceUntilItHasAnswered() throws {
        var limits = HTTPLimits()
        limits.connections = 2
        let (open, gate) = AsyncStream.makeStream(of: Never.self)
        let handlers = Atomic(0)
        let server = try HTTPServer(listen: ListenAddress(host: "127.0.0.1", port: 0), limits: limits) { _ in
            handlers.add(1, ordering: .relaxed)
            return .async {
                for await _ in open {}
                return HTTPResponse(status: .ok, body: Array("<done>".utf8))
            }
        }
        try server.start()
        let port = server.boundAddress.port
        for count in 1...2 {
            let client = try TestClient(port: port)
            client.resetAtClose()
            client.send(Self.get)
            XCTAssertTrue(eventually { handlers.load(ordering: .relaxed) == count })
        }
        let third = try TestClient(port: port)
        third.send(Self.get)
        XCTAssertFalse(third.hasInput(within: 200))
        XCTAssertEqual(handlers.load(ordering: .relaxed), 2)
        gate.finish()
        XCTAssertNotNil(third.receive(until: "<done>"))
        withExtendedLifetime(server) {}
    }

    /// With its own limit the kernel takes megabytes of a response at once, and
    /// says for minutes that a steady slow reader takes nothing.
    func testTheKernelHoldsLittleOfAnAnswerThatIsNotTaken() throws {
        let address = try XCTUnwrap(SocketAddress.resolve(ListenAddress(host: "127.0.0.1", port: 0)).first)
        let listener = try Socket.listen(at: address)
        let client = try TestClient(port: try Socket.address(of: listener).numeric.port)
        var accepted: Int32 = 0
        XCTAssertTrue(
            eventually {
                guard case .accepted(let socket, _) = Socket.accept(from: listener) else { return false }
                var length = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(socket.number, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, &accepted, &length)
                return true
            })
        XCTAssertEqual(accepted, 64 * 1024)
        withExtendedLifetime(client) {}
    }
}

/// Memory of this process.
private func residentKilobytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try XCTUnwrap(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return try XCTUnwrap(line.split(separator: " ").compactMap { Int($0) }.first)
}
