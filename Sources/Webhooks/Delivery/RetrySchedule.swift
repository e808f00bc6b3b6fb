import SessionKill

/// When a message is tried again.
enum RetrySchedule {
    /// Before each attempt, in seconds: together somewhat less than a day, with jitter somewhat more.
    static let delays = [0, 5, 30, 120, 600, 1_800, 7_200, 21_600, 54_000]

    /// When a message is due again; nil if it was tried often enough.
    ///
    /// - Parameters:
    ///   - attempts: how often it was tried by now.
    ///   - random: from 0 to 1. Receivers that come back are not met by all at once. Delays are only made longer, so that
    ///     a receiver may be away for a day.
    static func nextAttempt(after attempts: Int, at time: UnixTime, random: Double) -> UnixTime? {
        guard attempts < delays.count else { return nil }
        return time.after(seconds: Double(delays[attempts]) * (1.02 + 0.18 * min(max(random, 0), 1)))
    }
}

extension UnixTime {
    func after(seconds: Double) -> UnixTime { UnixTime(milliseconds: milliseconds + Int64(seconds * 1_000)) }
}
