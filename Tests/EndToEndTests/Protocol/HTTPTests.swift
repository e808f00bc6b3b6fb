import PrivateDatabase
import TestSupport
import XCTest

final class HTTPTests: XCTestCase {
    func testWhatIsNoHTTPGetsAFourHundredAndTheConnectionIsClosed() async throws {
        let port = try PrivateDatabase.freePort()
        let killd = try await KilldProcess.start(KilldConfiguration(port: port))
        let requests = [
            "HELLO\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ]
        for request in requests {
            let connection = try TestClient(port: killd.port)
            connection.send(request)
            let answer = try XCTUnwrap(connection.receive(), "the connection stays open after \(request)")
            XCTAssertTrue(answer.hasPrefix("HTTP/1.1 4"), "\(request) → \(answer)")
        }
        try await killd.stop()
    }
}
