import Synchronization
import TestSupport
import XCTest

@testable import HTTPServer

/// Whose word is taken for who a client is.
final class TrustedProxyTests: XCTestCase {
    // MARK: Addresses

    func testNetworksHoldTheAddressesThatBeginAlike() throws {
        let cases: [(network: String, inside: [String], outside: [String])] = [
            (
                "10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
                ["11.0.0.0", "9.255.255.255", "::a00:1"]
            ),
            ("192.0.2.7", ["192.0.2.7", "::ffff:192.0.2.7"], ["192.0.2.6"]),
            ("192.0.2.8/31", ["192.0.2.8", "192.0.2.9"], ["192.0.2.10", "192.0.2.7"]),
            ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db9::", "10.0.0.1"]),
            ("2001:db8::1", ["2001:db8::1"], ["2001:db8::2"]),
            ("::1", ["::1"], ["127.0.0.1"]),
        ]
        for (text, inside, outside) in cases {
            let network = try XCTUnwrap(IPNetwork(text), text)
            XCTAssertEqual(IPNetwork(network.description), network)
            for address in inside { XCTAssertTrue(network.contains(try XCTUnwrap(IPAddress(address))), address) }
            for address in outside { XCTAssertFalse(network.contains(try XCTUnwrap(IPAddress(address))), address) }
        }
    }

    func testWhatIsNoNetworkIsRefused() {
        for text in [
            "", "10", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/", "10.0.0.1/8", "0.0.0.0/0", "::/0",
            "2001:db8::/129", "2001:db8::1/64", "localhost", "[::1]", "10.0.0.0/8/8", " 10.0.0.1", "10.0.0.1 ",
        ] {
            XCTAssertNil(IPNetwork(text), text)
        }
    }

    // MARK: X-Forwarded-For

    private func proxies(_ way: TrustedProxies.Way, _ networks: String...) throws -> TrustedProxies {
        TrustedProxies(networks: try networks.map { try XCTUnwrap(IPNetwork($0)) }, way: way)
    }

    func testTheClientIsTheLastThatIsNoProxyOfOurs() throws {
        let proxies = try proxies(.forwardedFor, "10.0.0.0/8", "2001:db8:1::/48")
        let cases: [(fields: [String], client: String?)] = [
            ([], nil),
            (["192.0.2.1"], "192.0.2.1"),
            // What the client made up stands to the left of itself.
            (["127.0.0.1, 198.51.100.9, 192.0.2.1"], "192.0.2.1"),
            (["198.51.100.9", "192.0.2.1,10.0.0.1"], "192.0.2.1"),
            (["192.0.2.1 ,\t10.0.0.1 , 10.0.0.2"], "192.0.2.1"),
            (["10.0.0.9, 10.0.0.1"], "10.0.0.9"),
            (["192.0.2.1:51444"], "192.0.2.1"),
            (["[2001:db8::1]:51444"], "2001:db8::1"),
            (["[2001:db8::1]"], "2001:db8::1"),
            (["2001:DB8::1, 2001:db8:1::7"], "2001:db8::1"),
            (["::ffff:192.0.2.1"], "192.0.2.1"),
            // A proxy that says nothing of use: it is the last that is known.
            (["192.0.2.1, unknown"], nil),
            (["192.0.2.1, unknown, 10.0.0.3"], "10.0.0.3"),
            (["192.0.2.1,"], nil), ([""], nil), (["_hidden"], nil), (["192.0.2.1:"], nil), (["[::1"], nil),
            (["192.0.2.256"], nil), (["[2001:db8::1]x"], nil), (["192.0.2.1;"], nil),
            // Without end: proxies of ours that all name each other.
            ([Array(repeating: "10.0.0.1", count: 5_000).joined(separator: ",")], "10.0.0.1"),
        ]
        for (fields, client) in cases {
            var headers: HTTPHeaders = ["Host": "h"]
            for (index, field) in fields.enumerated() {
                headers.append(name: index % 2 == 0 ? "X-Forwarded-For" : "x-forwarded-for", value: field)
            }
            XCTAssertEqual(proxies.client(of: headers)?.description, client, "\(fields)")
        }
    }

    private func server(
        _ proxies: TrustedProxies?, limits: HTTPLimits = HTTPLimits(), _ events: Events = Events()
    ) throws -> HTTPServer {
        let server = try HTTPServer(
            listen: ListenAddress(host: "127.0.0.1", port: 0), limits: limits, trustedProxies: proxies,
            handler: { request in
                let port = request.forwardedPort.map { ":\($0)" } ?? ""
                return .immediate(HTTPResponse(status: .ok, body: Array("<\(request.remoteAddress)\(port)>".utf8)))
            },
            observer: { events.note($0) })
        try server.start()
        return server
    }

    private final class Events: Sendable {
        private let noted = Mutex<[String]>([])
        var texts: [String] { noted.withLock { $0 } }

