import ActionDispatch
import HTTPServer
import RequestDispatch
import TencentCloudErrors
import XCTest

/// What is done for requests of which nobody knows who sent them.
final class StrangerTests: XCTestCase {
    private let world = World()

    /// The head of a request alone, as the HTTP server asks about it.
    private func head(of request: HTTPRequest) -> HTTPRequest {
        HTTPRequest(
            method: request.method, target: request.target, headers: request.headers,
            remoteAddress: request.remoteAddress)
    }

    func testALongBodyIsReadForAKnownSecretIdOnly() throws {
        let known = world.allowance(of: head(of: try world.signed()))
        XCTAssertEqual(known.bytes, 10 * 1_024 * 1_024)
        XCTAssertEqual(try known.rejection().error()?.code, "RequestSizeLimitExceeded")
        XCTAssertEqual(world.records.map { $0.rejection?.code.rawValue }, ["RequestSizeLimitExceeded"])

        let unknown = world.allowance(of: head(of: try world.signed(secretID: "AKIDNOBODY")))
        XCTAssertEqual(unknown.bytes, 0)
        XCTAssertEqual(try unknown.rejection().error()?.code, "AuthFailure.SecretIdNotFound")

        let unsigned = world.allowance(of: head(of: try world.signed(headers: ["Authorization": "SKIP"])))
        XCTAssertEqual(unsigned.bytes, 0)
        XCTAssertEqual(try unsigned.rejection().error()?.code, "AuthFailure.InvalidAuthorization")
    }

    func testAFormIsReadUpToItsLimitSinceItsSecretIdStandsInIt() throws {
        let form = world.allowance(of: head(of: try world.signedByParameter()))
        XCTAssertEqual(form.bytes, 1 << 20)
        XCTAssertEqual(try form.rejection().error()?.code, "AuthFailure.SignatureFailure")
    }

    func testALongFormOfAnUnknownSecretIdIsNotParsed() async throws {
        let filler = String(repeating: "x", count: 100_000)
        // Would be a malformed pair.
        let request = try world.signedByParameter(["SecretId": "AKIDNOBODY", "Text": filler], tail: "&nonsense")
        let error = try await world.response(to: request).error()
        XCTAssertEqual(error?.code, "AuthFailure.SecretIdNotFound")
        let nobody = try await world.response(to: try world.signedByParameter(["SecretId": nil, "Text": filler]))
            .error()
        XCTAssertEqual(nobody?.code, "MissingParameter")
        let known = try await world.response(to: try world.signedByParameter(["Text": filler])).error()
        XCTAssertNil(known)
    }

    func testAFormOfMoreParametersThanAnyActionHasIsNotSorted() async throws {
        let names = Dictionary(uniqueKeysWithValues: (0..<4_000).map { ("Numbers.\($0)", String?.some("1")) })
        let error = try await world.response(to: try world.signedByParameter(names)).error()
        XCTAssertEqual(error?.code, "AuthFailure.SignatureFailure")
        let fewer = Dictionary(uniqueKeysWithValues: (0..<2_000).map { ("Numbers.\($0)", String?.some("1")) })
        let served = try await world.response(to: try world.signedByParameter(fewer)).error()
        XCTAssertNil(served)
    }

    func testABodyThatIsNoJSONIsHashedBeforeItIsParsed() async throws {
        let forged = try world.signed(body: "[[[[", secretKey: "another")
        let error = try await world.response(to: forged).error()
        XCTAssertEqual(error?.code, "AuthFailure.SignatureFailure")
    }

    func testNoAnswerRepeatsARequestAtLength() async throws {
        let long = [
            String(repeating: "x", count: 30_000), String(repeating: "e\u{301}", count: 10_000),
            "e" + String(repeating: "\u{301}", count: 15_000), String(repeating: "\u{202E}", count: 10_000),
            String(repeating: "\"", count: 30_000),
        ]
        for text in long {
            for header in ["X-TC-Action", "X-TC-Version", "X-TC-Timestamp", "X-TC-Region", "X-TC-TraceId"] {
                let response = await world.send(headers: [header: text])
                XCTAssertLessThan(response.body.count + response.headers.reduce(0) { $0 + $1.value.utf8.count }, 4_096)
            }
            for request in [
                try world.signedByParameter(["Action": text]), try world.signedByParameter(["Version": text]),
                try world.signedByParameter([text: "x"]), try world.signedByParameter(["Numbers.0": text]),
                try world.signedByParameter(["Timestamp": text]), try world.signedByParameter(["SecretId": text]),
            ] {
                let response = await world.response(to: request)
                XCTAssertNotNil(try response.error())
                XCTAssertLessThan(response.body.count, 4_096)
            }
        }
    }
}
