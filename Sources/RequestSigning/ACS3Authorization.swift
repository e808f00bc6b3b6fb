import Cryptography

/// The `Authorization` header of an ACS3-HMAC-SHA256 request, taken apart.
///
/// ```
/// ACS3-HMAC-SHA256 Credential=<id>,SignedHeaders=host;x-acs-action,Signature=<64 hex>
/// ```
public struct ACS3Authorization: Equatable, Sendable {
    public let accessKeyID: String
    /// The lower-case names of the signed headers in ascending order of their bytes, none twice.
    public let signedHeaders: [String]
    /// 32 bytes.
    public let signature: [UInt8]

    package init(accessKeyID: String, signedHeaders: [String], signature: [UInt8]) {
        self.accessKeyID = accessKeyID
        self.signedHeaders = signedHeaders
        self.signature = signature
    }

    /// The value of the header.
    public var headerValue: String {
        "\(ACS3.algorithm) Credential=\(accessKeyID),SignedHeaders=\(signedHeaders.joined(separator: ";")),"
            + "Signature=\(hexadecimal(signature))"
    }

    /// Takes the value of the header apart. Blanks are allowed around the commas,
    /// everything else is rejected.
    public init(parsing headerValue: String) throws(ACS3AuthorizationError) {
        var text = AuthorizationScanner(headerValue)
        text.skipBlanks()
        guard text.takeWord().elementsEqual(ACS3.algorithm.utf8) else { throw .unsupportedAlgorithm }
        text.skipBlanks()
        guard let credential = text.takeValue(of: "Credential"), !credential.isEmpty,
            credential.allSatisfy({ (0x21...0x7E).contains($0) }),
            text.skipComma(), let names = text.takeValue(of: "SignedHeaders").flatMap(signedHeaderNames),
            text.skipComma(), let digits = text.takeValue(of: "Signature"),
            digits.count == 64, !digits.contains(where: { (0x41...0x5A).contains($0) }),
            let signature = bytes(hexadecimal: String(decoding: digits, as: UTF8.self))
        else { throw .malformed }
        text.skipBlanks()
        guard text.isAtEnd else { throw .malformed }
        self.init(
            accessKeyID: String(decoding: credential, as: UTF8.self), signedHeaders: names, signature: signature)
    }
}

/// Why a request's `Authorization` cannot even be checked.
public enum ACS3AuthorizationError: Error, Equatable, Sendable {
    /// Another algorithm than ACS3-HMAC-SHA256, such as ACS3-HMAC-SM3.
    case unsupportedAlgorithm
    case malformed
    /// A header that decides what the request means is not among the signed ones.
    case notSigned(header: String)
    /// The header is signed but the request does not carry it.
    case absent(header: String)
    /// The request carries the header more than once, so that the one signed and
    /// the one obeyed might differ.
    case repeated(header: String)
}
