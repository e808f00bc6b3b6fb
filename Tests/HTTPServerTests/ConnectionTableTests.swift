import XCTest

@testable import HTTPServer

final class ConnectionTableTests: XCTestCase {
    func testTheNameOfAConnectionThatIsGoneNeverMeansAnother() throws {
        let address = try XCTUnwrap(SocketAddress.resolve(ListenAddress(host: "127.0.0.1", port: 0)).first)
        var table = ConnectionTable()
        var gone: [ConnectionID] = []
        for _ in 0..<100 {
            let machine = HTTPConnection(limits: HTTPLimits(), remoteAddress: "", at: .now)
            let connection = table.add(try Socket.listen(at: address), machine)
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
}
