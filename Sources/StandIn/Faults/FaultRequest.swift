import RequestSigning
import Text

/// A fault as somebody asks for it who tests a client: not known yet to make sense.
public struct FaultRequest: Hashable, Sendable {
    public var action: String
    public var calls = 1
    public var delayMilliseconds: Int?
    public var code: String?
    public var cut: String?
    public var truncateAfterBytes: Int?
    public var badGateway: String?

    public init(action: String) { self.action = action }

    static let callLimits = 1...1_000_000
    /// Ten minutes, longer than any client waits.
    static let delayLimits = 0...600_000
    static let truncationLimits = 0...(1 << 20)

    func fault(of api: CloudAPI) throws(FaultRefusal) -> Fault {
        let kinds = [
            try code.map { code throws(FaultRefusal) in
                guard let rejection = api.rejection(code) else { throw .unknownCode(code, api) }
                return Fault.Kind.rejection(rejection)
            },
            try cut.map { text throws(FaultRefusal) in .cut(try Self.moment(text, "Cut")) },
            try truncateAfterBytes.map { count throws(FaultRefusal) in
                guard Self.truncationLimits.contains(count) else {
                    throw .outOfRange("TruncateAfterBytes", count, Self.truncationLimits)
                }
                return .truncated(afterBodyBytes: count)
            },
            try badGateway.map { text throws(FaultRefusal) in .badGateway(try Self.moment(text, "BadGateway")) },
        ].compactMap { $0 }
        guard kinds.count <= 1 else { throw .severalKinds }
        let delay = delayMilliseconds ?? 0
        guard Self.delayLimits.contains(delay) else { throw .outOfRange("DelayMilliseconds", delay, Self.delayLimits) }
        guard !kinds.isEmpty || delay > 0 else { throw .noKind }
        return Fault(kinds.first ?? .none, delay: .milliseconds(delay))
    }

    private static func moment(_ text: String, _ key: String) throws(FaultRefusal) -> Fault.Moment {
        guard let moment = Fault.Moment(rawValue: text) else { throw .unknownMoment(text, key: key) }
        return moment
    }
}

/// Why a fault is not armed.
public enum FaultRefusal: Error, Hashable, CustomStringConvertible {
    case unknownAction(String)
    case unknownCode(String, CloudAPI)
    case unknownMoment(String, key: String)
    case calls(Int)
    case outOfRange(String, Int, ClosedRange<Int>)
    case severalKinds
    case noKind

    public var description: String {
        switch self {
        case .unknownAction(let name): "Action: neither API has an action \"\(name)\""
        case .unknownCode(let code, let api):
            "Code: \(api.rawValue) has no code \"\(code)\"; it has \(api.codes.joined(separator: ", "))"
        case .unknownMoment(let text, let key):
            "\(key): expected \"before\" or \"after\" (the effect), found \"\(text)\""
        case .calls(let count): "Calls: expected a whole number from 1 to 1000000, found \(count)"
        case .outOfRange(let key, let value, let range):
            "\(key): expected a whole number from \(range.lowerBound) to \(range.upperBound), found \(value)"
        case .severalKinds: "expected one of Code, Cut, TruncateAfterBytes and BadGateway, found several"
        case .noKind: "expected one of Code, Cut, TruncateAfterBytes, BadGateway and DelayMilliseconds, found none"
        }
    }
}
