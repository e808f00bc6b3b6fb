import XCTest

@testable import APIClient

/// Responses as servers, and proxies before them, send them to killd's own client.
final class HTTPResponseReaderTests: XCTestCase {
    private func read(_ bytes: [UInt8], in pieces: Int) throws -> HTTPResponse {
        var reader = HTTPResponseReader()
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + pieces)
            if let response = try reader.read(Array(bytes[start..<end])) { return response }
            start = end
        }
        return try reader.end()
    }

    func testAResponseIsTheSameHoweverItIsFramedAndCut() throws {
        let responses = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\ncontent-length:5 \r\nContent-Length: 5\r\n\r\nhello and more",
            "HTTP/1.0 200\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello",
        ]
        for text in responses {
            for pieces in [1, 2, 7, 1_000] {
                let response = try read(Array(text.utf8), in: pieces)
                XCTAssertEqual(response.status, 200, text)
                XCTAssertEqual(String(decoding: response.body, as: UTF8.self), "hello", text)
            }
        }
    }

    func testAResponseThatIsNotWholeIsNone() {
        let responses: [(text: String, problem: HTTPResponseReader.Problem)] = [
            ("", .noResponse),
            ("HTTP/1.1 200 OK\r\n", .truncated),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", .truncated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", .truncated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", .truncated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello", .notHTTP),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", .notHTTP),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\nhello", .notHTTP),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .notHTTP),
            ("SSH-2.0-OpenSSH_9.2\r\n\r\n", .notHTTP),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", .tooLong),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", .tooLong),
        ]
        for (text, problem) in responses {
            for pieces in [1, 1_000] {
                XCTAssertThrowsError(try read(Array(text.utf8), in: pieces), text) { error in
                    XCTAssertEqual(error as? HTTPResponseReader.Problem, problem, text)
                }
            }
        }
    }
}
