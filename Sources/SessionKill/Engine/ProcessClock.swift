import Synchronization

/// The time of day that deadlines go by: it never runs backwards.
///
/// It goes on as a monotonic clock does, and follows the wall clock forward
/// only. So whoever sets the wall clock back gives no plan, task or nonce any
/// more time. Across a restart its floor is the newest time that the store has
/// on record.
public final class ProcessClock: Sendable {
    private struct Anchor {
        var time: UnixTime
        var instant: Duration
    }

    private let wall: @Sendable () -> UnixTime
    private let monotonic: @Sendable () -> Duration
    private let anchor: Mutex<Anchor>

    /// - Parameters:
    ///   - wall: the system's time of day, which can be set.
    ///   - monotonic: how long it has been since some moment, suspension
    ///     included, which nobody can set.
    ///   - floor: a time that was on record before the process began.
    public init(
        wall: @escaping @Sendable () -> UnixTime, monotonic: @escaping @Sendable () -> Duration, floor: UnixTime?
    ) {
        self.wall = wall
        self.monotonic = monotonic
        anchor = Mutex(Anchor(time: floor ?? UnixTime(milliseconds: .min), instant: monotonic()))
    }

    public var now: @Sendable () -> UnixTime {
        { self.read() }
    }

    private func read() -> UnixTime {
        anchor.withLock { anchor in
            let (wall, instant) = (self.wall(), monotonic())
            let passed = max(.zero, instant - anchor.instant)
            let kept = anchor.time.advanced(by: passed)
            guard wall >= kept else { return kept }
            anchor = Anchor(time: wall, instant: instant)
            return wall
        }
    }
}
