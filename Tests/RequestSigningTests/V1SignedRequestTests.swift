import RequestSigning
import XCTest

final class V1SignedRequestTests: XCTestCase {
    func testVerifiesEveryRequestOfTheVectors() throws {
        var verified = 0
        for (name, vector) in try vectors(V1Vector.self, in: "V1") {
            guard let httpMethod = vector.httpMethod, let host = vector.host, let texts = vector.parameters else {
                continue
            }
            let parameters = try texts.map { try pair($0, separator: "=") }
            let method = parameters.first { $0.name == "SignatureMethod" }?.value ?? "HmacSHA1"
            let signature = try XCTUnwrap(vector.signatures[method], name)
            let timestamp = try XCTUnwrap(parameters.first { $0.name == "Timestamp" }.flatMap { Int64($0.value) }, name)
            let request = V1SignedRequest(
                httpMethod: httpMethod, host: host,
                // The order in which they are sent does not matter.
                parameters: parameters.reversed() + [("Signature", signature)],
                secretID: "", signature: signature, method: try XCTUnwrap(V1Signature.Method(rawValue: method)),
                timestamp: timestamp, region: nil, signedHosts: .none)
            XCTAssertEqual(try request.verify(secretKey: Secret(vector.secretKey), at: timestamp), .verified, name)
            XCTAssertEqual(try request.verify(secretKey: Secret("another"), at: timestamp), .mismatched, name)
            XCTAssertNil(request.ambiguousParameter, name)
            verified += 1
        }
        XCTAssertEqual(verified, 6)
    }

    private struct Client {
        var httpMethod = "POST"
        var host = "127.0.0.1:8155"
        var signedHost = "127.0.0.1:8155"
        var region: String?
        /// In the order of signing, under the names that are signed.
        var signed = [(name: "Action", value: "A"), (name: "Nonce", value: "7035378719662001419")]
        /// As sent, if that is something else.
        var sent: [(name: String, value: String)]?
        var method: V1Signature.Method = .hmacSHA1
        var ending = ""
        var timestamp: Int64 = 1_700_000_000

        func verdict(at now: Int64 = 1_700_000_000) throws -> SignatureVerdict {
            let stringToSign = V1Signature.stringToSign(httpMethod: httpMethod, host: signedHost, parameters: signed)
            let signature = try V1Signature.signature(of: stringToSign, secretKey: Secret("SK"), method: method)
            return try V1SignedRequest(
                httpMethod: httpMethod, host: host,
                parameters: (sent ?? signed) + [("Signature", signature + ending)], secretID: "AK",
                signature: signature + ending, method: method, timestamp: timestamp, region: region,
                signedHosts: names
            ).verify(secretKey: Secret("SK"), at: now)
        }
    }

    func testVerifiesTheHabitsOfTheSDKs() throws {
        let habits: [(habit: String, client: Client)] = [
            ("the host with its port (go, nodejs)", Client()),
            ("the host without its port", Client(signedHost: "127.0.0.1")),
            (
                "an endpoint with scheme, sent and signed so (python)",
                Client(host: "http://127.0.0.1:8155", signedHost: "http://127.0.0.1:8155")
            ),
            ("gateway mode", Client(signedHost: "dbbrain.tencentcloudapi.com")),
            (
                "gateway mode, regional",
                Client(signedHost: "dbbrain.ap-beijing.tencentcloudapi.com", region: "ap-beijing")
            ),
            ("a name that the operator configured", Client(signedHost: "kill.internal.example")),
            ("a Signature that ends in a line feed (ruby)", Client(ending: "\n")),
            ("sorted by bytes", Client(signed: [("I.0", "a"), ("I.12", "b"), ("I.2", "c")])),
            ("empty values stay (go)", Client(signed: [("Action", "A"), ("Region", "")])),
            ("values are signed as they are, not escaped", Client(signed: [("Info", "a=b&c d+/%20\n你")])),
            (
                "full stops for underscores, replaced before sorting (python)",
                Client(signed: [("a.b", "1"), ("aA", "2")], sent: [("a_b", "1"), ("aA", "2")])
            ),
            (
                "full stops for underscores, replaced after sorting (java)",
                Client(signed: [("aA", "2"), ("a.b", "1")], sent: [("a_b", "1"), ("aA", "2")])
            ),
            (
                "HmacSHA256",
                Client(signed: [("Action", "A"), ("SignatureMethod", "HmacSHA256")], method: .hmacSHA256)
            ),
        ]
        for (habit, client) in habits { XCTAssertEqual(try client.verdict(), .verified, habit) }
    }

    func testRefusesWhatWasNotSigned() throws {
        let forgeries: [(forgery: String, client: Client)] = [
            ("another host", Client(signedHost: "cvm.tencentcloudapi.com")),
            ("another region's host", Client(signedHost: "dbbrain.ap-beijing.tencentcloudapi.com")),
            ("another value", Client(signed: [("Action", "A")], sent: [("Action", "B")])),
            ("a parameter more", Client(signed: [("Action", "A")], sent: [("Action", "A"), ("B", "")])),
            ("another order of signing", Client(signed: [("I.2", "c"), ("I.12", "b")])),
            ("text after the signature", Client(ending: "=")),
        ]
        for (forgery, client) in forgeries { XCTAssertEqual(try client.verdict(), .mismatched, forgery) }
    }

    func testOnlyTheTwoMethodsAreAndNoneIsTheFirst() {
        XCTAssertEqual(V1Signature.Method(parameter: nil), .hmacSHA1)
        XCTAssertEqual(V1Signature.Method(parameter: "HmacSHA1"), .hmacSHA1)
        XCTAssertEqual(V1Signature.Method(parameter: "HmacSHA256"), .hmacSHA256)
        let marks = String(repeating: "\u{301}", count: 100_000)
        for other in [
            "", "HmacMD5", "hmacsha1", "HmacSHA1 ", "HmacSHA1&Time=600", "TC3-HMAC-SHA256", "HmacSHA1" + marks,
        ] {
            XCTAssertNil(V1Signature.Method(parameter: other), String(other.prefix(20)))
        }
    }

    func testTakesATimestampUpToFiveMinutesOffInEitherDirection() throws {
        let now: Int64 = 1_700_000_000
        for (offset, verdict) in [
            (-301, SignatureVerdict.expired(serverTime: now)), (-300, .verified), (300, .verified),
            (301, .expired(serverTime: now)),
        ] {
            XCTAssertEqual(try Client(timestamp: now + Int64(offset)).verdict(at: now), verdict, "\(offset)")
        }
        XCTAssertEqual(try Client(timestamp: .min).verdict(at: now), .expired(serverTime: now))
        XCTAssertEqual(try Client(timestamp: .max).verdict(at: now), .expired(serverTime: now))
    }
}
