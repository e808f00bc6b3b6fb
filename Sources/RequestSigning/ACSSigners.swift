import Cryptography
import FoundationEssentials
import Text

/// Signs requests as Alibaba Cloud's older SDKs do, with HMAC-SHA1 over all parameters.
public struct RPCSigner: Sendable {
    public typealias Parameter = (name: String, value: String)

    private let accessKeyID: String
    private let secretKey: Secret

    public init(accessKeyID: String, secretKey: Secret) {
        self.accessKeyID = accessKeyID
        self.secretKey = secretKey
    }

    /// All parameters that are sent, those that say who signed and when, and `Signature`.
    ///
    /// - Parameters:
    ///   - parameters: unescaped, each name once. One that this adds stays as it stands here.
    ///   - timestamp: Unix time in seconds.
    public func signed(
        httpMethod: String, parameters: [Parameter], timestamp: Int64, nonce: String
    ) throws(CryptographyError) -> [Parameter] {
        let own: [Parameter] = [
            ("AccessKeyId", accessKeyID), ("SignatureMethod", RPCSignature.method),
            ("SignatureVersion", RPCSignature.version), ("SignatureNonce", nonce),
            ("Timestamp", ACSTimestamp(seconds: timestamp).text),
        ]
        let all = parameters + own.filter { parameter in !parameters.contains { $0.name.isSame(as: parameter.name) } }
        let text = RPCSignature.stringToSign(httpMethod: httpMethod, parameters: all)
        let signature = try RPCSignature.signature(of: text, secretKey: secretKey)
        return all + [("Signature", RPCSignature.base64(signature))]
    }

    /// Parameters as a query or a form has them.
    public static func query(_ parameters: [Parameter]) -> String {
        String(decoding: canonicalizedQuery(parameters), as: UTF8.self)
    }
}

/// Signs requests as Alibaba Cloud's SDKs do since version 3, with ACS3-HMAC-SHA256.
public struct ACS3Signer: Sendable {
    private let accessKeyID: String
    private let secretKey: Secret

    public init(accessKeyID: String, secretKey: Secret) {
        self.accessKeyID = accessKeyID
        self.secretKey = secretKey
    }

    /// The `Authorization` of a request.
    ///
    /// - Parameters:
    ///   - query: unescaped.
    ///   - headers: all that are signed, by lower-case name; the values as they will be sent.
    public func authorization(
        method: String, query: [(name: String, value: String)], headers: [(name: String, value: String)],
        payload: [UInt8]
    ) throws(CryptographyError) -> ACS3Authorization {
        let headers = headers.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let request = ACS3.canonicalRequest(
            method: method, query: canonicalizedQuery(query), headers: headers,
            payloadHash: hexadecimal(try Digest.sha256.hash(payload)))
        let text = ACS3.stringToSign(canonicalRequestHash: try Digest.sha256.hash(request))
        return ACS3Authorization(
            accessKeyID: accessKeyID, signedHeaders: headers.map(\.name),
            signature: try ACS3.signature(of: text, secretKey: secretKey))
    }
}

extension ACSTimestamp {
    /// `yyyy-MM-ddTHH:mm:ssZ`.
    public var text: String { Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601) }
}
