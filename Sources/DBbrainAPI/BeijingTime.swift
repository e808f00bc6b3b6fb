import FoundationEssentials
import SessionKill

extension UnixTime {
    /// The time as the vendor's responses about instances write it: in China's time
    /// zone, which is always eight hours ahead of UTC, and without saying so.
    var beijingText: String {
        let shifted = Date(timeIntervalSince1970: Double(milliseconds) / 1_000 + 8 * 3_600)
        return shifted.formatted(
            .iso8601.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
    }
}
