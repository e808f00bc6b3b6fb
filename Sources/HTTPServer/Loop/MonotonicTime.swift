import Glibc

/// A moment on the clock that nobody sets (CLOCK_MONOTONIC).
///
/// Not `ContinuousClock.Instant`, whose size is unknown when we are compiled:
/// it would make the layout of every connection's state a matter of run time,
/// for every request.
struct MonotonicTime: Comparable, Sendable {
    private let sinceStart: Duration

    static var now: MonotonicTime {
        var time = timespec()
        // Fails only for an unknown clock.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(sinceStart: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
    }

    static func < (left: Self, right: Self) -> Bool { left.sinceStart < right.sinceStart }

    static func + (time: Self, duration: Duration) -> Self { Self(sinceStart: time.sinceStart + duration) }

    /// Zero if `later` is in the past.
    func duration(to later: Self) -> Duration { max(.zero, later.sinceStart - sinceStart) }
}
