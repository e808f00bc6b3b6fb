import Cryptography

/// A request with a signature that has not been verified yet.
public protocol SignedRequest: Sendable {
    /// Whose key it should be signed with.
    var secretID: String { get }

    /// Whether the request was signed with `secretKey` at about this time.
    ///
    /// Each comparison takes the same time wherever the signatures differ.
    ///
    /// - Parameters:
    ///   - now: Unix time in seconds.
    ///   - keys: what earlier verifications derived.
    func verify(
        secretKey: Secret, at now: Int64, keys: TC3SigningKeys
    ) throws(CryptographyError) -> SignatureVerdict
}
