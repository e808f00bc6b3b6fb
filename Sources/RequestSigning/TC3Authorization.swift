import Cryptography

/// The `Authorization` header of a TC3-HMAC-SHA256 request, taken apart.
///
/// ```
/// TC3-HMAC-SHA256 Credential=<id>/<date>/<service>/tc3_request, SignedHeaders=content-type;host, Signature=<64 hex>
/// ```
public struct TC3Authorization: Equatable, Sendable {
    public let secretID: String
    public let scope: TC3CredentialScope
    /// The lower-case names of the signed headers in ascending order of their bytes, none twice.
    public let signedHeaders: [String]
    /// 32 bytes.
    public let signature: [UInt8]

    package init(secretID: String, scope: TC3CredentialScope, signedHeaders: [String], signature: [UInt8]) {
        self.secretID = secretID
        self.scope = scope
        self.signedHeaders = signedHeaders
        self.signature = signature
    }

    static let algorithm = "TC3-HMAC-SHA256"

    /// The value of the header.
    public var headerValue: String {
        var scopeText: [UInt8] = []
        scope.append(to: &scopeText)
        return "\(Self.algorithm) Credential=\(secretID)/\(String(decoding: scopeText, as: UTF8.self)), "
            + "SignedHeaders=\(signedHeaders.joined(separator: ";")), Signature=\(hexadecimal(signature))"
    }
}

extension TC3Authorization {
    /// Takes the value of the header apart.
    ///
    /// Tolerates what clients in use send: several blanks after the algorithm
    /// (the .NET SDK sends two) and any blanks, or none, around the commas.
    /// Everything else is rejected.
    public init(parsing headerValue: String) throws(TC3AuthorizationError) {
        var text = AuthorizationScanner(headerValue)
        text.skipBlanks()
        let algorithm = text.takeWord()
        guard algorithm.elementsEqual(Self.algorithm.utf8) else {
            throw algorithm.elementsEqual("SKIP".utf8) ? .unsigned : .unsupportedAlgorithm
        }
        text.skipBlanks()
        (secretID, scope) = try Self.credential(text.takeValue(of: .credential))
        guard text.skipComma() else { throw .missing(.signedHeaders) }
        signedHeaders = try Self.signedHeaders(text.takeValue(of: .signedHeaders))
        guard text.skipComma() else { throw .missing(.signature) }
        signature = try Self.signature(text.takeValue(of: .signature))
        text.skipBlanks()
        guard text.isAtEnd else { throw .trailingText }
    }

    private static func credential(
        _ value: ArraySlice<UInt8>
    ) throws(TC3AuthorizationError) -> (secretID: String, scope: TC3CredentialScope) {
        let parts = value.split(at: "/")
        guard value.allSatisfy({ (0x21...0x7E).contains($0) }), parts.count == 4,
            !parts.contains(""), parts[3] == TC3CredentialScope.terminator
        else { throw .invalid(.credential) }
        return (parts[0], TC3CredentialScope(date: parts[1], service: parts[2]))
    }

    private static func signedHeaders(_ value: ArraySlice<UInt8>) throws(TC3AuthorizationError) -> [String] {
        guard let names = signedHeaderNames(value) else { throw .invalid(.signedHeaders) }
        return names
    }

    private static func signature(_ value: ArraySlice<UInt8>) throws(TC3AuthorizationError) -> [UInt8] {
        guard value.count == 64, !value.contains(where: { (0x41...0x5A).contains($0) }),
            let bytes = bytes(hexadecimalDigits: value)
        else { throw .invalid(.signature) }
        return bytes
    }
}

extension AuthorizationScanner {
    fileprivate mutating func takeValue(
        of part: TC3AuthorizationError.Part
    ) throws(TC3AuthorizationError) -> ArraySlice<UInt8> {
        guard let value = takeValue(of: part.rawValue) else { throw .missing(part) }
        return value
    }
}
