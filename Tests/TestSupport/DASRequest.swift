import Cryptography
import Foundation
import RequestSigning

/// A request for DAS, as the SDKs would send it.
public struct DASRequest: Sendable {
    public typealias Pair = (name: String, value: String)

    public var method = "POST"
    public var action: String
    public var version = "2020-01-16"
    public var host = "127.0.0.1:8156"
    public var accessKeyID = "AKIDEXAMPLE"
    public var accessKeySecret = "SKEXAMPLE"
    public var securityToken: String?
    /// Unix time in seconds.
    public var timestamp: Int64
    public var nonce = UUID().uuidString
    /// Of the action, sent in the query.
    public var query: [Pair]
    /// Of the action, sent in a form.
    public var form: [Pair] = []
    /// Sent as the body, in place of a form.
    public var json: String?
    /// Replaces, adds or leaves out (`nil`) common parameters of V1.
    public var common: [String: String?] = [:]
    /// Replaces, adds or leaves out (`nil`) headers, by lower-case name; signed by V3.
    public var headers: [String: String?] = [:]
    /// Sent in addition, and not signed.
    public var unsignedHeaders: [Pair] = []

    public init(_ action: String, _ query: [Pair] = [], timestamp: Int64) {
        self.action = action
        self.query = query
        self.timestamp = timestamp
    }

    /// This request with something changed.
    public func with(_ change: (inout DASRequest) -> Void) -> DASRequest {
        var request = self
        change(&request)
        return request
    }

    /// The request as it goes over the wire.
    public struct Signed: Sendable {
        public var method: String
        public var target: String
        public var headers: [Pair]
        public var body: [UInt8]

        public init(method: String, target: String, headers: [Pair], body: [UInt8]) {
            self.method = method
            self.target = target
            self.headers = headers
            self.body = body
        }

        /// The bytes of a request after which the connection ends.
        public var message: [UInt8] {
            var text = "\(method) \(target) HTTP/1.1\r\n"
            for header in headers { text += "\(header.name): \(header.value)\r\n" }
            return Array("\(text)Content-Length: \(body.count)\r\nConnection: close\r\n\r\n".utf8) + body
        }
    }

    // MARK: HMAC-SHA1 over the parameters

    public func signedV1() throws -> Signed {
        var parameters: [String: String?] = [
            "Action": action, "Version": version, "Format": "JSON", "AccessKeyId": accessKeyID,
            "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": nonce, "SignatureType": "",
            "Timestamp": time, "RegionId": "cn-shanghai", "SecurityToken": securityToken,
        ]
        parameters.merge(common) { $1 }
        var sent = parameters.compactMap { name, value in value.map { (name: name, value: $0) } } + query
        if parameters["Signature"] == nil {
            let signed = sent.filter { pair in !form.contains { $0.name == pair.name } } + form
            let text = RPCSignature.stringToSign(httpMethod: method, parameters: signed)
            let signature = try RPCSignature.signature(of: text, secretKey: Secret(accessKeySecret))
            sent.append(("Signature", RPCSignature.base64(signature)))
        }
        var lines: [Pair] = [("Host", host), ("x-acs-action", action), ("x-acs-version", version)]
        if let type = contentType { lines.append(("Content-Type", type)) }
        return Signed(method: method, target: target(sent), headers: lines + unsignedHeaders, body: body)
    }

    // MARK: ACS3-HMAC-SHA256

    public func signedV3() throws -> Signed {
        var signed: [String: String?] = [
            "host": host, "x-acs-action": action, "x-acs-version": version, "x-acs-date": time,
            "x-acs-signature-nonce": nonce, "x-acs-content-sha256": hexadecimal(try Digest.sha256.hash(body)),
            "accept": "application/json", "user-agent": "AlibabaCloud (Linux; x86_64)", "content-type": contentType,
            "x-acs-security-token": securityToken,
        ]
        signed.merge(headers) { $1 }
        let lines = signed.compactMap { name, value in value.map { (name: name, value: $0) } }
            .sorted { $0.name < $1.name }
        let canonicalRequest = ACS3.canonicalRequest(
            method: method, query: canonicalizedQuery(query), headers: lines,
            payloadHash: hexadecimal(try Digest.sha256.hash(body)))
        let text = ACS3.stringToSign(canonicalRequestHash: try Digest.sha256.hash(canonicalRequest))
        let authorization = ACS3Authorization(
            accessKeyID: accessKeyID, signedHeaders: lines.map(\.name),
            signature: try ACS3.signature(of: text, secretKey: Secret(accessKeySecret)))
        return Signed(
            method: method, target: target(query),
            headers: lines + [("Authorization", authorization.headerValue)] + unsignedHeaders, body: body)
    }

    // MARK: Parts

    private var time: String {
        Date(timeIntervalSince1970: TimeInterval(timestamp)).formatted(.iso8601)
    }

    private var contentType: String? {
        json != nil ? "application/json; charset=utf-8" : form.isEmpty ? nil : "application/x-www-form-urlencoded"
    }

    private var body: [UInt8] { Array((json ?? Self.text(form)).utf8) }

    private func target(_ pairs: [Pair]) -> String { pairs.isEmpty ? "/" : "/?\(Self.text(pairs))" }

    /// As Python writes it, not as it is signed: a blank as `+`.
    private static func text(_ pairs: [Pair]) -> String {
        let kept = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
        return pairs.map { pair in
            [pair.name, pair.value].map {
                ($0.addingPercentEncoding(withAllowedCharacters: kept.union(CharacterSet(charactersIn: " "))) ?? "")
                    .replacingOccurrences(of: " ", with: "+")
            }.joined(separator: "=")
        }.joined(separator: "&")
    }
}
