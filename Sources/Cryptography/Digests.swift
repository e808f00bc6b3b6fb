import COpenSSL

/// Digests and message authentication codes, computed by OpenSSL.
public enum Digest: Sendable {
    case sha1
    case sha256

    /// The digest of `message`: 20 bytes for SHA-1, 32 for SHA-256.
    ///
    /// - Throws: ``CryptographyError`` if OpenSSL refuses (a FIPS build without
    ///   SHA-1, no memory).
    @inlinable
    public func hash(_ message: some Sequence<UInt8>) throws(CryptographyError) -> [UInt8] {
        try hash(bytes: Array(message))
    }

    @usableFromInline
    func hash(bytes: [UInt8]) throws(CryptographyError) -> [UInt8] {
        let digest = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { output, count in
            var length: UInt32 = 0
            let isDone = EVP_Digest(bytes, bytes.count, output.baseAddress, &length, algorithm, nil) == 1
            count = isDone ? Int(length) : 0
        }
        guard !digest.isEmpty else { throw CryptographyError(operation: "EVP_Digest") }
        return digest
    }

    /// HMAC (RFC 2104) of `message` under `key`.
    @inlinable
    public func authenticationCode(
        of message: some Sequence<UInt8>, key: some Sequence<UInt8>
    ) throws(CryptographyError) -> [UInt8] {
        try AuthenticationKey(key, digest: self).code(of: message)
    }

    fileprivate var name: String {
        switch self {
        case .sha1: "SHA1"
        case .sha256: "SHA256"
        }
    }

    /// Fetched once: otherwise OpenSSL looks the algorithm up for each message,
    /// which takes as long as digesting a short one.
    fileprivate var algorithm: OpaquePointer? {
        switch self {
        case .sha1: Self.fetchedSHA1.pointer
        case .sha256: Self.fetchedSHA256.pointer
        }
    }

    private static let fetchedSHA1 = FetchedAlgorithm(EVP_MD_fetch(nil, "SHA1", nil))
    private static let fetchedSHA256 = FetchedAlgorithm(EVP_MD_fetch(nil, "SHA256", nil))
}

/// Never changed and never freed; `nil` if OpenSSL does not have it, which what
/// uses it refuses.
private struct FetchedAlgorithm: @unchecked Sendable {
    let pointer: OpaquePointer?
    init(_ pointer: OpaquePointer?) { self.pointer = pointer }
}

/// A key of HMAC (RFC 2104). What depends on the key alone is computed once,
/// which is more than half of the work for a short message.
public final class AuthenticationKey: @unchecked Sendable {
    /// Never changed: each use works on a copy, and OpenSSL only reads what it copies.
    private let context: OpaquePointer

    private static let fetchedHMAC = FetchedAlgorithm(EVP_MAC_fetch(nil, "HMAC", nil))

    /// - Throws: ``CryptographyError`` as ``Digest/hash(_:)`` does.
    @inlinable
    public convenience init(_ key: some Sequence<UInt8>, digest: Digest) throws(CryptographyError) {
        try self.init(bytes: Array(key), digest: digest)
    }

    @usableFromInline
    init(bytes: [UInt8], digest: Digest) throws(CryptographyError) {
        guard let algorithm = Self.fetchedHMAC.pointer else { throw CryptographyError(operation: "EVP_MAC_fetch") }
        guard let context = EVP_MAC_CTX_new(algorithm) else { throw CryptographyError(operation: "EVP_MAC_CTX_new") }
        var name = Array(digest.name.utf8CString)
        // The parameters point to both texts, so neither may be a temporary one of its call.
        let isReady = "digest".withCString { key in
            name.withUnsafeMutableBufferPointer { name in
                let parameters = [
                    OSSL_PARAM_construct_utf8_string(key, name.baseAddress, 0), OSSL_PARAM_construct_end(),
                ]
                // With no key at all OpenSSL would look for one that was set before.
                return bytes.isEmpty
                    ? EVP_MAC_init(context, [0], 0, parameters) : EVP_MAC_init(context, bytes, bytes.count, parameters)
            }
        }
        guard isReady == 1 else {
            EVP_MAC_CTX_free(context)
            throw CryptographyError(operation: "EVP_MAC_init")
        }
        self.context = context
    }

    deinit { EVP_MAC_CTX_free(context) }

    /// The code of `message`: 20 bytes for SHA-1, 32 for SHA-256.
    @inlinable
    public func code(of message: some Sequence<UInt8>) throws(CryptographyError) -> [UInt8] {
        try code(ofBytes: Array(message))
    }

    @usableFromInline
    func code(ofBytes message: [UInt8]) throws(CryptographyError) -> [UInt8] {
        guard let copy = EVP_MAC_CTX_dup(context) else { throw CryptographyError(operation: "EVP_MAC_CTX_dup") }
        defer { EVP_MAC_CTX_free(copy) }
        let code = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { output, count in
            let isDone =
                EVP_MAC_update(copy, message, message.count) == 1
                && EVP_MAC_final(copy, output.baseAddress, &count, output.count) == 1
            if !isDone { count = 0 }
        }
        guard !code.isEmpty else { throw CryptographyError(operation: "EVP_MAC_final") }
        return code
    }
}

/// Digests one message after the other, with what OpenSSL needs for it made once: for short messages that takes longer
/// than the digest.
public struct DigestContext: ~Copyable {
    private let context: OpaquePointer
    private let algorithm: OpaquePointer

    /// - Throws: ``CryptographyError`` as ``Digest/hash(_:)`` does.
    public init(_ digest: Digest) throws(CryptographyError) {
        guard let algorithm = digest.algorithm else { throw CryptographyError(operation: "EVP_MD_fetch") }
        guard let context = EVP_MD_CTX_new() else { throw CryptographyError(operation: "EVP_MD_CTX_new") }
        self.algorithm = algorithm
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Writes the digest of `message` over `text`, in lower-case hexadecimal.
    public borrowing func hash(
        _ message: UnsafeRawBufferPointer, hexadecimalInto text: inout [UInt8]
    ) throws(CryptographyError) {
        try hash(message.baseAddress, message.count, into: &text)
    }

    /// The same of an array.
    public borrowing func hash(_ message: [UInt8], hexadecimalInto text: inout [UInt8]) throws(CryptographyError) {
        try hash(message, message.count, into: &text)
    }

    private borrowing func hash(
        _ start: UnsafeRawPointer?, _ count: Int, into text: inout [UInt8]
    ) throws(CryptographyError) {
        var length: UInt32 = 0
        let isDone = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(EVP_MAX_MD_SIZE)) { digest in
            guard EVP_DigestInit_ex2(context, algorithm, nil) == 1, EVP_DigestUpdate(context, start, count) == 1,
                EVP_DigestFinal_ex(context, digest.baseAddress, &length) == 1
            else { return false }
            text.removeAll(keepingCapacity: true)
            for byte in digest[..<Int(length)] {
                text.append(hexadecimalDigit(byte >> 4))
                text.append(hexadecimalDigit(byte & 0x0F))
            }
            return true
        }
        guard isDone else { throw CryptographyError(operation: "EVP_DigestFinal_ex") }
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
