/// How a body or a response gets on: it must be over in time, and must not
/// crawl.
struct TransferProgress: Sendable {
    private let start: MonotonicTime
    /// The last time at which enough bytes had gone over.
    private var lastProgress: MonotonicTime
    /// The bytes since then.
    private var bytes = 0

    init(at now: MonotonicTime) {
        start = now
        lastProgress = now
    }

    /// Bytes went over.
    ///
    /// - Parameters:
    ///   - stall: how long too few bytes may go over.
    ///   - rate: how many a second are enough.
    mutating func note(_ count: Int, at now: MonotonicTime, within stall: Duration, rate: Int) {
        let enough = max(1, Int(stall / .seconds(1) * Double(rate)))
        bytes += count
        guard bytes >= enough else { return }
        bytes %= enough
        lastProgress = now
    }

    func deadline(within stall: Duration, total: Duration) -> MonotonicTime { min(start + total, lastProgress + stall) }
}
