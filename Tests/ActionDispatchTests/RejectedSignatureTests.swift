import ActionDispatch
import HTTPServer
import RequestDispatch
import RequestSigning
import TencentCloudErrors
import XCTest

/// What callers and the log are told where a signature is rejected.
final class RejectedSignatureTests: XCTestCase {
    private let world = World()

    private func assertRefused(
        _ request: HTTPRequest, _ code: String, _ ending: String, line: UInt = #line
    ) async throws {
        let error = try await world.response(to: request).error()
        XCTAssertEqual(error?.code, code, error?.message ?? "no error", line: line)
        XCTAssertEqual(error?.message.hasSuffix(ending), true, error?.message ?? "", line: line)
    }

    func testTheTextNamesWhatIsWrongWithTheAuthorization() async throws {
        let good = try world.signed()
        let authorization = try XCTUnwrap(good.headers["Authorization"])
        let signature = try XCTUnwrap(authorization.components(separatedBy: "Signature=").last)
        func edited(_ old: String, _ new: String) throws -> HTTPRequest {
            try world.signed(headers: ["Authorization": authorization.replacing(old, with: new)])
        }
        let rejections: [(request: HTTPRequest, ending: String)] = [
            (
                try world.signed(headers: ["Content-Type": nil]),
                "the request has no header `content-type`, which must be there and signed."
            ),
            (
                try edited(signature, signature.uppercased()),
                "`Signature` must be 64 hexadecimal digits in lower case."
            ),
            (
                world.adding("Authorization", authorization, to: good),
                "the request has the header `authorization` more than once."
            ),
            (
                try world.signed(headers: ["X-TC-Timestamp": "\(World.now)123"]),
                "`X-TC-Timestamp` must be in seconds, not in milliseconds."
            ),
            (
                try edited("content-type;host", "host;content-type"),
                "`SignedHeaders` must be names in lower case and in ascending order, none of them twice."
            ),
            (try edited("content-type;host", "content-type"), "`SignedHeaders` must include `host`."),
            (try edited("content-type;host", "host"), "`SignedHeaders` must include `content-type`."),
            (
                try edited("content-type;host", "content-type;host;x-tc-nonce"),
                "the request has no header `x-tc-nonce`, which must be there and signed."
            ),
            (try edited("TC3-HMAC-SHA256", "TC3-HMAC-SHA1"), "the algorithm must be `TC3-HMAC-SHA256`."),
            (
                try edited(", Signature=", "; Signature="),
                "`SignedHeaders` must be names in lower case and in ascending order, none of them twice."
            ),
            (
                try edited(", Signature=\(signature)", ""),
                "`Signature` is missing: `Credential`, `SignedHeaders` and `Signature` are required, in this order."
            ),
            (try edited(signature, signature + ", x"), "nothing may follow `Signature`."),
        ]
        for (request, ending) in rejections {
            try await assertRefused(request, "AuthFailure.InvalidAuthorization", ending)
        }
        XCTAssertEqual(world.calls, 0)
    }

    func testAHeaderThatIsRepeatedIsRefusedByItsNameAndNotAsMissing() async throws {
        let good = try world.signed(
            headers: ["X-TC-Region": "ap-guangzhou", "X-TC-Language": "en-US", "X-TC-Token": ""])
        for (name, value) in [
            ("X-TC-Action", "EchoText"), ("X-TC-Version", "2021-05-27"), ("X-TC-Timestamp", "\(World.now)"),
            ("X-TC-Region", "ap-guangzhou"), ("X-TC-Language", "en-US"), ("X-TC-Token", "x"),
            ("Content-Type", "application/json; charset=utf-8"),
        ] {
            try await assertRefused(
                world.adding(name, value, to: good), "InvalidParameter",
                "The parameter `\(name)` is specified more than once.")
        }
        try await assertRefused(
            world.signedByParameter(headers: [("Content-Type", "application/json")]), "InvalidParameter",
            "The parameter `Content-Type` is specified more than once.")
        XCTAssertEqual(world.calls, 0)
    }

    func testTheLogTellsAWrongKeyFromARewrittenHost() async throws {
        _ = await world.response(to: try world.signed(secretKey: "SKWRONG"))
        _ = await world.response(to: try world.signed(headers: ["Host": "backend:8155"]))
        _ = await world.response(to: try world.signed(secretID: "AKIDNOBODY"))
        _ = await world.response(to: try world.signed(timestamp: World.now - 301))
        _ = await world.response(to: try world.signed(headers: ["X-TC-Token": "x"]))
        _ = await world.response(to: try world.signed(headers: ["Authorization": "TC3-HMAC-SHA256 Credential=a"]))
        _ = await world.response(to: try world.signedByParameter(secretKey: "SKWRONG"))
        let rejected = world.records.map(\.rejectedSignature)
        XCTAssertEqual(
            rejected.map { $0?.reason },
            [.mismatched, .mismatched, .unknownKey, .expired, .token, .malformed, .mismatched])
        XCTAssertEqual(
            rejected.map { $0?.host },
            ["127.0.0.1:8155", "backend:8155"] + Array(repeating: "127.0.0.1:8155", count: 5))
        XCTAssertEqual(
            rejected.map { $0?.keyID },
            ["AKIDEXAMPLE", "AKIDEXAMPLE", "AKIDNOBODY", "AKIDEXAMPLE", "AKIDEXAMPLE", "", "AKIDEXAMPLE"])
        XCTAssertTrue(world.records.allSatisfy { $0.account == nil })
    }

    func testTheLogHasNoSecretAlsoWhereOneStandsInTheIdsPlace() async throws {
        _ = await world.response(to: try world.signed(secretID: "SKEXAMPLE", secretKey: "AKIDEXAMPLE"))
        let rejected = try XCTUnwrap(world.records.last?.rejectedSignature)
        XCTAssertEqual(rejected.reason, .unknownKey)
        XCTAssertEqual(rejected.keyID, "<secret>")
        _ = await world.response(to: try world.signed(secretID: String(repeating: "A", count: 10_000)))
        XCTAssertEqual(world.records.last?.rejectedSignature?.keyID.utf8.count, 255)
    }

    func testWhoIsServedOrRefusedForSomethingElseHasNoSuchLine() async throws {
        _ = await world.send()
        _ = await world.send(body: "{}")
        _ = await world.send(headers: ["X-TC-Action": "Nothing"])
        XCTAssertEqual(world.records.compactMap(\.rejectedSignature).count, 0)
    }

    func testWhoCameToAnotherListenerIsToldInTheWordsOfThisAPI() throws {
        let response = world.rejectElsewhere(try world.signed())
        XCTAssertEqual(response.status, .ok)
        XCTAssertEqual(response.headers["Content-Type"], "application/json")
        XCTAssertEqual(try response.error()?.code, "NoSuchProduct")
        XCTAssertEqual(world.records.map(\.rejection?.code), [.noSuchProduct])
    }
}
