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

    var isDefault: Bool { text.isEmpty }
    fileprivate var keyPart: String { isDefault ? "" : "-\(text)" }
}

/// The id of a key of a stand-in: `AKIDstandin`, or with a world, a person or both: `AKIDstandin-WORLD.PERSON`.
///
/// All have one secret key, which is known to everybody.
public struct StandInKey: Hashable, Sendable {
    public let world: WorldName
    /// The account's name.
    @Exact public private(set) var account: String

    /// What every id begins with.
    public static let prefix = "AKIDstandin"
    /// The account of a key that names none.
    public static let ownAccount = "standin"
    public static let secretKey = "standin-secret-key-kills-nobody"

    public init(world: WorldName, account: String) {
        self.world = world
        self.account = account
    }

    /// - Returns: nil for an id that names no world; nobody has such a key.
    public init?(id: String) {
        guard id.utf8.starts(with: Self.prefix.utf8) else { return nil }
        let rest = id.utf8.dropFirst(Self.prefix.utf8.count)
        let worldPart = rest.prefix { $0 != UInt8(ascii: ".") }
        let accountPart = rest.dropFirst(worldPart.count + 1)
        if worldPart.isEmpty {
            world = .default
        } else {
            guard worldPart.first == UInt8(ascii: "-"), worldPart.count > 1,
                let name = WorldName(String(Substring(worldPart.dropFirst()))), !name.isDefault
            else { return nil }
            world = name
        }
        account = accountPart.isEmpty ? Self.ownAccount : String(Substring(accountPart))
    }

    public var id: String {
        Self.prefix + world.keyPart + (account.isSame(as: Self.ownAccount) ? "" : ".\(account)")
    }
}
