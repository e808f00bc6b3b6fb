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

    /// Appends `<date>/<service>/tc3_request`, as in the credential and the string
    /// to sign.
    func append(to text: inout [UInt8]) {
        text += date.utf8
        text.append(UInt8(ascii: "/"))
        text += service.utf8
        text.append(UInt8(ascii: "/"))
        text += Self.terminator.utf8
    }

    static let terminator = "tc3_request"

    /// The UTC date of a Unix time in seconds as `YYYY-MM-DD`, or `nil` where
    /// the year does not have four digits.
    package static func date(of timestamp: Int64) -> String? {
        var seconds = time_t(timestamp)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return nil }
        let year = Int(parts.tm_year) + 1900
        guard (1000...9999).contains(year) else { return nil }
        var text = Array("0000-00-00".utf8)
        for (number, end) in [(year, 3), (Int(parts.tm_mon) + 1, 6), (Int(parts.tm_mday), 9)] {
            var (rest, index) = (number, end)
            while rest > 0 {
                text[index] += UInt8(rest % 10)
                (rest, index) = (rest / 10, index - 1)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
