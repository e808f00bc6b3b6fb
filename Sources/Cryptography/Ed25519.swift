import COpenSSL

/// A key that signs (Ed25519, RFC 8032).
public struct Ed25519PrivateKey: ~Copyable {
    private let key: OpaquePointer

    /// A fresh one.
    public init() throws(CryptographyError) {
        guard let context = EVP_PKEY_CTX_new_from_name(nil, Ed25519.name, nil) else {
            throw CryptographyError(operation: "EVP_PKEY_CTX_new_from_name")
        }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_generate(context, &key) == 1, let key else {
            throw CryptographyError(operation: "EVP_PKEY_generate")
        }
        self.key = key
    }

    /// - Parameter pem: a private key that is not encrypted, as `openssl genpkey -algorithm ed25519` writes it; nil for
    ///   any other text.
    public init?(pem: [UInt8]) {
        // No password is asked for: nobody may be there to type one.
        guard let key = Ed25519.read(pem, { PEM_read_bio_PrivateKey($0, nil, { _, _, _, _ in -1 }, nil) }) else {
            return nil
        }
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    /// Not encrypted.
    public var pem: [UInt8] {
        get throws(CryptographyError) {
            try Ed25519.written("PEM_write_bio_PKCS8PrivateKey") { [key] bio in
                PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil)
            }
        }
    }

    public var publicKey: Ed25519PublicKey {
        get throws(CryptographyError) { try Ed25519.publicKey(of: key) }
    }

    /// The signature of `message`: 64 bytes.
    public borrowing func signature(of message: [UInt8]) throws(CryptographyError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw CryptographyError(operation: "EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
            EVP_DigestSign(context, &signature, &count, message, message.count) == 1, count == signature.count
        else { throw CryptographyError(operation: "EVP_DigestSign") }
        return signature
    }
}

/// A key that verifies what ``Ed25519PrivateKey`` signed.
public struct Ed25519PublicKey: Hashable, Sendable {
    /// 32.
    public let bytes: [UInt8]

    /// - Parameter bytes: 32; nil for more or fewer.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// - Parameter pem: a public key; nil for any other text.
    public init?(pem: [UInt8]) {
        guard let key = Ed25519.read(pem, { PEM_read_bio_PUBKEY($0, nil, nil, nil) }) else { return nil }
        defer { EVP_PKEY_free(key) }
        guard let publicKey = try? Ed25519.publicKey(of: key) else { return nil }
        self = publicKey
    }

    public func pem() throws(CryptographyError) -> [UInt8] {
        let key = try openKey()
        defer { EVP_PKEY_free(key) }
        return try Ed25519.written("PEM_write_bio_PUBKEY") { PEM_write_bio_PUBKEY($0, key) }
    }

    /// Whether a signature is that of `message`.
    public func verifies(_ signature: [UInt8], of message: [UInt8]) throws(CryptographyError) -> Bool {
        let key = try openKey()
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { throw CryptographyError(operation: "EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else {
            throw CryptographyError(operation: "EVP_DigestVerifyInit")
        }
        let isValid = EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        ERR_clear_error()
        return isValid
    }

    private func openKey() throws(CryptographyError) -> OpaquePointer {
        guard let key = EVP_PKEY_new_raw_public_key_ex(nil, Ed25519.name, nil, bytes, bytes.count) else {
            throw CryptographyError(operation: "EVP_PKEY_new_raw_public_key_ex")
        }
        return key
    }
}

private enum Ed25519 {
    static let name = "ED25519"

    /// - Returns: nil for a text that holds no such key.
    static func read(_ pem: [UInt8], _ read: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        // What OpenSSL cannot read stays in the thread's queue of errors otherwise.
        defer { ERR_clear_error() }
        return pem.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            guard let key = read(bio) else { return nil }
            guard EVP_PKEY_is_a(key, name) == 1 else {
                EVP_PKEY_free(key)
                return nil
            }
            return key
        }
    }

    static func written(
        _ operation: String, _ write: (OpaquePointer) -> Int32
    ) throws(CryptographyError) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { throw CryptographyError(operation: "BIO_new") }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { throw CryptographyError(operation: operation) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = BIO_read(bio, &bytes, Int32(bytes.count))
        guard count > 0, count < bytes.count else { throw CryptographyError(operation: "BIO_read") }
        return Array(bytes[..<Int(count)])
    }

    static func publicKey(of key: OpaquePointer) throws(CryptographyError) -> Ed25519PublicKey {
        var bytes = [UInt8](repeating: 0, count: 32)
        var count = bytes.count
        guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1, count == bytes.count,
            let publicKey = Ed25519PublicKey(bytes: bytes)
        else { throw CryptographyError(operation: "EVP_PKEY_get_raw_public_key") }
        return publicKey
    }
}
