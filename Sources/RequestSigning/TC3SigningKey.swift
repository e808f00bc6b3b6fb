import Cryptography

/// The key that a secret key yields for one day and one service.
package struct TC3SigningKey: Sendable {
    package let bytes: [UInt8]
    private let key: AuthenticationKey

    /// The third stage: `SecretDate`, `SecretService` and `SecretSigning` of the
    /// specification, each keying the next.
    package init(secretKey: Secret, scope: TC3CredentialScope) throws(CryptographyError) {
        let secretDate = try Self.secretDate(secretKey: secretKey, date: scope.date)
        let secretService = try Self.secretService(secretDate: secretDate, service: scope.service)
        bytes = try Digest.sha256.authenticationCode(of: TC3CredentialScope.terminator.utf8, key: secretService)
        key = try AuthenticationKey(bytes, digest: .sha256)
    }

    package static func secretDate(secretKey: Secret, date: String) throws(CryptographyError) -> [UInt8] {
        try Digest.sha256.authenticationCode(of: date.utf8, key: "TC3\(secretKey.reveal())".utf8)
    }

    package static func secretService(secretDate: [UInt8], service: String) throws(CryptographyError) -> [UInt8] {
        try Digest.sha256.authenticationCode(of: service.utf8, key: secretDate)
    }

    /// The last stage: 32 bytes, sent as lower-case hexadecimal.
    package func signature(of stringToSign: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try key.code(of: stringToSign)
    }
}

extension TC3SigningKey: CustomReflectable {
    /// Empty, so that no description or dump shows the key.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
