import RequestSigning
import XCTest

/// What of Alibaba Cloud's signatures does not verify, each made from a vector that does.
final class ACSRejectionTests: XCTestCase {
    func testAChangeOfAnythingThatACS3SignsIsNoticed() throws {
        let form = try vector("form.json")
        try assertVerifies(form)
        try assertMismatches(form, method: "GET")
        try assertMismatches(form, query: [("NodeId", "")])
        try assertMismatches(form, payload: form.payload + "&x=")
        for header in form.headers where !header.hasPrefix("Authorization") {
            try assertMismatches(form, headers: form.headers.map { $0 == header ? $0 + "1" : $0 })
        }
    }

    func testThePortIsPartOfTheSignedHost() throws {
        let form = try vector("form.json")
        try assertMismatches(form, headers: form.headers.map { $0 == "host: 127.0.0.1:8080" ? "host: 127.0.0.1" : $0 })
    }

    func testTheBodyIsHashedAnewAndNotTakenFromItsHeader() throws {
        let form = try vector("form.json")
        let other = form.payload.replacingOccurrences(of: "=rm-1", with: "=rm-2")
        XCTAssertNotEqual(other, form.payload)
        try assertMismatches(form, payload: other)
    }

    func testHeadersThatDecideWhatARequestMeansMustBeSigned() throws {
        let form = try vector("form.json")
        for name in [
            "host", "content-type", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce",
            "x-acs-version",
        ] {
            let headers = form.headers.map {
                $0.replacingOccurrences(of: ";\(name)", with: "").replacingOccurrences(of: "=\(name);", with: "=")
            }
            XCTAssertNotEqual(headers, form.headers)
            assertRefused(form, .notSigned(header: name), headers: headers)
        }
        assertRefused(
            form, .notSigned(header: "x-acs-security-token"), headers: form.headers + ["X-Acs-Security-Token: t"])
    }

    func testAContentTypeWithoutABodyNeedsNoSignature() throws {
        let poll = try vector("fewest-headers.json")
        let request = try request(poll, headers: poll.headers + ["Content-Type: application/octet-stream"])
        XCTAssertTrue(try request.verify(secretKey: Secret(poll.secretKey)))
    }

    func testASignedHeaderMustBeThereOnce() throws {
        let poll = try vector("fewest-headers.json")
        assertRefused(
            poll, .repeated(header: "x-acs-action"), headers: poll.headers + ["X-ACS-Action: KillInstanceAllSession"])
        assertRefused(
            poll, .absent(header: "x-acs-date"), headers: poll.headers.filter { !$0.hasPrefix("x-acs-date") })
    }

    func testAnAuthorizationOfAnotherFormIsRefused() throws {
        let digits = String(repeating: "a", count: 64)
        let good = "ACS3-HMAC-SHA256 Credential=k,SignedHeaders=host;x-acs-date,Signature=\(digits)"
        XCTAssertEqual(try ACS3Authorization(parsing: good).headerValue, good)
        let withBlanks = good.replacingOccurrences(of: ",", with: " , ")
        XCTAssertEqual(try ACS3Authorization(parsing: withBlanks).headerValue, good)
        for (value, error) in [
            ("ACS3-HMAC-SM3 Credential=k", .unsupportedAlgorithm), ("ACS3-RSA-SHA256", .unsupportedAlgorithm),
            ("", .unsupportedAlgorithm), ("ACS3-HMAC-SHA256", .malformed),
            (good.replacingOccurrences(of: "Credential=k", with: "Credential="), .malformed),
            (good.replacingOccurrences(of: "host;x-acs-date", with: "x-acs-date;host"), .malformed),
            (good.replacingOccurrences(of: "host;x-acs-date", with: "host;host"), .malformed),
            (good.replacingOccurrences(of: "host;x-acs-date", with: "Host"), .malformed),
            (good.replacingOccurrences(of: digits, with: digits.dropLast()), .malformed),
            (good.replacingOccurrences(of: digits, with: digits.uppercased()), .malformed), (good + ",x", .malformed),
            (good.replacingOccurrences(of: "Credential", with: "credential"), .malformed),
        ] as [(String, ACS3AuthorizationError)] {
            XCTAssertThrowsError(try ACS3Authorization(parsing: value), value) {
                XCTAssertEqual($0 as? ACS3AuthorizationError, error, value)
            }
        }
    }

    func testBlankParametersArePartOfBothSignatures() throws {
        let get = try vector("python-tea-get.json")
        XCTAssertTrue(get.query.hasSuffix("NodeId="))
        try assertMismatches(get, query: [("InstanceId", "rm-1")])

        let parameters = [(name: "Action", value: "A"), (name: "SignatureType", value: "")]
        XCTAssertEqual(
            RPCSignature.stringToSign(httpMethod: "GET", parameters: parameters),
            "GET&%2F&Action%3DA%26SignatureType%3D")
    }

