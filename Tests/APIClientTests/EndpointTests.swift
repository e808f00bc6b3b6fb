import APIClient
import XCTest

final class EndpointTests: XCTestCase {
    func testEndpointsAreReadAsPeopleWriteThem() throws {
        let texts = [
            "http://127.0.0.1:8155": "127.0.0.1:8155", "http://127.0.0.1:8155/": "127.0.0.1:8155",
            "db.example": "db.example", "http://db.example:80": "db.example", "[::1]:8155": "[::1]:8155",
        ]
        for (text, authority) in texts { XCTAssertEqual(Endpoint(text)?.authority, authority, text) }
        let secure = try XCTUnwrap(Endpoint("https://db.example/"))
        XCTAssertEqual(secure.scheme, .https)
        XCTAssertEqual(secure.port, 443)
        XCTAssertEqual(secure.description, "https://db.example")
        XCTAssertEqual(Endpoint("https://db.example:80")?.authority, "db.example:80")
        for text in ["", "http://", "host:0", "host:65536", "host:x", "host:1:2", "a b", "host/path", "host\r\nX: y"] {
            XCTAssertNil(Endpoint(text), text)
        }
    }
}
