/// The time of day and the monotonic time, as gates and records read them.
public struct RequestClock: Sendable {
    /// Unix time in seconds.
    public var now: @Sendable () -> Int64
    public var monotonic: @Sendable () -> ContinuousClock.Instant

    public init(
        now: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.now = now
        self.monotonic = monotonic
    }
}
