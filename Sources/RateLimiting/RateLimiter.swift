/// Limits how many calls per key are accepted in any one second.
///
/// The second slides: of the calls with a key, never more than the limit are
/// accepted within one second, wherever it begins. Rejected calls do not prolong
/// the rejection, so a client that offers more than the limit still gets the
/// limit.
///
/// A key is remembered for one to two seconds after its last accepted call as
/// long as calls come in; the memory is in proportion to the calls accepted in
/// that time.
public struct RateLimiter<Key: Hashable & Sendable>: Sendable {
    private let limit: Int
    private var windows: [Key: Window] = [:]
    private var latest: ContinuousClock.Instant?
    private var nextSweep: ContinuousClock.Instant?

    /// - Parameter limit: calls a second and key, 1 to 1,000,000; anything else
    ///   gives `nil`.
    public init?(limit: Int) {
        guard (1...1_000_000).contains(limit) else { return nil }
        self.limit = limit
    }

    /// Accepts or rejects one call.
    ///
    /// - Parameter time: the time of the call. A time before that of an earlier
    ///   call is taken as that one.
    public mutating func admit(_ key: Key, at time: ContinuousClock.Instant) -> Admission {
        let now = latest.map { max($0, time) } ?? time
        latest = now
        forgetIdleKeys(at: now)
        return windows[key, default: Window()].admit(at: now, limit: limit)
    }

    /// How many keys are remembered.
    package var keyCount: Int { windows.count }

    /// Every key found here was used since the last sweep or the second before
    /// it, so a sweep a second costs each call a constant share.
    private mutating func forgetIdleKeys(at now: ContinuousClock.Instant) {
        if let nextSweep, now < nextSweep { return }
        nextSweep = now.advanced(by: .seconds(1))
        windows = windows.filter { !$0.value.isIdle(at: now) }
    }
}

/// What becomes of one call.
public enum Admission: Equatable, Sendable {
    case accepted
    /// - `countInThisSecond`: all calls, accepted or rejected and this one
    ///   included, since the oldest accepted call of the last second. The first
    ///   rejection names the limit plus one.
    case rejected(countInThisSecond: Int, limit: Int)
}
