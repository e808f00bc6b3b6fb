/// What verifying a signature found.
public enum SignatureVerdict: Equatable, Sendable {
    case verified
    /// The timestamp is more than 300 s before or after the server's time,
    /// which is Unix time in seconds.
    case expired(serverTime: Int64)
    case mismatched

    /// The seconds that a client's clock may be off, in either direction.
    private static let clockTolerance: Int64 = 300

    /// - Parameter now: Unix time in seconds.
    public static func hasExpired(_ timestamp: Int64, at now: Int64) -> Bool {
        !(now - clockTolerance...now + clockTolerance).contains(timestamp)
    }
}
