import TestSupport
import RequestSigning
import XCTest

/// Captured requests that are split anew: version 1 signs its values unescaped.
final class WrappedRequestTests: XCTestCase {
    /// From a file in `Vectors/Wrapped`.
    private struct Attack: Decodable {
        let why: String
        let httpMethod: String
        /// As it is sent.
        let host: String?
        /// One `name=value` each, in the order of signing.
        let signed: [String]
        let sent: [[String]]
    }

    private typealias Parameter = (name: String, value: String)

    private static let host = "127.0.0.1:8155"

    /// Whether killd would take the request for one of these parameters.
    private func accepts(
        _ parameters: [Parameter], signature: String, httpMethod: String = "POST", host: String = host
    ) throws -> Bool {
        let request = V1SignedRequest(
            httpMethod: httpMethod, host: host, parameters: parameters + [("Signature", signature)], secretID: "AKID",
            signature: signature, method: .hmacSHA1, timestamp: 1_700_000_000, region: nil, signedHosts: .none)
        return try request.verify(secretKey: Secret("SK"), at: 1_700_000_000) == .verified
            && request.ambiguousParameter == nil
    }

    private func sign(_ parameters: [Parameter], httpMethod: String = "POST") throws -> String {
        try V1Signature.signature(
            of: V1Signature.stringToSign(httpMethod: httpMethod, host: Self.host, parameters: parameters),
            secretKey: Secret("SK"), method: .hmacSHA1)
    }

    func testNoRequestFitsTheSignatureOfAnother() throws {
        let attacks = try vectors(Attack.self, in: "Wrapped")
        XCTAssertEqual(attacks.count, 8)
        for (name, attack) in attacks {
            let signed = try attack.signed.map { try pair($0, separator: "=") }
            let signature = try sign(signed, httpMethod: attack.httpMethod)
            XCTAssertTrue(try accepts(signed, signature: signature, httpMethod: attack.httpMethod), name)
            let sent = attack.sent.map { (name: $0[0], value: $0[1]) }
            let isAccepted = try accepts(
                sent, signature: signature, httpMethod: attack.httpMethod, host: attack.host ?? Self.host)
            XCTAssertFalse(isAccepted, "\(name): \(attack.why)")
            // The attack is one: what was sent has the signed text.
            let ordered = sent.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            XCTAssertEqual(
                V1Signature.stringToSign(
                    httpMethod: attack.httpMethod, host: attack.host ?? Self.host, parameters: ordered),
                V1Signature.stringToSign(httpMethod: attack.httpMethod, host: Self.host, parameters: signed), name)
        }
    }

    /// Of all ways to cut a signed text into names and values, one is taken at most.
    func testASignedTextHasOneReading() throws {
        var random = randomNumbers()
        for _ in 0..<400 {
            let length = Int.random(in: 1...9, using: &random)
            let text = String((0..<length).compactMap { _ in "ab=&?/".randomElement(using: &random) })
            let signature = try V1Signature.signature(
                of: "POST\(Self.host)/?\(text)", secretKey: Secret("SK"), method: .hmacSHA1)
            let readings = try Self.readings(of: Substring(text)).filter { reading in
                let names = reading.map(\.name)
                return try Set(names).count == names.count && accepts(reading, signature: signature)
            }
            XCTAssertLessThanOrEqual(readings.count, 1, "\(text) is \(readings)")
        }
    }

    /// Every list of names and values that has this text.
    private static func readings(of text: Substring) -> [[Parameter]] {
        var readings: [[Parameter]] = []
        for equals in text.indices where text[equals] == "=" {
            let (name, rest) = (String(text[..<equals]), text[text.index(after: equals)...])
            readings.append([(name, String(rest))])
            for end in rest.indices where rest[end] == "&" {
                let first = (name: name, value: String(rest[..<end]))
                readings += Self.readings(of: rest[rest.index(after: end)...]).map { [first] + $0 }
            }
        }
        return readings
    }

    func testASignatureOfOneKindFitsNoneOfAnother() throws {
        // Every kind begins its text in its own way, so that whatever stands behind it is another text.
        let secret = Secret("SK")
        let v1 = V1Signature.stringToSign(httpMethod: "POST", host: Self.host, parameters: [("a", "b")])
        let acs3 = ACS3.stringToSign(canonicalRequestHash: [UInt8](repeating: 0, count: 32))
        let rpc = RPCSignature.stringToSign(httpMethod: "POST", parameters: [("a", "b")])
        XCTAssertTrue(v1.hasPrefix("POST127."))
        XCTAssertTrue(acs3.hasPrefix("ACS3-HMAC-SHA256\n"))
        XCTAssertTrue(rpc.hasPrefix("POST&%2F&"))
        // The same text gives another signature: the keys differ, or the digests.
        let ofV1 = try V1Signature.signature(of: rpc, secretKey: secret, method: .hmacSHA1)
        XCTAssertNotEqual(ofV1, RPCSignature.base64(try RPCSignature.signature(of: rpc, secretKey: secret)))
    }
}
