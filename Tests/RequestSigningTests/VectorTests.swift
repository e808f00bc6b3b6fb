import Cryptography
import RequestSigning
import XCTest

/// Every file in `Vectors` is one public or measured example; adding a file adds
/// a case.
final class VectorTests: XCTestCase {
    func testEveryStageOfTC3GivesThePublishedValue() throws {
        let vectors = try vectors(TC3Vector.self, in: "TC3")
        XCTAssertEqual(vectors.count, 10)
        for (name, vector) in vectors {
            let authorization = try TC3Authorization(parsing: try vector.header("authorization"))
            let isSigned = !vector.headers.contains("X-TC-Content-SHA256: UNSIGNED-PAYLOAD")
            let payloadHash = try Digest.sha256.hash(isSigned ? vector.payload.utf8 : "UNSIGNED-PAYLOAD".utf8)
            assertEqual(payloadHash, vector.expected.payloadHash, name)

            let canonicalRequest = TC3.canonicalRequest(
                method: vector.method, query: vector.query,
                headers: try authorization.signedHeaders.map { ($0, try vector.header($0).lowercased()) },
                payloadHash: payloadHash)
            assertEqual(
                try Digest.sha256.hash(canonicalRequest), vector.expected.canonicalRequestHash, name)

            let secretKey = Secret(vector.secretKey)
            let secretDate = try TC3SigningKey.secretDate(secretKey: secretKey, date: vector.date)
            assertEqual(secretDate, vector.expected.secretDate, name)
            let secretService = try TC3SigningKey.secretService(secretDate: secretDate, service: vector.service)
            assertEqual(secretService, vector.expected.secretService, name)
            let signingKey = try TC3SigningKey(secretKey: secretKey, scope: authorization.scope)
            assertEqual(signingKey.bytes, vector.expected.secretSigning, name)

            let stringToSign = TC3.stringToSign(
                timestamp: vector.timestamp, scope: authorization.scope,
                canonicalRequestHash: try Digest.sha256.hash(canonicalRequest))
            assertEqual(try signingKey.signature(of: stringToSign), vector.expected.signature, name)
        }
    }

    func testVerifiesEveryRequestOfTheTC3Vectors() throws {
        for (name, vector) in try vectors(TC3Vector.self, in: "TC3") {
            let request = try TC3SignedRequest(try vector.request(), signedHosts: .none)
            XCTAssertEqual(request.authorization.secretID, vector.secretId, name)
            let verdict = try request.verify(secretKey: Secret(vector.secretKey), at: vector.timestamp)
            XCTAssertEqual(verdict, .verified, name)
        }
    }

    func testSignsAsTheTC3VectorsWithTheUsualHeadersDo() throws {
        var signed = 0
        for (name, vector) in try vectors(TC3Vector.self, in: "TC3") {
            let expected = try vector.header("authorization")
            let isUsual = expected.contains("SignedHeaders=content-type;host,")
            guard isUsual, !vector.headers.contains("X-TC-Content-SHA256: UNSIGNED-PAYLOAD") else { continue }
            let signer = TC3Signer(
                secretID: vector.secretId, secretKey: Secret(vector.secretKey), host: try vector.header("host"),
                service: vector.service)
            let authorization = try signer.authorization(
                method: vector.method, query: vector.query, contentType: try vector.header("content-type"),
                payload: Array(vector.payload.utf8), timestamp: vector.timestamp)
            XCTAssertEqual(authorization.headerValue, expected, name)
            signed += 1
        }
        XCTAssertEqual(signed, 8)
    }

    func testV1GivesThePublishedTextAndSignature() throws {
        let vectors = try vectors(V1Vector.self, in: "V1")
        XCTAssertEqual(vectors.count, 7)
        for (name, vector) in vectors {
            if let httpMethod = vector.httpMethod, let host = vector.host, let parameters = vector.parameters {
                let stringToSign = V1Signature.stringToSign(
                    httpMethod: httpMethod, host: host,
                    parameters: try parameters.map { try pair($0, separator: "=") })
                XCTAssertEqual(stringToSign, vector.stringToSign, name)
            }
            XCTAssertFalse(vector.signatures.isEmpty, name)
            for (methodName, expected) in vector.signatures {
                let method = try XCTUnwrap(V1Signature.Method(rawValue: methodName), name)
                let signature = try V1Signature.signature(
                    of: vector.stringToSign, secretKey: Secret(vector.secretKey), method: method)
                XCTAssertEqual(signature, expected, "\(name) \(methodName)")
            }
        }
    }

