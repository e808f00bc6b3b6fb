import Text

/// The payload of an entry: an object on one line, kept byte for byte as it was hashed.
public struct AuditLine: Sendable {
    private let members: [(String, AuditValue)]

    /// - Parameter members: in any order, each name once. Those that are `nil` are left out.
    public init(_ members: [(String, AuditValue?)]) {
        self.members = members.compactMap { name, value in value.map { (name, $0) } }
    }

    /// JSON (RFC 8259) in UTF-8: members in the order of their names' bytes, no spaces, and no more escaped than must be.
    public func line() -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        bytes.append(.object(members))
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The payload of an entry whose place in the audit is not known yet: what is left to do is to copy it around the time and
/// the number.
public struct UnplacedLine: Sendable {
    private var beforeTime: [UInt8] = []
    private var beforeSequence: [UInt8] = []
    private var afterSequence: [UInt8] = []

    private static let (time, sequence) = (#""at":"#, #","seq":"#)

    /// - Parameter members: those of an ``AuditLine`` but `at` and `seq`.
    public init(_ members: [(String, AuditValue?)]) {
        let members = members.map { (name: ExactText($0), value: $1) }
        for case let (name, value?) in members.sorted(by: { $0.name < $1.name }) {
            if name < "at" {
                beforeTime.append(member: name.text, value)
                beforeTime.append(UInt8(ascii: ","))
            } else if name < "seq" {
                beforeSequence.append(UInt8(ascii: ","))
                beforeSequence.append(member: name.text, value)
            } else {
                afterSequence.append(UInt8(ascii: ","))
                afterSequence.append(member: name.text, value)
            }
        }
    }

    /// The entry's line.
    public func line(sequence: Int64, time: Int64) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64 + beforeTime.count + beforeSequence.count + afterSequence.count)
        bytes.append(UInt8(ascii: "{"))
        bytes += beforeTime
        bytes += Self.time.utf8
        bytes += String(time).utf8
        bytes += beforeSequence
        bytes += Self.sequence.utf8
        bytes += String(sequence).utf8
        bytes += afterSequence
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What a member of a payload can be. There are whole numbers only: no two programs print others alike.
public enum AuditValue: Sendable {
    case text(String)
    case number(Int64)
    case flag(Bool)
    case list([AuditValue])
    case object([(String, AuditValue)])

    /// The value as it stands in a payload.
    public var json: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(self)
        return bytes
    }

    /// Without the members that are `nil`.
    public static func object(ofPresent members: [(String, AuditValue?)]) -> AuditValue {
        .object(members.compactMap { name, value in value.map { (name, $0) } })
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ value: AuditValue) {
        switch value {
        case .text(let text): append(jsonString: text)
        case .number(let number): self += String(number).utf8
        case .flag(let flag): self += (flag ? "true" : "false").utf8
        case .list(let elements):
            append(elements, between: "[", and: "]") { $0.append($1) }
        case .object(let members):
            let sorted = members.sorted { ExactText($0.0) < ExactText($1.0) }
            append(sorted, between: "{", and: "}") { $0.append(member: $1.0, $1.1) }
        }
    }

    fileprivate mutating func append(member name: String, _ value: AuditValue) {
        append(jsonString: name)
        append(UInt8(ascii: ":"))
        append(value)
    }

    private mutating func append<Item>(
        _ elements: [Item], between start: Unicode.Scalar, and end: Unicode.Scalar,
        _ append: (inout [UInt8], Item) -> Void
    ) {
        self.append(UInt8(ascii: start))
        for (position, element) in elements.enumerated() {
            if position > 0 { self.append(UInt8(ascii: ",")) }
            append(&self, element)
        }
        self.append(UInt8(ascii: end))
    }
}
