import Glibc
import Text

/// Keeps a verification below the vendor's 20 calls of an action in a second.
struct Pace {
    /// When the last calls were made, by account and action.
    private var calls: [ExactText: [ContinuousClock.Instant]] = [:]

    private static let mostCalls = 15
    private static let span = Duration.milliseconds(1_100)

    /// Notes a call.
    ///
    /// - Parameter waits: whether it is put off until there were few enough before it.
    mutating func call(_ action: String, of account: String, waits: Bool) {
        let key = ExactText("\(account) \(action)")
        var before = calls[key] ?? []
        if waits, before.count >= Self.mostCalls {
            let wait = Self.span - before[before.count - Self.mostCalls].duration(to: .now)
            if wait > .zero { usleep(UInt32(wait / .microseconds(1))) }
        }
        before.append(.now)
        calls[key] = Array(before.suffix(Self.mostCalls))
    }
}
