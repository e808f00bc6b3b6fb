import Foundation
import RequestSigning

/// What verifying one signature costs, from the parts of a parsed request to the
/// verdict: where the first candidate for the signed host matches, where the
/// last one does, and where none does.
func verification(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let timestamp: Int64 = 1_700_000_000
    let keys = TC3SigningKeys()
    var measurements: [Measurement] = []
    for (signedHost, matching) in [
        ("127.0.0.1:8155", "the first candidate matches"), ("kill.internal.example", "a configured name matches"),
        ("cvm.tencentcloudapi.com", "no candidate matches"),
    ] {
        let (tc3, v1) = (try tc3Request(signedHost, timestamp), try v1Request(signedHost, timestamp))
        let expected: SignatureVerdict = signedHost.hasPrefix("cvm") ? .mismatched : .verified
        let cases: [(version: String, verify: () throws -> SignatureVerdict)] = [
            (
                "TC3",
                {
                    try TC3SignedRequest(tc3, signedHosts: signedHosts)
                        .verify(secretKey: Secret("SKBENCH"), at: timestamp, keys: keys)
                }
            ),
            ("V1 (HmacSHA256)", { try v1().verify(secretKey: Secret("SKBENCH"), at: timestamp) }),
        ]
        for (version, verify) in cases {
            guard try verify() == expected else { throw BenchmarkError("the verdict is not \(expected)") }
            let times = try (0..<21).map { _ in
                let start = ContinuousClock.now
                for _ in 0..<1_000 { _ = try verify() }
                return (ContinuousClock.now - start) / .microseconds(1_000)
            }
            measurements.append(
                Measurement(
                    name: "verification of a signature, \(version), \(matching), median of 21 times 1000",
                    killd: "\(decimal(median(times))) µs", goal: "≤ 15 µs"))
        }
    }
    return measurements
}

private let signedHosts = ServerNames(
    ["kill.internal.example"].compactMap { try? ServerName($0) }, ports: [8155])

/// Headers by their lower-case names.
private struct Headers: HeaderFields {
    let values: [String: String]

    subscript(name: String) -> String? { values[name] }
    func contains(_ name: String) -> Bool { values[name] != nil }
}

private func tc3Request(_ signedHost: String, _ timestamp: Int64) throws -> TC3Request {
    let payload = Array(#"{"Stage": "Prepare", "Threads": [4714056, 12], "Product": "mysql"}"#.utf8)
    let authorization = try TC3Signer(
        secretID: "AKIDBENCH", secretKey: Secret("SKBENCH"), host: signedHost, service: "dbbrain"
    ).authorization(
        method: "POST", query: "", contentType: "application/json", payload: payload, timestamp: timestamp)
    return TC3Request(
        method: "POST", query: "",
        headers: Headers(values: [
            "host": "127.0.0.1:8155", "content-type": "application/json", "authorization": authorization.headerValue,
        ]),
        payload: payload, timestamp: timestamp, region: "ap-guangzhou")
}

private func v1Request(_ signedHost: String, _ timestamp: Int64) throws -> () -> V1SignedRequest {
    var parameters = V1Signature.benchmarkParameters(timestamp: timestamp)
    let signature = try V1Signature.signature(
        of: V1Signature.stringToSign(httpMethod: "POST", host: signedHost, parameters: parameters),
        secretKey: Secret("SKBENCH"), method: .hmacSHA256)
    parameters.append(("Signature", signature))
    let sent = parameters
    return {
        V1SignedRequest(
            httpMethod: "POST", host: "127.0.0.1:8155", parameters: sent, secretID: "AKIDBENCH", signature: signature,
            method: .hmacSHA256, timestamp: timestamp, region: "ap-guangzhou", signedHosts: signedHosts)
    }
}
