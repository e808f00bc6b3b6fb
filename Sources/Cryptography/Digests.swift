import COpenSSL

/// Digests and message authentication codes, computed by OpenSSL.
public enum Digest: Sendable {
    case sha1
    case sha256

    /// The digest of `message`: 20 bytes for SHA-1, 32 for SHA-256.
    ///
    /// - Throws: ``CryptographyError`` if OpenSSL refuses (a FIPS build without
    ///   SHA-1, no memory).
    public func hash(_ message: some Sequence<UInt8>) throws(CryptographyError) -> [UInt8] {
        let bytes = Array(message)
        var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard EVP_Digest(bytes, bytes.count, &output, &length, algorithm, nil) == 1 else {
            throw CryptographyError(operation: "EVP_Digest")
        }
        return Array(output.prefix(Int(length)))
    }

    /// HMAC (RFC 2104) of `message` under `key`.
    public func authenticationCode(
        of message: some Sequence<UInt8>, key: some Sequence<UInt8>
    ) throws(CryptographyError) -> [UInt8] {
        let message = Array(message)
        let key = Array(key)
        var output = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard HMAC(algorithm, key, Int32(key.count), message, message.count, &output, &length) != nil else {
            throw CryptographyError(operation: "HMAC")
        }
        return Array(output.prefix(Int(length)))
    }

    private var algorithm: OpaquePointer? {
        switch self {
        case .sha1: EVP_sha1()
        case .sha256: EVP_sha256()
        }
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
public func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}

/// OpenSSL reported a failure.
public struct CryptographyError: Error, CustomStringConvertible {
    /// The OpenSSL function that failed.
    public let operation: String

    public var description: String { "OpenSSL's \(operation) failed" }
}