        func note(_ event: HTTPServerEvent) {
            switch event {
            case .preambleRejected(let reason, let address): noted.withLock { $0.append("\(address): \(reason)") }
            case .turnedAway(let address): noted.withLock { $0.append("\(address): turned away") }
            default: break
            }
        }
    }

    private let get = "GET / HTTP/1.1\r\nHost: h\r\n"
    private let claim = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Port: 443\r\n\r\n"

    func testARequestIsFromWhomATrustedProxySaysAndFromNobodyElsesClaim() throws {
        for (trusted, sender) in [
            (try proxies(.forwardedFor, "127.0.0.1"), "192.0.2.1:443"),
            (try proxies(.forwardedFor, "10.0.0.0/8"), "127.0.0.1"),
            (try proxies(.proxyProtocol, "10.0.0.0/8"), "127.0.0.1"), (nil, "127.0.0.1"),
        ] as [(TrustedProxies?, String)] {
            let server = try server(trusted)
            let client = try TestClient(port: server.boundAddress.port)
            client.send(get + claim)
            XCTAssertEqual(client.receive(until: ">")?.hasSuffix("<\(sender)>"), true, "\(sender)")
            // Another client's request may come on the same connection.
            client.send(get + "X-Forwarded-For: 2001:db8::5\r\n\r\n")
            let second = sender == "127.0.0.1" ? sender : "2001:db8::5"
            XCTAssertEqual(client.receive(until: ">")?.hasSuffix("<\(second)>"), true, second)
        }
    }

