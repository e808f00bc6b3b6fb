import Cryptography
import FoundationEssentials

/// The older signature, which travels as the parameter `Signature` of a query
/// or a form.
public enum V1Signature {
    /// `SignatureMethod`.
    public enum Method: String, Sendable {
        case hmacSHA1 = "HmacSHA1"
        case hmacSHA256 = "HmacSHA256"

        /// The vendor takes every other value for `HmacSHA1`, as it does none; but a
        /// client that names another method has not signed with this one.
        ///
        /// - Parameter parameter: the value; `nil` if the parameter is absent.
        public init?(parameter: String?) {
            guard let parameter else {
                self = .hmacSHA1
                return
            }
            // By bytes: `==` takes time quadratic in the combining marks of a text.
            guard parameter.utf8.count <= 16 else { return nil }
            self.init(rawValue: parameter)
        }
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

    /// The first parameter that makes ``stringToSign(httpMethod:host:parameters:)``
    /// the text of other parameters too: nothing is escaped in it, so a value with
    /// an `&` reads like another parameter behind it, and several parameters read
    /// like one. Without those, an `&` always ends a value, and the first `=` a name.
    static func ambiguousName(in parameters: [(name: String, value: String)]) -> String? {
        let (ampersand, equalsSign) = (UInt8(ascii: "&"), UInt8(ascii: "="))
        return parameters.first {
            $0.value.utf8.contains(ampersand) || $0.name.utf8.contains { $0 == ampersand || $0 == equalsSign }
        }?.name
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
