import Cryptography
import Text

/// What the log says of a signature that was rejected, besides who sent it: so
/// that a wrong key looks different from a `Host` that a proxy has rewritten.
public struct RejectedSignature: Sendable {
    public enum Reason: String, Sendable {
        /// What proves who sent the request is missing, or not of its form.
        case malformed
        /// No account has the key id.
        case unknownKey = "unknown-key"
        /// The timestamp is too far from the clock.
        case expired
        /// It is not what the key gives for any name that the host may have: either is another one.
        case mismatched
        /// The token of temporary credentials is missing or wrong.
        case token
        /// The signature, or its nonce, may have been taken before.
        case repeated
        /// The signed text would fit other parameters too.
        case ambiguous
    }

    public let reason: Reason
    /// The `Host` that came.
    public let host: String
    /// The id of the key that the request says it is signed with; empty if it does not say.
    public let keyID: String

    /// - Parameters:
    ///   - keyID: as the client wrote it.
    ///   - secrets: none of these is told: one may stand in the key id's place.
    public init(_ reason: Reason, host: String, keyID: String?, secrets: some Sequence<Secret>) {
        self.reason = reason
        self.host = host.beginning(bytes: Self.longest)
        let keyID = keyID ?? ""
        self.keyID = secrets.contains { $0.isSame(as: keyID) } ? "<secret>" : keyID.beginning(bytes: Self.longest)
    }

    /// The most bytes of a host or a key id. Longer ones do not exist.
    private static let longest = 255
}

extension Secret {
    /// Takes the same time wherever the texts differ.
    fileprivate func isSame(as text: String) -> Bool {
        equalInConstantTime(Array(reveal().utf8), Array(text.utf8))
    }
}
