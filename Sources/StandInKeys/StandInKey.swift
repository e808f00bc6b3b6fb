import Text

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
