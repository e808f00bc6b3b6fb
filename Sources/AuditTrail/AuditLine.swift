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

/// What a member of a payload can be. There are whole numbers only: no two programs print others alike.
public enum AuditValue: Sendable {
    case text(String)
    case number(Int64)
    case flag(Bool)
    case list([AuditValue])
    case object([(String, AuditValue)])
    /// What ``written()`` has made of a value.
    case json([UInt8])

    /// The same value, of which nothing is left to do but to copy it.
    public func written() -> AuditValue {
        var bytes: [UInt8] = []
        bytes.append(self)
        return .json(bytes)
    }

    /// Without the members that are `nil`.
    public static func object(ofPresent members: [(String, AuditValue?)]) -> AuditValue {
        .object(members.compactMap { name, value in value.map { (name, $0) } })
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ value: AuditValue) {
        switch value {
        case .json(let bytes): self += bytes
        case .text(let text): append(jsonString: text)
        case .number(let number): self += String(number).utf8
        case .flag(let flag): self += (flag ? "true" : "false").utf8
        case .list(let elements):
            append(elements, between: "[", and: "]") { $0.append($1) }
        case .object(let members):
            let sorted = members.sorted { ExactText($0.0) < ExactText($1.0) }
            append(sorted, between: "{", and: "}") { bytes, member in
                bytes.append(jsonString: member.0)
                bytes.append(UInt8(ascii: ":"))
                bytes.append(member.1)
            }
        }
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
