import Cryptography
import FoundationEssentials

/// The stages of Alibaba Cloud's older signature, HMAC-SHA1 over the parameters,
/// which travels as the parameter `Signature`.
///
/// Source: the ECS documentation, "Request signatures".
package enum RPCSignature {
    /// `SignatureMethod`; there is no other one.
    package static let method = "HMAC-SHA1"
    /// `SignatureVersion`.
    package static let version = "1.0"

    /// - Parameter parameters: unescaped; those of the query and of the form,
    ///   blank ones too, without `Signature`.
    package static func stringToSign(httpMethod: String, parameters: [(name: String, value: String)]) -> String {
        var text = Array(httpMethod.utf8)
        text += "&%2F&".utf8
        text.append(acsEscaped: canonicalizedQuery(parameters))
        return String(decoding: text, as: UTF8.self)
    }

    /// 20 bytes, sent in Base64. The key is the secret with an ampersand behind it.
    package static func signature(of stringToSign: String, secretKey: Secret) throws(CryptographyError) -> [UInt8] {
        try Digest.sha1.authenticationCode(of: stringToSign.utf8, key: "\(secretKey.reveal())&".utf8)
    }

    package static func base64(_ signature: [UInt8]) -> String { Data(signature).base64EncodedString() }
}

/// A request with such a signature, which has not been verified yet.
public struct RPCSignedRequest: Sendable {
    public let stringToSign: String
    /// `nil` for what is no Base64.
    private let signature: [UInt8]?

    /// Whether there is such a method.
    public static func knows(method: String) -> Bool { method.isSame(as: RPCSignature.method) }
    /// Whether there is such a version.
    public static func knows(version: String) -> Bool { version.isSame(as: RPCSignature.version) }

    /// - Parameters:
    ///   - parameters: all that the query and the form have, each name once;
    ///     unescaped. `Signature` is left out here.
    ///   - signature: the parameter `Signature`.
    public init(httpMethod: String, parameters: [(name: String, value: String)], signature: String) {
        stringToSign = RPCSignature.stringToSign(
            httpMethod: httpMethod, parameters: parameters.filter { !$0.name.isSame(as: "Signature") })
        // Foundation takes needless padding too.
        self.signature = Data(base64Encoded: signature).flatMap {
            $0.base64EncodedString().isSame(as: signature) ? Array($0) : nil
        }
    }

    /// Whether the request was signed with `secretKey`. The comparison takes the
    /// same time wherever the signatures differ.
    public func verify(secretKey: Secret) throws(CryptographyError) -> Bool {
        guard let signature else { return false }
        return equalInConstantTime(
            try RPCSignature.signature(of: stringToSign, secretKey: secretKey), signature)
    }
}
