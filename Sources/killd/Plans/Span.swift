import FoundationEssentials

/// A length of time as people write it in a list: `20s`, `6m12s`, `2h05m`, `3d4h`.
struct Span: CustomStringConvertible {
    let seconds: Int

    init(seconds: Int) { self.seconds = max(0, seconds) }

    /// From one instant to another; 0 if that is before.
    init(from start: Date, to end: Date) {
        let seconds = end.timeIntervalSince(start).rounded(.down)
        self.init(seconds: seconds.isFinite && seconds < 1e12 ? Int(max(0, seconds)) : 0)
    }

    /// In one unit: `3m`.
    var roughly: String {
        let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400)
        if days > 0 { return "\(days)d" }
        if hours > 0 { return "\(hours)h" }
        return minutes > 0 ? "\(minutes)m" : "\(seconds)s"
    }

    var description: String {
        let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        if days > 0 { return "\(days)d\(hours % 24)h" }
        if hours > 0 { return "\(hours)h\(two(minutes % 60))m" }
        return minutes > 0 ? "\(minutes)m\(two(seconds % 60))s" : "\(seconds)s"
    }
}

extension Date {
    /// A time as the API tells it: ISO 8601, in UTC.
    init?(apiTime text: String?) {
        guard let text, let date = try? Date(text, strategy: .iso8601) else { return nil }
        self = date
    }

    /// A deadline and how far away it is: `2026-11-29T06:10:00Z, in 6m12s`.
    ///
    /// - Parameter text: as the API tells it.
    static func deadline(_ text: String?, seenAt now: Date) -> String {
        guard let date = Date(apiTime: text), date > now else { return text ?? "" }
        return "\(text ?? ""), in \(Span(from: now, to: date))"
    }
}
