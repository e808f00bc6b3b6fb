/// An instant as milliseconds since 1970-01-01 00:00:00 UTC, leap seconds not counted.
///
/// The engine never asks for the time: it is handed a clock.
public struct UnixTime: Hashable, Sendable, Codable, Comparable {
    public var milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// From a time in seconds, as servers tell it; `nil` for one outside of the
    /// years 1 to 9999, which no date can show.
    public init?(seconds: Int64) {
        guard (-62_135_596_800..<253_402_300_800).contains(seconds) else { return nil }
        self.init(milliseconds: seconds * 1_000)
    }

    public static func < (left: UnixTime, right: UnixTime) -> Bool { left.milliseconds < right.milliseconds }

    /// The instant `seconds` later.
    public func advanced(bySeconds seconds: Int) -> UnixTime { advanced(by: .seconds(seconds)) }

    /// How long it is until another instant; negative if that is before.
    func duration(to other: UnixTime) -> Duration {
        let (difference, isBeyond) = other.milliseconds.subtractingReportingOverflow(milliseconds)
        return .milliseconds(isBeyond ? (other < self ? Int64.min : .max) : difference)
    }

    /// The instant that much later, by whole milliseconds.
    func advanced(by duration: Duration) -> UnixTime {
        let (seconds, attoseconds) = duration.components
        let whole = seconds.multipliedReportingOverflow(by: 1_000)
        let sum = milliseconds.addingReportingOverflow(whole.partialValue &+ attoseconds / 1_000_000_000_000_000)
        guard !whole.overflow, !sum.overflow else { return UnixTime(milliseconds: seconds < 0 ? .min : .max) }
        return UnixTime(milliseconds: sum.partialValue)
    }

    public init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }
}
