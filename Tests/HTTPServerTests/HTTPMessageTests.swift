import XCTest

@testable import HTTPServer

final class HTTPMessageTests: XCTestCase {
    func testAFieldIsFoundInAnyCaseOfLettersButOnlyIfItOccursOnce() {
        let headers: HTTPHeaders = ["X-TC-Action": "KillMySqlThreads", "A": "1", "a": "2", "Empty": ""]
        XCTAssertEqual(headers["x-tc-ACTION"], "KillMySqlThreads")
        XCTAssertNil(headers["A"])
        XCTAssertTrue(headers.contains("a"))
        XCTAssertFalse(headers.contains("b"))
        XCTAssertEqual(headers["empty"], "")
        XCTAssertNil(headers["X-TC-Actio"])
        XCTAssertEqual(headers.map(\.name), ["X-TC-Action", "A", "a", "Empty"])
    }

    func testFieldsOfARequestKeepTheirBytesWithoutTheWhiteSpaceAround() throws {
        let text = "GET / HTTP/1.1\r\nHost:  a:1 \r\nX-Name: \t é b\t\r\nX-None:\r\n\r\n"
        var parser = HTTPRequestParser(limits: HTTPLimits(), remoteAddress: "192.0.2.1")
        var index = 0
        let request = try XCTUnwrap(parser.read(Array(text.utf8).span, from: &index)).request
        XCTAssertEqual(request.headers.map(\.name), ["Host", "X-Name", "X-None"])
        XCTAssertEqual(request.headers.map(\.value), ["a:1", "é b", ""])
        XCTAssertEqual(request.remoteAddress, "192.0.2.1")
        XCTAssertEqual(request.version, .http11)
    }

    func testAValueCannotAddFieldsToAnAnswer() {
        let headers: HTTPHeaders = ["Location": "/a\r\nSet-Cookie: b\u{0}"]
        XCTAssertEqual(headers["Location"], "/a  Set-Cookie: b ")
    }

    func testPathAndQueryAreTheRawPartsOfTheTarget() {
        let cases: [(target: String, path: String, query: String?)] = [
            ("/", "/", nil),
            ("/a/b%20c?d=e%26&f", "/a/b%20c", "d=e%26&f"),
            ("/?", "/", ""),
            ("/?a?b", "/", "a?b"),
            ("http://host:80/a?b", "/a", "b"),
            ("http://host", "/", nil),
            ("http://host?q", "/", "q"),
            ("/a://b/c", "/a://b/c", nil),
            ("*", "*", nil),
        ]
        for (target, path, query) in cases {
            let request = HTTPRequest(method: "GET", target: target, remoteAddress: "")
            XCTAssertEqual(request.path, path, target)
            XCTAssertEqual(request.query, query, target)
        }
    }

    func testDatesHaveTheFormOfRFC9110() {
        let cases: [(second: Int, text: String)] = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ]
        for (second, text) in cases {
            XCTAssertEqual(String(decoding: HTTPDate(second: second).bytes, as: UTF8.self), text)
        }
    }

    func testADateAdvancesWithTheSecond() {
        var date = HTTPDate(second: 0)
        date.advance(to: 1)
        XCTAssertEqual(date.bytes, HTTPDate(second: 1).bytes)
        date.advance(to: 1)
        XCTAssertEqual(date.bytes, HTTPDate(second: 1).bytes)
    }

    func testListenAddressesAreReadAndWritten() {
        let cases: [(text: String, address: ListenAddress?)] = [
            ("127.0.0.1:8155", ListenAddress(host: "127.0.0.1", port: 8155)),
            ("localhost:0", ListenAddress(host: "localhost", port: 0)),
            ("[::1]:80", ListenAddress(host: "::1", port: 80)),
            ("::1:80", nil), ("localhost", nil), (":80", nil), ("[]:80", nil), ("a:", nil), ("a:65536", nil),
            ("a:-1", nil), ("a:+1", nil), ("a: 1", nil), ("", nil),
        ]
        for (text, address) in cases {
            XCTAssertEqual(ListenAddress(text), address, text)
            if let address { XCTAssertEqual(address.description, text) }
        }
    }
}
