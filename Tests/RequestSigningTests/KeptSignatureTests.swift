import Foundation
import RequestSigning
import XCTest

/// What is kept of a signed request, to be verified again when nobody remembers the request itself.
final class KeptSignatureTests: XCTestCase {
    private let secretID = "AKIDEXAMPLE"
    private let secretKey = Secret("SKEXAMPLE")
    private let client = SigningClient().with {
        $0.payload = Array(#"{"Comment":"héllo \n \"x\" \\ 日本","Digest":"ab","PlanName":"plan-a"}"#.utf8)
        $0.headers = [("X-TC-Action", "ApproveKillPlan", "approvekillplan"), ("X-TC-TraceId", "t-1", "t-1")]
    }

    private func kept(_ client: SigningClient, secretKey: Secret? = nil) throws -> KeptSignature? {
        try TC3SignedRequest(try client.request(), signedHosts: names).kept(secretKey: secretKey ?? client.secretKey)
    }

    /// - Parameter signed: in the order of signing, under the names that are signed.
    private func keptV1(
        _ signed: [(name: String, value: String)], sent: [(name: String, value: String)]? = nil,
        httpMethod: String = "POST", host: String = "127.0.0.1:8155", signedHost: String = "127.0.0.1:8155",
        method: V1Signature.Method = .hmacSHA1
    ) throws -> KeptSignature? {
        let text = V1Signature.stringToSign(httpMethod: httpMethod, host: signedHost, parameters: signed)
        let signature = try V1Signature.signature(of: text, secretKey: secretKey, method: method)
        return try V1SignedRequest(
            httpMethod: httpMethod, host: host, parameters: (sent ?? signed) + [("Signature", signature)],
            secretID: "AKIDEXAMPLE", signature: signature, method: method, timestamp: 1_700_000_000, region: nil,
            signedHosts: names
        ).kept(secretKey: secretKey)
    }

    private let v1Parameters = [
        (name: "Action", value: "ApproveKillPlan"), (name: "Comment", value: "seen = fine"),
        (name: "PlanName", value: "plan-a"), (name: "SecretId", value: "AKIDEXAMPLE"),
        (name: "Timestamp", value: "1700000000"),
    ]

    func testEveryTC3VectorIsVerifiedAgainFromItsText() throws {
        for (name, vector) in try vectors(TC3Vector.self, in: "TC3") {
            let id = vector.secretId
            guard let request = try? TC3SignedRequest(try vector.request(), signedHosts: .none),
                let kept = try request.kept(secretKey: Secret(vector.secretKey))
            else { continue }
            let read = try XCTUnwrap(KeptSignature(kept.text), name)
            XCTAssertTrue(try read.verify(secretID: id, secretKey: Secret(vector.secretKey), token: nil), name)
            XCTAssertFalse(try read.verify(secretID: id, secretKey: Secret("another"), token: nil), name)
            XCTAssertEqual(read.timestamp, vector.timestamp, name)
            XCTAssertFalse(kept.text.contains("\n"), name)
        }
        let habits = [
            client, client.with { $0.signedHost = "127.0.0.1" },
            client.with { $0.signedHost = "kill.internal.example" },
            client.with { $0.signedHost = "dbbrain.tencentcloudapi.com" },
            client.with { ($0.contentType, $0.signedContentType) = ("Application/JSON", "application/json") },
            client.with { ($0.method, $0.query, $0.payload) = ("GET", "PlanName=plan-a&Digest=a%20b", []) },
        ]
        for habit in habits {
            let text = try XCTUnwrap(try kept(habit)).text
            XCTAssertEqual(
                try KeptSignature(text)?.verify(secretID: secretID, secretKey: secretKey, token: nil), true, text)
        }
    }

    func testEveryV1VectorIsVerifiedAgainFromItsText() throws {
        var verified = 0
        for (name, vector) in try vectors(V1Vector.self, in: "V1") {
            guard let httpMethod = vector.httpMethod, let host = vector.host, let texts = vector.parameters else {
                continue
            }
            let parameters = try texts.map { try pair($0, separator: "=") }
            let id = try XCTUnwrap(parameters.first { $0.name == "SecretId" }?.value, name)
            let token = parameters.first { $0.name == "Token" }.map { Secret($0.value) }
            let method = try XCTUnwrap(
                V1Signature.Method(parameter: parameters.first { $0.name == "SignatureMethod" }?.value), name)
            let signature = try XCTUnwrap(vector.signatures[method.rawValue], name)
            let request = V1SignedRequest(
                httpMethod: httpMethod, host: host, parameters: parameters.reversed() + [("Signature", signature)],
                secretID: "", signature: signature, method: method, timestamp: 0, region: nil, signedHosts: .none)
            let kept = try XCTUnwrap(try request.kept(secretKey: Secret(vector.secretKey)), name)
            let read = try XCTUnwrap(KeptSignature(kept.text), name)
            XCTAssertTrue(try read.verify(secretID: id, secretKey: Secret(vector.secretKey), token: token), name)
            XCTAssertFalse(try read.verify(secretID: id, secretKey: Secret("another"), token: token), name)
            verified += 1
        }
        XCTAssertEqual(verified, 6)
        // Python sorts names whose underscore it has replaced by a full stop.
        let texts = [
            try keptV1(v1Parameters)?.text, try keptV1(v1Parameters, signedHost: "127.0.0.1")?.text,
            try keptV1(v1Parameters, httpMethod: "GET")?.text,
            try keptV1(
                [("A.b", "1"), ("Action", "A"), ("SecretId", secretID)],
                sent: [("Action", "A"), ("A_b", "1"), ("SecretId", secretID)])?.text,
            try keptV1([("SecretId", secretID), ("SignatureMethod", "HmacSHA256")], method: .hmacSHA256)?.text,
        ]
        for text in texts {
            XCTAssertEqual(
                try KeptSignature(try XCTUnwrap(text))?.verify(secretID: secretID, secretKey: secretKey, token: nil),
                true)
        }
    }

    func testNoByteOfTheTextCanBeAnother() throws {
        for kept in [try kept(client), try keptV1(v1Parameters)] {
            let text = try XCTUnwrap(kept).text
            let bytes = Array(text.utf8)
            var forgeries = [text + " ", " " + text, text + "\n", text + "{}", ""]
            for index in bytes.indices {
                var changed = bytes
                changed[index] ^= 1
                forgeries.append(String(decoding: changed, as: UTF8.self))
                changed[index] = bytes[index] ^ 0x20
                forgeries.append(String(decoding: changed, as: UTF8.self))
                changed.remove(at: index)
                forgeries.append(String(decoding: changed, as: UTF8.self))
                changed.insert(contentsOf: [bytes[index], bytes[index]], at: index)
                forgeries.append(String(decoding: changed, as: UTF8.self))
            }
            for forgery in forgeries where !forgery.utf8.elementsEqual(bytes) {
                XCTAssertNotEqual(
                    try KeptSignature(forgery)?.verify(secretID: secretID, secretKey: secretKey, token: nil), true,
                    forgery)
            }
        }
    }

    func testAnotherAccountWithTheSameKeyDidNotSignIt() throws {
        for kept in [try kept(client), try keptV1(v1Parameters)] {
            XCTAssertEqual(try kept?.verify(secretID: "AKIDOTHER", secretKey: secretKey, token: nil), false)
        }
    }

    func testAMemberMoreOrInAnotherOrderIsNoKeptRequest() throws {
        let text = try XCTUnwrap(try kept(client)).text
        XCTAssertNil(KeptSignature(#"{"action":"ApproveKillPlan","# + text.dropFirst()))
        XCTAssertNil(KeptSignature(text.replacingOccurrences(of: "héllo", with: "h\\u00e9llo")))
        let canonicallyEqual = text.replacingOccurrences(of: "é", with: "e\u{301}")
        XCTAssertEqual(
            try KeptSignature(canonicallyEqual)?.verify(secretID: secretID, secretKey: secretKey, token: nil), false)
    }

    func testItHoldsNoSecretNotEvenASignedToken() throws {
        let withToken = client.with { $0.headers.append(("X-TC-Token", "token-of-an-hour", "token-of-an-hour")) }
        let parameters = v1Parameters + [(name: "Token", value: "token-of-an-hour")]
        for kept in [try kept(withToken), try keptV1(parameters)] {
            let text = try XCTUnwrap(kept).text
            XCTAssertFalse(text.contains("token-of-an-hour") || text.contains(secretKey.reveal()), text)
            let read = try XCTUnwrap(KeptSignature(text))
            XCTAssertTrue(try read.verify(secretID: secretID, secretKey: secretKey, token: Secret("token-of-an-hour")))
            XCTAssertFalse(
                try read.verify(secretID: secretID, secretKey: secretKey, token: Secret("token-of-another-hour")))
            XCTAssertFalse(try read.verify(secretID: secretID, secretKey: secretKey, token: nil))
        }
    }

    func testNothingIsKeptThatTheSignatureDoesNotProve() throws {
        XCTAssertNil(try kept(client, secretKey: Secret("another")))
        XCTAssertNil(try kept(client.with { $0.declaresUnsignedPayload = true }))
        XCTAssertNil(try kept(client.with { $0.payload = [0xFF] }), "no text")
        XCTAssertNil(try keptV1([("Comment", "a&Digest=b")]), "it could be read in two ways")
    }

    func testItTellsWhatWasAskedFor() throws {
        let post = try XCTUnwrap(try kept(client))
        guard case .json(let body) = post.content else { return XCTFail() }
        XCTAssertEqual(body, client.payload)
        XCTAssertEqual(post.action, "approvekillplan")
        XCTAssertNil(try kept(client.with { $0.headers = [("X-TC-Action", "ApproveKillPlan", nil)] })?.action)
        let get = try XCTUnwrap(
            try kept(client.with { ($0.method, $0.query, $0.payload) = ("GET", "PlanName=plan-a", []) }))
        guard case .query("PlanName=plan-a") = get.content else { return XCTFail() }
        let v1 = try XCTUnwrap(try keptV1(v1Parameters))
        guard case .parameters(let pairs) = v1.content else { return XCTFail() }
        XCTAssertEqual(pairs.map(\.name), v1Parameters.map(\.name))
        XCTAssertEqual(pairs.map(\.value), v1Parameters.map(\.value))
        XCTAssertEqual(v1.action, "ApproveKillPlan")
        XCTAssertEqual(v1.timestamp, 1_700_000_000)
    }
}
