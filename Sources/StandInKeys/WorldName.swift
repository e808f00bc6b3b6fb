import Text

/// The name of a world, as key ids and the control listener spell it.
public struct WorldName: Hashable, Sendable, CustomStringConvertible {
    @Exact private var text: String

    /// The world of requests that name none.
    public static let `default` = WorldName(unchecked: "")

    private init(unchecked text: String) { self.text = text }

    /// - Returns: nil unless it is 1 to 64 of A to Z, a to z, 0 to 9, `_` and `-`, or the empty text or `default`, which
    ///   stand for the default world.
    public init?(_ text: String) {
        guard text.utf8.count <= 64, text.utf8.allSatisfy(Self.allows) else { return nil }
        self.init(unchecked: text.isSame(as: Self.default.description) ? "" : text)
    }

    /// What stands for the default world too where people read it.
    public var description: String { text.isEmpty ? "default" : text }

    private static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    public var isDefault: Bool { text.isEmpty }
    var keyPart: String { isDefault ? "" : "-\(text)" }
}
