import Glibc

/// What a TC3 signing key is good for: one UTC day and one service.
public struct TC3CredentialScope: Hashable, Sendable {
    /// The UTC date as `YYYY-MM-DD`.
    public let date: String
    /// The product's name, `dbbrain`; some SDKs put the first label of their
    /// endpoint here instead.
    public let service: String

    package init(date: String, service: String) {
        self.date = date
        self.service = service
    }

    /// `<date>/<service>/tc3_request`, as in the credential and the string to
    /// sign.
    var text: String { "\(date)/\(service)/\(Self.terminator)" }

    static let terminator = "tc3_request"

    /// The UTC date of a Unix time in seconds as `YYYY-MM-DD`, or `nil` where
    /// the year does not have four digits.
    package static func date(of timestamp: Int64) -> String? {
        var seconds = time_t(timestamp)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return nil }
        let year = Int(parts.tm_year) + 1900
        guard (1000...9999).contains(year) else { return nil }
        return "\(year)-\(twoDigits(parts.tm_mon + 1))-\(twoDigits(parts.tm_mday))"
    }

    private static func twoDigits(_ number: Int32) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
