import Cryptography
import Synchronization

/// Remembers the signing keys of the day: deriving one takes three of the four
/// HMACs of a verification.
///
/// A key is remembered with the secret key that it came from, so that it does
/// not outlive a change of that.
public final class TC3SigningKeys: Sendable {
    private struct Origin: Hashable {
        let secretID: String
        let scope: TC3CredentialScope
    }
    private struct Derived {
        let secretKey: Secret
        let key: TC3SigningKey
    }

    /// The most keys: far more than the accounts and services of a day; when there
    /// are so many, all are forgotten.
    private static let capacity = 256

    private let keys = Mutex<[Origin: Derived]>([:])

    public init() {}

    func key(
        of secretID: String, secretKey: Secret, scope: TC3CredentialScope
    ) throws(CryptographyError) -> TC3SigningKey {
        let origin = Origin(secretID: secretID, scope: scope)
        if let known = keys.withLock({ $0[origin] }), known.secretKey.reveal() == secretKey.reveal() {
            return known.key
        }
        let key = try TC3SigningKey(secretKey: secretKey, scope: scope)
        keys.withLock { keys in
            if keys.count >= Self.capacity { keys = [:] }
            keys[origin] = Derived(secretKey: secretKey, key: key)
        }
        return key
    }
}
