import SessionKill

/// The time in a world: the machine's, moved or stopped.
///
/// A value: the machine's time is handed in.
struct WorldTime: Hashable, Sendable {
    /// One look at two clocks.
    struct Reading: Hashable, Sendable {
        /// The time of day, which can be set.
        var time: UnixTime
        /// How long it has been since some moment, which only ever grows.
        var elapsed: Duration
    }

    /// What a world's time of day may be: certificates, dates of signatures and people's calendars have it.
    static let range = UnixTime(milliseconds: 978_307_200_000)...UnixTime(milliseconds: 4_102_444_799_999)

    /// How far ahead of the machine's it is.
    private var offset = Reading(time: UnixTime(milliseconds: 0), elapsed: .zero)
    /// What it stands at; `nil` while it goes on.
    private var standstill: Reading?

    var isStopped: Bool { standstill != nil }

    func reading(at machine: Reading) -> Reading { standstill ?? machine.moved(by: offset) }

    /// Sets the time of day, as somebody sets a clock: no time has passed.
    mutating func set(to time: UnixTime, at machine: Reading) throws(WorldClockError) {
        guard Self.range.contains(time) else { throw .outOfRange(time) }
        var reading = reading(at: machine)
        reading.time = time
        move(to: reading, at: machine)
    }

    /// Lets time pass.
    mutating func advance(by duration: Duration, at machine: Reading) throws(WorldClockError) {
        guard duration >= .zero else { throw .backwards(duration) }
        var reading = reading(at: machine)
        // Of more, not even the milliseconds could be counted.
        guard duration <= .seconds(100 * 366 * 86_400) else { throw .tooFar(duration) }
        reading.time.milliseconds += duration.wholeMilliseconds
        reading.elapsed += duration
        guard Self.range.contains(reading.time) else { throw .outOfRange(reading.time) }
        move(to: reading, at: machine)
    }

    mutating func stop(at machine: Reading) { standstill = reading(at: machine) }

    /// Goes on from where it is.
    mutating func resume(at machine: Reading) {
        guard let standstill else { return }
        self.standstill = nil
        move(to: standstill, at: machine)
    }

    private mutating func move(to reading: Reading, at machine: Reading) {
        if isStopped { standstill = reading } else { offset = reading.distance(from: machine) }
    }
}

extension WorldTime.Reading {
    fileprivate func moved(by offset: Self) -> Self {
        Self(
            time: UnixTime(milliseconds: time.milliseconds + offset.time.milliseconds),
            elapsed: elapsed + offset.elapsed)
    }

    fileprivate func distance(from other: Self) -> Self {
        Self(
            time: UnixTime(milliseconds: time.milliseconds - other.time.milliseconds),
            elapsed: elapsed - other.elapsed)
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }
}

/// Why a world's clock cannot be moved as somebody asks.
public enum WorldClockError: Error, Hashable, Sendable, CustomStringConvertible {
    case outOfRange(UnixTime)
    case backwards(Duration)
    case tooFar(Duration)

    public var description: String {
        switch self {
        case .outOfRange:
            "a world's clock shows times from 2001-01-01T00:00:00Z to 2099-12-31T23:59:59Z; this would be another"
        case .backwards: "time can only be advanced; to set the clock back, set it"
        case .tooFar: "time can be advanced by at most 100 years at once"
        }
    }
}
