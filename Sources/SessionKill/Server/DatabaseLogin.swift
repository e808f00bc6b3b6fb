import Text

/// Somebody's account on a database server, as they gave it to be tried.
public struct DatabaseLogin: Hashable, Sendable {
    @Exact public private(set) var user: String
    public let password: DatabasePassword

    /// What cannot belong to any account.
    public enum Defect: Error, Hashable, Sendable {
        case user, password
    }

    /// The most bytes of each: servers have no longer ones, and client libraries
    /// cut them.
    public static let longest = 512

    /// - Throws: ``Defect`` for a text that is too long or holds a NUL, where
    ///   client libraries take it to end, and for an empty user, for whom they put
    ///   in the name of whoever runs killd.
    public init(user: String, password: DatabasePassword) throws(Defect) {
        func isSendable(_ text: String) -> Bool { text.utf8.count <= Self.longest && !text.utf8.contains(0) }
        guard !user.isEmpty, isSendable(user) else { throw .user }
        guard isSendable(password.reveal()) else { throw .password }
        self.user = user
        self.password = password
    }
}

/// A password that cannot be printed by accident: descriptions, `dump` and
/// mirrors show nothing of it.
///
/// Any text is decoded, so that no error repeats it; it is not `Encodable`.
public struct DatabasePassword: Hashable, Sendable, Decodable {
    @Exact private var text: String

    public init(_ text: String) { self.text = text }

    public init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    /// The password itself, for the one place that must hand it on.
    public func reveal() -> String { text }
}

extension DatabasePassword: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(secret)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
