import RequestSigning
import XCTest

final class TC3SignedRequestTests: XCTestCase {
    private let client = SigningClient()

    func testAllowsTheClockToBeOffBy300SecondsEitherWay() throws {
        let request = try TC3SignedRequest(try client.request(), signedHosts: .none)
        let cases: [(offset: Int64, isInTime: Bool)] = [
            (-301, false), (-300, true), (0, true), (300, true), (301, false),
        ]
        for (offset, isInTime) in cases {
            let now = client.timestamp + offset
            let verdict = try request.verify(secretKey: client.secretKey, at: now)
            XCTAssertEqual(verdict, isInTime ? .verified : .expired(serverTime: now), "\(offset) s")
        }
    }

    func testReportsExpiryBeforeAWrongSignature() throws {
        let request = try TC3SignedRequest(try client.request(), signedHosts: .none)
        let verdict = try request.verify(secretKey: Secret("wrong"), at: client.timestamp + 301)
        XCTAssertEqual(verdict, .expired(serverTime: client.timestamp + 301))
    }

    func testRefusesAChangeOfAnySignedPart() throws {
        let post = client.with { $0.headers = [("X-TC-Action", "KillMySqlThreads", "killmysqlthreads")] }
        let get = client.with {
            $0.method = "GET"
            $0.query = "Threads.0=12"
            $0.payload = []
        }
        let unsigned = client.with { $0.declaresUnsignedPayload = true }
        let cases: [(part: String, client: SigningClient, change: (inout TC3Request) -> Void)] = [
            ("method", get, { $0.method = "POST" }),
            ("query", get, { $0.query = "Threads.0=13" }),
            ("query added", get, { $0.query += "&Threads.1=13" }),
            ("payload of a GET", get, { $0.payload = [0x20] }),
            ("payload", post, { $0.payload[0] ^= 1 }),
            ("payload cut", post, { $0.payload.removeLast() }),
            ("payload declared unsigned", post, { $0.sent.append(("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD")) }),
            ("declaration withdrawn", unsigned, { $0.sent.removeAll { $0.name == "X-TC-Content-SHA256" } }),
            ("declaration changed", unsigned, { setHeader("X-TC-Content-SHA256", to: "unsigned-payload", in: &$0) }),
            ("timestamp", post, { $0.timestamp += 1 }),
            ("host", post, { setHeader("Host", to: "127.0.0.2:8155", in: &$0) }),
            ("content type", post, { setHeader("Content-Type", to: "application/json;", in: &$0) }),
            ("a signed header", post, { setHeader("X-TC-Action", to: "DescribeMySqlProcessList", in: &$0) }),
            ("SignedHeaders", post, { replaceInAuthorization(";x-tc-action", with: "", in: &$0) }),
            ("service", post, { replaceInAuthorization("/dbbrain/", with: "/127/", in: &$0) }),
            (
                "signature", post,
                { request in
                    guard let last = header("Authorization", of: request).last else { return }
                    let authorization = header("Authorization", of: request).dropLast()
                    setHeader("Authorization", to: authorization + (last == "0" ? "1" : "0"), in: &request)
                }
            ),
        ]
        for (part, client, change) in cases {
            var request = try client.request()
            let untouched = try TC3SignedRequest(request, signedHosts: .none)
            let verdictBefore = try untouched.verify(secretKey: client.secretKey, at: client.timestamp)
            XCTAssertEqual(verdictBefore, .verified, part)
            change(&request)
            let tampered = try TC3SignedRequest(request, signedHosts: .none)
            let verdictAfter = try tampered.verify(secretKey: client.secretKey, at: client.timestamp)
            XCTAssertEqual(verdictAfter, .mismatched, part)
        }
    }

    func testLeavesTheQueryOfAPostOutOfTheSignature() throws {
        var request = try client.request()
        request.query = "trace=1"
        let verdict = try TC3SignedRequest(request, signedHosts: .none).verify(
            secretKey: client.secretKey, at: client.timestamp)
        XCTAssertEqual(verdict, .verified)
    }

