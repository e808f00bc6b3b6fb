/// The time of a request to Alibaba Cloud, `Timestamp` or `x-acs-date`.
public struct ACSTimestamp: Equatable, Sendable {
    /// Unix time in seconds.
    public let seconds: Int64

    /// The seconds that a client's clock may be off, in either direction.
    private static let clockTolerance: Int64 = 900

    public init(seconds: Int64) { self.seconds = seconds }

    /// Reads `yyyy-MM-ddTHH:mm:ssZ`; `nil` for anything else, also for a day or an
    /// hour that does not exist.
    public init?(_ text: String) {
        let bytes = Array(text.utf8.prefix(21))
        guard bytes.count == 20 else { return nil }
        for (index, byte) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (19, "Z")] as [(Int, Unicode.Scalar)]
        where bytes[index] != UInt8(ascii: byte) { return nil }
        guard let year = Self.number(bytes[0..<4]), let month = Self.number(bytes[5..<7]),
            let day = Self.number(bytes[8..<10]), let hour = Self.number(bytes[11..<13]),
            let minute = Self.number(bytes[14..<16]), let second = Self.number(bytes[17..<19]),
            (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        seconds = Self.day(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
    }

    /// - Parameter now: Unix time in seconds.
    public func isCurrent(at now: Int64) -> Bool {
        (now - Self.clockTolerance...now + Self.clockTolerance).contains(seconds)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var number: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return number
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The days from 1 January 1970 on, in the Gregorian calendar.
    private static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Years begin in March here, so that the leap day is the last of a year.
        let year = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        // A year 0 of March 1 BC would round up, not down.
        let cycle = (year + 400) / 400 - 1
        let yearOfCycle = year - cycle * 400
        return cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear - 719_468
    }
}
