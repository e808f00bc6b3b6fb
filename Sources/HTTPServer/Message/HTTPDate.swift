/// The `Date` of responses (RFC 9110 section 5.6.7), formatted once a second.
struct HTTPDate: Sendable {
    private var second: Int
    /// The date in the form `Sun, 06 Nov 1994 08:49:37 GMT`.
    private(set) var bytes: [UInt8]

    /// - Parameter second: seconds since 1970 in UTC.
    init(second: Int) {
        self.second = second
        self.bytes = Self.format(second)
    }

    mutating func advance(to second: Int) {
        guard second != self.second else { return }
        self = HTTPDate(second: second)
    }

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func format(_ second: Int) -> [UInt8] {
        let secondOfDay = modulo(second, 86_400)
        let day = (second - secondOfDay) / 86_400
        let (year, month, dayOfMonth) = civilDate(day)
        let time = [secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60].map(twoDigits)
        let text = """
            \(weekdays[modulo(day, 7)]), \(twoDigits(dayOfMonth)) \(months[month - 1]) \(year) \
            \(time[0]):\(time[1]):\(time[2]) GMT
            """
        return Array(text.utf8)
    }

    /// The proleptic Gregorian date of a day counted from 1970-01-01, by Howard
    /// Hinnant's `civil_from_days`: years begin in March, so that the leap day
    /// is the last.
    private static func civilDate(_ day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let dayOfEra = modulo(shifted, 146_097)
        let era = (shifted - dayOfEra) / 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func modulo(_ number: Int, _ divisor: Int) -> Int {
        let remainder = number % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
