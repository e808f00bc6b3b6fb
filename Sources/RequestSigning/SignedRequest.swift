import Cryptography

/// A request with a signature that has not been verified yet.
public protocol SignedRequest: Sendable {
    /// The id of the key that it should be signed with.
    var secretID: String { get }

    /// What it is remembered by once it is verified.
    var mark: SignatureMark { get }

    /// The first parameter of which the signed text does not say where it ends, so
    /// that the same signature would fit other parameters too.
    var ambiguousParameter: String? { get }

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

    /// The request, to be verified again later.
    ///
    /// - Returns: nil if it was not signed with `secretKey`, if its signature does not cover what it asks for, or if
    ///   what it covers is no text.
    func kept(secretKey: Secret) throws(CryptographyError) -> KeptSignature?
}