    func testEveryStageOfACS3GivesThePublishedValueAndVerifies() throws {
        let vectors = try vectors(ACS3Vector.self, in: "ACS3")
        XCTAssertEqual(vectors.count, 9)
        for (name, vector) in vectors {
            let request = try vector.request()
            XCTAssertEqual(request.authorization.accessKeyID, vector.accessKeyId, name)
            let stringToSign = try request.stringToSign()
            if let hash = vector.expected.canonicalRequestHash {
                XCTAssertEqual(stringToSign, "ACS3-HMAC-SHA256\n\(hash)", name)
            }
            let signature = try ACS3.signature(of: stringToSign, secretKey: Secret(vector.secretKey))
            assertEqual(signature, vector.expected.signature, name)
            XCTAssertTrue(try request.verify(secretKey: Secret(vector.secretKey)), name)
            // The other version's key.
            XCTAssertFalse(try request.verify(secretKey: Secret(vector.secretKey + "&")), name)
        }
    }

    func testEveryStageOfTheRPCSignatureGivesThePublishedValueAndVerifies() throws {
        let vectors = try vectors(RPCVector.self, in: "RPC")
        XCTAssertEqual(vectors.count, 11)
        for (name, vector) in vectors {
            let request = try vector.request()
            if let stringToSign = vector.stringToSign {
                XCTAssertEqual(request.stringToSign, stringToSign, name)
                let signature = try RPCSignature.signature(of: stringToSign, secretKey: Secret(vector.secretKey))
                XCTAssertEqual(RPCSignature.base64(signature), vector.signature, name)
            }
            XCTAssertTrue(try request.verify(secretKey: Secret(vector.secretKey)), name)
            XCTAssertFalse(try request.verify(secretKey: Secret(vector.secretKey + "x")), name)
        }
    }

    func testSignsAsTheRPCVectorsDo() throws {
        for (name, vector) in try vectors(RPCVector.self, in: "RPC") {
            let pairs = try vector.pairs().filter { $0.name != "Signature" }
            func value(_ parameter: String) throws -> String {
                try XCTUnwrap(pairs.first { $0.name == parameter }?.value, name)
            }
            let time = try XCTUnwrap(ACSTimestamp(try value("Timestamp")), name)
            XCTAssertEqual(time.text, try value("Timestamp"), name)
            let own = ["AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"]
            let signer = RPCSigner(accessKeyID: try value("AccessKeyId"), secretKey: Secret(vector.secretKey))
            let signed = try signer.signed(
                httpMethod: vector.httpMethod, parameters: pairs.filter { !own.contains($0.name) },
                timestamp: time.seconds, nonce: try value("SignatureNonce"))
            XCTAssertEqual(signed.last?.value, try vector.sentSignature(), name)
            XCTAssertEqual(Set(signed.dropLast().map(\.name)), Set(pairs.map(\.name)), name)
        }
    }

    func testSignsAsTheACS3VectorsDo() throws {
        for (name, vector) in try vectors(ACS3Vector.self, in: "ACS3") {
            let signed = try vector.request().authorization
            let headers = try vector.headers.map { try pair($0, separator: ": ") }
                .map { (name: $0.name.lowercased(), value: $0.value) }
                .filter { signed.signedHeaders.contains($0.name) }
            let signer = ACS3Signer(accessKeyID: vector.accessKeyId, secretKey: Secret(vector.secretKey))
            let authorization = try signer.authorization(
                method: vector.method, query: vector.unescapedQuery, headers: headers,
                payload: Array(vector.payload.utf8))
            XCTAssertEqual(authorization, signed, name)
        }
    }

    /// Compares where the source gives a value.
    private func assertEqual(
        _ bytes: [UInt8], _ expected: String?, _ name: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        if let expected {
            XCTAssertEqual(hexadecimal(bytes), expected, name, file: file, line: line)
        }
    }
}