    func testASignatureThatIsNoBase64IsNotTheRightOne() throws {
        let text = RPCSignature.stringToSign(httpMethod: "GET", parameters: [("a", "b")])
        let right = RPCSignature.base64(try RPCSignature.signature(of: text, secretKey: Secret("s")))
        for (signature, isRight) in [
            (right, true), (right + "=", false), (right + "\n", false), ("", false), ("é", false),
            (String(right.dropLast()), false),
        ] {
            let request = RPCSignedRequest(httpMethod: "GET", parameters: [("a", "b")], signature: signature)
            XCTAssertEqual(try request.verify(secretKey: Secret("s")), isRight, signature)
        }
    }

    func testOnlyOneMethodAndVersionOfTheRPCSignatureExist() {
        XCTAssertTrue(RPCSignedRequest.knows(method: "HMAC-SHA1"))
        XCTAssertFalse(RPCSignedRequest.knows(method: "HMAC-SHA256"))
        XCTAssertFalse(RPCSignedRequest.knows(method: "hmac-sha1"))
        XCTAssertTrue(RPCSignedRequest.knows(version: "1.0"))
        XCTAssertFalse(RPCSignedRequest.knows(version: "2.0"))
    }

    // MARK: Timestamps

    func testReadsTheOneFormOfATimestamp() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T23:59:59Z", 951_868_799), ("2026-01-02T03:04:05Z", 1_767_323_045),
            ("2016-02-23T12:46:24Z", 1_456_231_584), ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("1969-12-31T23:59:59Z", -1), ("0000-03-01T00:00:00Z", -62_162_035_200),
            ("0000-01-01T00:00:00Z", -62_167_219_200), ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] as [(String, Int64)] {
            XCTAssertEqual(ACSTimestamp(text)?.seconds, seconds, text)
        }
        for text in [
            "", "2026-01-02 03:04:05", "2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05.0Z",
            "2026-1-2T03:04:05Z", "2026-13-02T03:04:05Z", "2026-00-02T03:04:05Z", "2026-02-29T03:04:05Z",
            "2100-02-29T00:00:00Z", "2026-04-31T03:04:05Z", "2026-01-00T03:04:05Z", "2026-01-02T24:00:00Z",
            "2026-01-02T03:60:05Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05Z ", "1767323045",
            "+026-01-02T03:04:05Z", "Fri, 02 Jan 2026 03:04:05 GMT", "２026-01-02T03:04:05Z",
        ] {
            XCTAssertNil(ACSTimestamp(text), text)
        }
    }

    func testAClockMayBeFifteenMinutesOffInEitherDirection() throws {
        let time = try XCTUnwrap(ACSTimestamp("2026-01-02T03:04:05Z"))
        for (offset, isCurrent) in [
            (-901, false), (-900, true), (0, true), (900, true), (901, false),
        ] as [(Int64, Bool)] {
            XCTAssertEqual(time.isCurrent(at: time.seconds + offset), isCurrent, "\(offset)")
        }
    }

    // MARK: Tools

    private func vector(_ name: String) throws -> ACS3Vector {
        try XCTUnwrap(vectors(ACS3Vector.self, in: "ACS3").first { $0.name == name }?.vector, name)
    }

    private func request(
        _ vector: ACS3Vector, method: String? = nil, query: [(String, String)] = [], headers: [String]? = nil,
        payload: String? = nil
    ) throws -> ACS3SignedRequest {
        let query = query.map { (name: $0.0, value: $0.1) }
        return try ACS3SignedRequest(
            method: method ?? vector.method, query: query.isEmpty ? vector.unescapedQuery : query,
            headers: SentHeaders(fields: (headers ?? vector.headers).map { try pair($0, separator: ": ") }),
            payload: Array((payload ?? vector.payload).utf8))
    }

    private func assertVerifies(_ vector: ACS3Vector, line: UInt = #line) throws {
        XCTAssertTrue(try request(vector).verify(secretKey: Secret(vector.secretKey)), line: line)
    }

    private func assertMismatches(
        _ vector: ACS3Vector, method: String? = nil, query: [(String, String)] = [], headers: [String]? = nil,
        payload: String? = nil, line: UInt = #line
    ) throws {
        let request = try request(vector, method: method, query: query, headers: headers, payload: payload)
        XCTAssertFalse(try request.verify(secretKey: Secret(vector.secretKey)), line: line)
    }

    private func assertRefused(
        _ vector: ACS3Vector, _ error: ACS3AuthorizationError, headers: [String], line: UInt = #line
    ) {
        XCTAssertThrowsError(try request(vector, headers: headers), line: line) {
            XCTAssertEqual($0 as? ACS3AuthorizationError, error, line: line)
        }
    }
}