    func testRefusesADateThatIsNotTheTimestampsInUTC() throws {
        let lastSecondOfTheDay: Int64 = 1_700_006_399
        let cases: [(timestamp: Int64, date: String, isValid: Bool)] = [
            (lastSecondOfTheDay, "2023-11-14", true),
            (lastSecondOfTheDay, "2023-11-15", false),
            (lastSecondOfTheDay + 1, "2023-11-15", true),
            (lastSecondOfTheDay + 1, "2023-11-14", false),
            (1_709_164_800, "2024-02-29", true),
            (1_704_067_199, "2023-12-31", true),
            (1_704_067_199, "2023-12-1", false),
            (0, "1970-01-01", true),
            (-1, "1969-12-31", true),
            (.max, "2023-11-14", false),
            (.min, "2023-11-14", false),
        ]
        for (timestamp, date, isValid) in cases {
            let request = try client.with {
                $0.timestamp = timestamp; $0.date = date
            }.request()
            assertRefused(request, with: isValid ? nil : .invalidDate, "\(date) at \(timestamp)")
        }
    }

    func testRefusesAServiceThatNoClientOfItsNamesWouldUse() throws {
        for (service, isValid) in [
            ("dbbrain", true), ("127", true), ("127.0.0.1:8155", true), ("127.0.0.1", true), ("kill", true),
            ("cvm", false), ("0", false), ("DBBRAIN", false), ("dbbrai", false), ("tencentcloudapi", false),
        ] {
            let request = try client.with { $0.service = service }.request()
            assertRefused(request, with: isValid ? nil : .invalidService, service)
        }
    }

    func testNeedsContentTypeAndHostAmongTheSignedHeaders() throws {
        for (signed, missing) in [("content-type", "host"), ("host", "content-type")] {
            var request = try client.request()
            replaceInAuthorization("content-type;host", with: signed, in: &request)
            assertRefused(request, with: .notSigned(header: missing), signed)
        }
    }

    func testNeedsEverySignedHeaderExactlyOnce() throws {
        let client = client.with { $0.headers = [("X-TC-Action", "KillMySqlThreads", "killmysqlthreads")] }
        for name in ["authorization", "content-type", "host", "x-tc-action"] {
            var without = try client.request()
            without.sent.removeAll { $0.name.lowercased() == name }
            assertRefused(without, with: .absent(header: name), name)

            for repetition in [name, name.uppercased()] {
                var twice = try client.request()
                twice.sent.append((repetition, header(name, of: twice)))
                assertRefused(twice, with: .repeated(header: name), repetition)
            }
        }
    }

    func testRefusesARepeatedDeclarationOfAnUnsignedPayload() throws {
        var request = try client.with { $0.declaresUnsignedPayload = true }.request()
        request.sent.append(("x-tc-content-sha256", "UNSIGNED-PAYLOAD"))
        assertRefused(request, with: .repeated(header: "x-tc-content-sha256"))
    }

    func testIgnoresBlanksAroundTheValuesOfSignedHeaders() throws {
        var request = try client.request()
        setHeader("Host", to: " \t\(client.host)\t", in: &request)
        let verdict = try TC3SignedRequest(request, signedHosts: .none).verify(
            secretKey: client.secretKey, at: client.timestamp)
        XCTAssertEqual(verdict, .verified)
    }

    private func assertRefused(
        _ request: TC3Request, with reason: TC3AuthorizationError?, _ message: String = "",
        file: StaticString = #filePath, line: UInt = #line
    ) {
        do {
            _ = try TC3SignedRequest(request, signedHosts: names)
            XCTAssertNil(reason, message, file: file, line: line)
        } catch {
            XCTAssertEqual(error, reason, message, file: file, line: line)
        }
    }
}

private func header(_ name: String, of request: TC3Request) -> String {
    request.sent.first { $0.name.lowercased() == name.lowercased() }?.value ?? ""
}

private func setHeader(_ name: String, to value: String, in request: inout TC3Request) {
    for index in request.sent.indices where request.sent[index].name == name {
        request.sent[index].value = value
    }
}

private func replaceInAuthorization(_ old: String, with new: String, in request: inout TC3Request) {
    setHeader("Authorization", to: header("Authorization", of: request).replacing(old, with: new), in: &request)
}
