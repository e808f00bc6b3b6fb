import Cryptography
import FoundationEssentials

/// The older signature, which travels as the parameter `Signature` of a query
/// or a form.
public enum V1Signature {
    /// `SignatureMethod`. The vendor takes every other value, and none, for
    /// `HmacSHA1`.
    public enum Method: String, Sendable {
        case hmacSHA1 = "HmacSHA1"
        case hmacSHA256 = "HmacSHA256"
    }

    /// The text that is signed.
    ///
    /// - Parameter parameters: names and unescaped values in the order in which
    ///   they are signed, without `Signature`.
    public static func stringToSign(
        httpMethod: String, host: String, parameters: [(name: String, value: String)]
    ) -> String {
        stringToSign(httpMethod: httpMethod, host: host, parameters: text(of: parameters))
    }

    static func stringToSign(httpMethod: String, host: String, parameters: String) -> String {
        "\(httpMethod)\(host)/?\(parameters)"
    }

    static func text(of parameters: [(name: String, value: String)]) -> String {
        var text = ""
        text.reserveCapacity(512)
        for (name, value) in parameters {
            if !text.isEmpty { text += "&" }
            text += name
            text += "="
            text += value
        }
        return text
    }

    /// The signature in Base64, not yet escaped for a URL.
    public static func signature(
        of stringToSign: String, secretKey: Secret, method: Method
    ) throws(CryptographyError) -> String {
        Data(try method.key(secretKey).code(of: stringToSign.utf8)).base64EncodedString()
    }
}

extension V1Signature.Method {
    func key(_ secretKey: Secret) throws(CryptographyError) -> AuthenticationKey {
        let digest: Digest =
            switch self {
            case .hmacSHA1: .sha1
            case .hmacSHA256: .sha256
            }
        return try AuthenticationKey(secretKey.reveal().utf8, digest: digest)
    }
}
