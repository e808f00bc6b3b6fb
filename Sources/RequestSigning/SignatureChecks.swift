/// What a server checks of signatures: all of it, unless it lets clients be tested that cannot sign, or requests be sent
/// again that were recorded.
public struct SignatureChecks: Hashable, Sendable {
    /// Whether a signature has to be the one that the server computes.
    public var match: Bool
    /// Whether a signature has to be of about now, and of a time from which on the server knows which ones it has taken.
    public var age: Bool

    public static let all = SignatureChecks(match: true, age: true)

    public init(match: Bool, age: Bool) {
        self.match = match
        self.age = age
    }

    /// The time by which a signature is judged, in Unix seconds.
    ///
    /// - Parameter timestamp: the signature's own, whatever somebody wrote there.
    public func time(now: Int64, timestamp: Int64) -> Int64 { age ? now : min(max(0, timestamp), Self.latest) }

    /// The end of the year 9999.
    private static let latest: Int64 = 253_402_300_799
}
