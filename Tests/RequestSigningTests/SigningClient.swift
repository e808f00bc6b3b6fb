import Cryptography
import RequestSigning

/// What the operator of the server in these tests has configured.
let names = ServerNames(["kill.internal.example"].compactMap { try? ServerName($0) }, ports: [8155])

/// A client that signs as it is told, also otherwise than it sends.
struct SigningClient {
    var secretID = "AKIDEXAMPLE"
    var secretKey = Secret("SKEXAMPLE")
    /// 2023-11-14 22:13:20 UTC.
    var timestamp: Int64 = 1_700_000_000
    var date = "2023-11-14"
    var service = "dbbrain"
    var method = "POST"
    var query = ""
    var region: String? = "ap-guangzhou"
    var payload = Array(#"{"InstanceId": "cdb-8jawylhf"}"#.utf8)
    /// The payload is signed as `UNSIGNED-PAYLOAD`, and the header says so.
    var declaresUnsignedPayload = false
    var host = "127.0.0.1:8155"
    /// What is signed in place of `host`.
    var signedHost: String?
    var contentType = "application/json"
    /// What is signed in place of `contentType`.
    var signedContentType: String?
    /// Further headers, by name: the value sent and the value signed, if it is.
    var headers: [(name: String, sent: String, signed: String?)] = [("X-TC-Action", "KillMySqlThreads", nil)]
    /// What stands between the algorithm and `Credential`.
    var gap = " "

    func request() throws -> TC3Request {
        var signed = [("content-type", signedContentType ?? contentType), ("host", signedHost ?? host)]
        for header in headers {
            if let value = header.signed { signed.append((header.name.lowercased(), value)) }
        }
        signed.sort { $0.0 < $1.0 }
        var sent = [("Host", host), ("Content-Type", contentType)] + headers.map { ($0.name, $0.sent) }
        if declaresUnsignedPayload { sent.append(("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD")) }

        let scope = TC3CredentialScope(date: date, service: service)
        let canonicalRequest = TC3.canonicalRequest(
            method: method, query: query, headers: signed.map { (name: $0.0, value: $0.1) },
            payloadHash: try Digest.sha256.hash(
                declaresUnsignedPayload ? Array("UNSIGNED-PAYLOAD".utf8) : payload))
        let stringToSign = TC3.stringToSign(
            timestamp: timestamp, scope: scope,
            canonicalRequestHash: try Digest.sha256.hash(canonicalRequest))
        let signature = try TC3SigningKey(secretKey: secretKey, scope: scope).signature(of: stringToSign)
        sent.append(
            (
                "Authorization",
                "TC3-HMAC-SHA256\(gap)Credential=\(secretID)/\(date)/\(service)/tc3_request, "
                    + "SignedHeaders=\(signed.map(\.0).joined(separator: ";")), Signature=\(hexadecimal(signature))"
            ))
        return TC3Request(
            method: method, query: query, headers: SentHeaders(fields: sent.map { (name: $0.0, value: $0.1) }),
            payload: payload, timestamp: timestamp, region: region)
    }

    /// This client with something changed.
    func with(_ change: (inout SigningClient) -> Void) -> SigningClient {
        var client = self
        change(&client)
        return client
    }
}

/// Headers as a client sent them.
struct SentHeaders: HeaderFields {
    var fields: [(name: String, value: String)]

    subscript(name: String) -> String? {
        let values = values(of: name)
        return values.count == 1 ? values[0] : nil
    }

    func contains(_ name: String) -> Bool { !values(of: name).isEmpty }

    private func values(of name: String) -> [String] {
        fields.compactMap { $0.name.lowercased() == name.lowercased() ? $0.value : nil }
    }
}

extension TC3Request {
    /// The headers of a request that a client of these tests sent.
    var sent: [(name: String, value: String)] {
        get { (headers as? SentHeaders)?.fields ?? [] }
        set { headers = SentHeaders(fields: newValue) }
    }
}
