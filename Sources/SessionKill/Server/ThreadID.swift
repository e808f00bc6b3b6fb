/// The number by which a MySQL server knows a session: what `CONNECTION_ID()`
/// returns and `KILL` takes.
///
/// From 1 to 4,294,967,295. MySQL cuts a larger argument of `KILL` to its
/// lower 32 bits and ends whoever has that id (measured on 9.7:
/// `KILL 4294967305` ended thread 9), and 0 or a negative one means something
/// else on every server, so no such value can be held here.
public struct ThreadID: Hashable, Sendable {
    public let rawValue: UInt32

    /// `nil` unless `value` is in the range.
    public init?(_ value: some BinaryInteger) {
        guard let rawValue = UInt32(exactly: value), rawValue > 0 else { return nil }
        self.rawValue = rawValue
    }
}

extension ThreadID: Comparable {
    public static func < (left: ThreadID, right: ThreadID) -> Bool { left.rawValue < right.rawValue }
}

extension ThreadID: CustomStringConvertible {
    /// Decimal digits only, fit to stand in SQL.
    public var description: String { String(rawValue) }
}

extension ThreadID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let value = try container.decode(Int64.self)
        guard let id = ThreadID(value) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(value) is no thread id")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
