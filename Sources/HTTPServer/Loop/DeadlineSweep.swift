/// When the deadlines of all connections are looked at next.
struct DeadlineSweep {
    /// A time before which no connection has a deadline.
    private var earliest: MonotonicTime?
    private var last = MonotonicTime.now

    /// The time between two sweeps at the least, so that looking at all connections
    /// each time costs next to nothing.
    private static let interval = Duration.milliseconds(25)

    /// Nil if no connection has a deadline.
    var due: MonotonicTime? { earliest.map { max($0, last + Self.interval) } }

    /// A sweep begins, in which each deadline that has not come is noted again.
    mutating func begin(at now: MonotonicTime) {
        last = now
        earliest = nil
    }

    mutating func note(_ deadline: MonotonicTime) {
        if let earliest, earliest <= deadline { return }
        earliest = deadline
    }
}
