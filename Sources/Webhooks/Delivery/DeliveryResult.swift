import FoundationEssentials
import Glibc
import SessionKill

/// What became of one attempt to deliver.
public enum DeliveryResult: Hashable, Sendable {
    case delivered
    /// Too much for the receiver now; it said for how many seconds, if it did.
    case busy(DeliveryProblem, seconds: Int?)
    /// Another attempt may succeed.
    case failed(DeliveryProblem)
    /// The receiver wants this message no better the next time.
    case refused(DeliveryProblem)
    /// The receiver is no more (410).
    case gone
}

/// Why a message was not taken. Nothing of the address, and no words of the receiver's.
public enum DeliveryProblem: Error, Hashable {
    case status(Int)
    /// The status was a success, and the body said another thing.
    case code(Int)
    /// The status was a success, and the body is none of this format.
    case unknownBody
    /// A redirect, which is not followed.
    case redirect(Int)
    /// There was no connection, in words.
    case connection(String)
    /// There was one, but no whole answer in time, in words.
    case noAnswer(String)
    /// Why the address is none for a webhook.
    case address(AddressRule.Refusal)
    /// It could not be put together or signed.
    case unsigned
}

extension DeliveryProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .status(let status): "the receiver answered with status \(status)"
        case .code(let code): "the receiver answered with the error code \(code)"
        case .unknownBody: "the receiver's answer is none of this format"
        case .redirect(let status): "the receiver answered with status \(status), a redirect, which is not followed"
        case .connection(let words), .noAnswer(let words): words
        case .address(let refusal): refusal.description
        case .unsigned: "OpenSSL could not sign the message"
        }
    }
}

extension DeliveryResult {
    /// Reads a receiver's answer.
    ///
    /// - Parameters:
    ///   - retryAfter: the header's value.
    ///   - time: by which a date in it is taken.
    init(status: Int, body: [UInt8], retryAfter: String?, format: WebhookFormat, at time: UnixTime) {
        switch status {
        case 200...299: self = format.result(of: body)
        case 300...399: self = .failed(.redirect(status))
        case 410: self = .gone
        case 429, 503:
            self = .busy(.status(status), seconds: retryAfter.flatMap { Self.seconds(ofRetryAfter: $0, at: time) })
        case 408, 500...599: self = .failed(.status(status))
        default: self = .refused(.status(status))
        }
    }

    /// Longer ones are taken for this one.
    private static let longestPause = 86_400

    /// Seconds, or a date (RFC 9110 section 10.2.3).
    private static func seconds(ofRetryAfter text: String, at time: UnixTime) -> Int? {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return min(Int(text) ?? longestPause, longestPause)
        }
        guard let instant = seconds(ofDate: text) else { return nil }
        return Int(min(max(0, instant - time.milliseconds / 1_000), Int64(longestPause)))
    }

    /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func seconds(ofDate text: String) -> Int64? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: String(words[2])) else {
            return nil
        }
        let numbers = ([words[1], words[3]] + words[4].split(separator: ":")).compactMap { Int32($0) }
        guard numbers.count == 5, (1_970...9_999).contains(numbers[1]) else { return nil }
        var date = tm()
        (date.tm_mday, date.tm_mon, date.tm_year) = (numbers[0], Int32(month), numbers[1] - 1_900)
        (date.tm_hour, date.tm_min, date.tm_sec) = (numbers[2], numbers[3], numbers[4])
        return Int64(timegm(&date))
    }
}

extension WebhookFormat {
    /// What the body of a successful status means.
    fileprivate func result(of body: [UInt8]) -> DeliveryResult {
        guard let name = codeName else { return .delivered }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(body)), let code = answer.code(name) else {
            return .failed(.unknownBody)
        }
        return switch (self, code) {
        case (_, 0): .delivered
        // Too fast: Feishu's and WeCom's limits are by the minute, DingTalk is silent for ten.
        case (.feishu, 11_232), (.wecom, 45_009): .busy(.code(code), seconds: 60)
        case (.dingtalk, 130_101), (.dingtalk, 410_100): .busy(.code(code), seconds: 600)
        // The body is wrong, or a keyword is missing that the bot demands.
        case (.feishu, 9_499), (.feishu, 19_024): .refused(.code(code))
        // What else is wrong (address, signature, clock, the receiver itself) somebody may mend within a day.
        default: .failed(.code(code))
        }
    }

    private enum CodeName { case code, errcode }

    private var codeName: CodeName? {
        switch self {
        case .standard, .slack: nil
        case .feishu: .code
        case .wecom, .dingtalk: .errcode
        }
    }

    private struct Answer: Decodable {
        let code: Int?
        let errcode: Int?

        func code(_ name: CodeName) -> Int? {
            switch name {
            case .code: code
            case .errcode: errcode
            }
        }
    }
}
