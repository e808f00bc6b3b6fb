import XCTest

@testable import HTTPServer

final class ConnectionTableTests: XCTestCase {
    func testTheNameOfAConnectionThatIsGoneNeverMeansAnother() throws {
        let address = try XCTUnwrap(SocketAddress.resolve(ListenAddress(host: "127.0.0.1", port: 0)).first)
        var table = ConnectionTable(memory: HTTPMemory(bytes: 1_000_000, connections: 10))
        var gone: [ConnectionID] = []
        for _ in 0..<100 {
            let machine = HTTPConnection(limits: HTTPLimits(), remoteAddress: "", at: .now)
            let connection = table.add(try Socket.listen(at: address), from: nil, machine)
            XCTAssertEqual(connection.id.slot, 0)
            XCTAssertTrue(table[connection.id] === connection)
            XCTAssertEqual(ConnectionID(rawValue: connection.id.rawValue), connection.id)
            XCTAssertTrue(gone.allSatisfy { table[$0] == nil })
            table.remove(connection)
            table.remove(connection)
            gone.append(connection.id)
        }
        XCTAssertEqual(table.count, 0)
    }

    func testConnectionsAreCountedByNetworkAndThoseOfThisMachineOnlyInTotal() throws {
        var table = ConnectionTable(memory: HTTPMemory(bytes: 1_000_000, connections: 10))
        let networks: [ClientNetwork?] = [.ipv4(1), .ipv4(1), .ipv6(1), nil]
        let connections = try networks.map { try add(from: $0, to: &table) }
        XCTAssertEqual(table.count, 4)
        XCTAssertEqual([.ipv4(1), .ipv6(1), .ipv4(2), nil].map { table.count(of: $0) }, [2, 1, 0, 0])
        for connection in connections { table.remove(connection) }
        XCTAssertEqual([.ipv4(1), .ipv6(1), nil].map { table.count(of: $0) }, [0, 0, 0])
        XCTAssertEqual(table.count, 0)
    }

    /// Else a client could start any number of Commits by resetting each time.
    func testAConnectionThatEndsBeforeItsHandlerCountsUntilTheHandlerHasAnswered() throws {
        for network in [ClientNetwork.ipv4(1), nil] {
            var table = ConnectionTable(memory: HTTPMemory(bytes: 1_000_000, connections: 10))
            let connection = try add(from: network, to: &table)
            connection.bytesAtHandler = 1
            table.remove(connection)
            let next = try add(from: network, to: &table)
            XCTAssertEqual(table.count, 2)
            XCTAssertEqual(table.count(of: network), network == nil ? 0 : 2)

            XCTAssertNil(table.noteResponse(to: connection.id))
            XCTAssertNil(table.noteResponse(to: connection.id))
            XCTAssertEqual(table.count, 1)
            XCTAssertEqual(table.count(of: network), network == nil ? 0 : 1)
            XCTAssertTrue(table.noteResponse(to: next.id) === next)
            table.remove(next)
            XCTAssertEqual(table.count, 0)
            XCTAssertEqual(table.count(of: network), 0)
        }
    }

    func testAnAddressBelongsToANetworkUnlessItIsThisMachine() throws {
        let cases: [(host: String, network: ClientNetwork?)] = [
            ("192.0.2.1", .ipv4(0xC000_0201)), ("127.0.0.1", nil), ("127.1.2.3", nil),
            ("::ffff:192.0.2.1", .ipv4(0xC000_0201)), ("::ffff:127.0.0.1", nil), ("::1", nil),
            ("2001:db8:1:2:3:4:5:6", .ipv6(0x2001_0DB8_0001_0002)), ("2001:db8:1:2::", .ipv6(0x2001_0DB8_0001_0002)),
            ("2001:db8:1:3::", .ipv6(0x2001_0DB8_0001_0003)),
        ]
        for (host, network) in cases {
            let address = try XCTUnwrap(SocketAddress.resolve(ListenAddress(host: host, port: 0)).first)
            XCTAssertEqual(address.ipAddress.network, network, host)
        }
    }

    func testConnectionsLeaveDescriptorsToTheRest() {
        let cases: [(descriptors: Int, connections: Int)] = [
            (1_000_000, 4_096), (5_120, 4_096), (5_119, 4_095), (2_048, 1_024), (1_024, 512), (3, 1), (0, 1),
        ]
        for (descriptors, connections) in cases {
            XCTAssertEqual(DescriptorBudget.connections(wanted: 4_096, descriptors: descriptors), connections)
        }
    }

    private func add(from network: ClientNetwork?, to table: inout ConnectionTable) throws -> Connection {
        let address = try XCTUnwrap(SocketAddress.resolve(ListenAddress(host: "127.0.0.1", port: 0)).first)
        let machine = HTTPConnection(limits: HTTPLimits(), remoteAddress: "", at: .now)
        return table.add(try Socket.listen(at: address), from: network, machine)
    }
}