    // MARK: The PROXY protocol

    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    /// - Parameter more: TLVs, which follow the addresses.
    private func preamble(command: UInt8 = 0x21, family: UInt8 = 0x11, _ content: [UInt8], more: Int = 0) -> [UInt8] {
        let content = content + [UInt8](repeating: 4, count: more)
        return Self.signature + [command, family, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
    }

    /// From 192.0.2.1 to port 443.
    private let ipv4: [UInt8] = [192, 0, 2, 1, 10, 0, 0, 7, 0xC9, 0x04, 0x01, 0xBB]
    /// From 2001:db8::5 to port 8155.
    private let ipv6: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [5] + [UInt8](repeating: 1, count: 16)
        + [0xC9, 0x04, 0x1F, 0xDB]

    func testAConnectionIsWhoseATrustedProxySaysHoweverItsBytesAreCut() throws {
        let server = try server(try proxies(.proxyProtocol, "127.0.0.0/8"))
        let cases: [(bytes: [UInt8], sender: String)] = [
            (preamble(ipv4), "192.0.2.1:443"), (preamble(ipv4, more: 4_000), "192.0.2.1:443"),
            (preamble(family: 0x21, ipv6), "2001:db8::5:8155"), (preamble(family: 0, []), "127.0.0.1"),
            (preamble(command: 0x20, family: 0, []), "127.0.0.1"), (preamble(command: 0x20, ipv4), "127.0.0.1"),
        ]
        for (bytes, sender) in cases {
            // The header field is the client's own here, and nobody believes it.
            let message = bytes + Array((get + claim).utf8)
            for cut in [0, 1, 12, 15, 16, 20, bytes.count, bytes.count + 1] where cut <= bytes.count + 1 {
                let client = try TestClient(port: server.boundAddress.port)
                client.send(Array(message.prefix(cut)))
                _ = client.hasInput(within: cut == 0 ? 0 : 5)
                client.send(Array(message.dropFirst(cut)))
                XCTAssertEqual(client.receive(until: ">")?.hasSuffix("<\(sender)>"), true, "\(sender) \(cut)")
            }
        }
    }

    func testAProxysConnectionThatBeginsOtherwiseIsClosedWithoutAnAnswer() throws {
        let events = Events()
        let server = try server(try proxies(.proxyProtocol, "127.0.0.1"), events)
        var broken: [[UInt8]] = [
            Array((get + "\r\n").utf8), Array("PROXY TCP4 192.0.2.1 10.0.0.7 51460 443\r\n\(get)\r\n".utf8),
            preamble(command: 0x11, ipv4), preamble(command: 0x22, ipv4), preamble(family: 0x12, ipv4),
            preamble(family: 0x31, [UInt8](repeating: 0, count: 216)), preamble(Array(ipv4.dropLast())),
            preamble(family: 0x21, ipv4), preamble([UInt8](repeating: 0, count: 5_000)),
            Self.signature + [0x21, 0x11, 0xFF, 0xFF],
        ]
        for index in Self.signature.indices {
            var bytes = preamble(ipv4) + Array((get + "\r\n").utf8)
            bytes[index] ^= 1
            broken.append(bytes)
        }
        for (index, bytes) in broken.enumerated() {
            let client = try TestClient(port: server.boundAddress.port)
            client.send(bytes)
            // Nothing, or a reset where it sent more than was read.
            XCTAssertEqual(client.receive() ?? "", "", "\(index)")
        }
        XCTAssertEqual(events.texts.count, broken.count)
        XCTAssertEqual(
            events.texts[0], "127.0.0.1: the connection does not begin with the PROXY protocol's version 2")
        let client = try TestClient(port: server.boundAddress.port)
        client.send(preamble(ipv4) + Array((get + "\r\n").utf8))
        XCTAssertNotNil(client.receive(until: "<192.0.2.1:443>"))
    }

    func testNobodyElsesPreambleIsBelieved() throws {
        for trusted in [try proxies(.proxyProtocol, "10.0.0.0/8"), try proxies(.forwardedFor, "127.0.0.1"), nil] {
            let server = try server(trusted)
            let client = try TestClient(port: server.boundAddress.port)
            client.send(preamble(ipv4) + Array((get + "\r\n").utf8))
            XCTAssertEqual(client.receive()?.hasPrefix("HTTP/1.1 400 "), true)
        }
    }

    func testAPreambleComesBeforeTLS() throws {
        let server = try TLSTestServer(trustedProxies: try proxies(.proxyProtocol, "127.0.0.1")) { request in
            .immediate(HTTPResponse(status: .ok, body: Array("<\(request.remoteAddress)>".utf8)))
        }
        let client = try TLSTestClient(port: server.port, made: server.made, preamble: preamble(ipv4))
        client.send(get + "\r\n")
        XCTAssertEqual(try client.receive(until: ">")?.hasSuffix("<192.0.2.1>"), true)
        XCTAssertThrowsError(try TLSTestClient(port: server.port, made: server.made))
    }

    /// Neither what is read nor when it is rejected depends on how the bytes are cut.
    func testWhateverComesIsReadToTheSameEndHoweverItIsCut() {
        var generator = randomNumbers()
        func read(_ bytes: [UInt8], inPiecesOf size: Int) -> String {
            var reader = ProxyPreamble()
            var start = 0
            while start < bytes.count {
                let piece = Array(bytes[start..<min(start + size, bytes.count)])
                var index = 0
                do throws(ProxyPreamble.Malformed) {
                    switch try reader.read(piece.span, from: &index) {
                    case .incomplete: XCTAssertEqual(index, piece.count)
                    case let reading: return "\(reading) at \(start + index)"
                    }
                } catch {
                    return error.description
                }
                XCTAssertLessThan(reader.heldBytes, 16 * 1024)
                start += size
            }
            return "incomplete"
        }
        for _ in 0..<2_000 {
            var bytes = preamble(
                command: [0x20, 0x21].randomElement(using: &generator) ?? 0,
                family: [0, 0x11, 0x21, 0x31].randomElement(using: &generator) ?? 0,
                (0..<Int.random(in: 0...60, using: &generator)).map { _ in .random(in: 0...255, using: &generator) })
            bytes += Array(get.utf8)
            if Bool.random(using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let whole = read(bytes, inPiecesOf: bytes.count)
            for size in [1, 2, 7, 16] { XCTAssertEqual(read(bytes, inPiecesOf: size), whole, "\(bytes)") }
        }
    }

    func testAPreambleThatDripsEndsWithTheTimeOfAHead() throws {
        var limits = HTTPLimits()
        limits.headTimeout = .milliseconds(200)
        let server = try server(try proxies(.proxyProtocol, "127.0.0.1"), limits: limits)
        let silent = try TestClient(port: server.boundAddress.port)
        let dripping = try TestClient(port: server.boundAddress.port)
        let begin = ContinuousClock.now
        for byte in preamble(ipv4) {
            dripping.send([byte])
            if dripping.hasInput(within: 20) { break }
        }
        XCTAssertEqual(dripping.receive() ?? "", "")
        XCTAssertEqual(silent.receive(), "")
        // A connection that sends nothing may do so for 15 seconds by default.
        XCTAssertLessThan(begin.duration(to: .now), .seconds(8))
    }

    func testConnectionsAreCountedByTheirClientsAndNotByTheProxy() throws {
        var limits = HTTPLimits()
        limits.connectionsPerAddress = 2
        let events = Events()
        let server = try server(try proxies(.proxyProtocol, "127.0.0.1"), limits: limits, events)
        func connect(_ last: UInt8) throws -> TestClient {
            var address = ipv4
            address[3] = last
            let client = try TestClient(port: server.boundAddress.port)
            client.send(preamble(address) + Array((get + "\r\n").utf8))
            return client
        }
        var clients: [TestClient] = []
        for last in [1, 1, 2, 2, 3] as [UInt8] {
            clients.append(try connect(last))
            XCTAssertNotNil(clients.last?.receive(until: "<192.0.2.\(last):443>"), "\(last)")
        }
        XCTAssertEqual(try connect(1).receive() ?? "", "")
        XCTAssertEqual(events.texts, ["192.0.2.1: turned away"])
        clients.removeFirst()
        // The server learns of it a moment later.
        XCTAssertTrue(
            try eventually { try connect(1).receive(until: ">")?.hasSuffix(">") == true },
            "a connection that ended is still counted")
    }
}
