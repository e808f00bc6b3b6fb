import Accounts
import Parameters
import SessionKill
import Settings

/// What a stand-in begins with: who may call it, and the scripted servers that it shows.
///
/// Read once, from JSON; see ``init(json:)``.
public struct Seed: Hashable, Sendable, Codable {
    /// Each has another name.
    public var accounts: [Account]
    /// At least one, each with another id.
    public var instances: [Instance]

    public struct Account: Hashable, Sendable, Codable {
        /// Letters, digits, `_` and `-`: it is a part of the key id.
        public var name: String
        public var person: String
        public var permissions: Set<Permission>
        /// The token of temporary credentials, if it has such.
        public var token: String?
    }

    public struct Instance: Hashable, Sendable, Codable {
        public var id: String
        public var name: String
        /// As DBbrain calls it.
        public var product: Product
        public var region: String
        public var protectedUsers: Set<String>
        public var hidesStatements: Bool
        public var approvals: ApprovalPolicy
        /// At the instance's own address.
        public var server: Server
        public var nodes: [Node]
    }

    /// One server of an instance that has several, which clients of DAS name.
    public struct Node: Hashable, Sendable, Codable {
        public var id: String
        public var server: Server
    }

    public enum Product: String, Hashable, Sendable, Codable, CaseIterable { case mysql, cynosdb }
}

/// What is wrong with a seed, in words for whoever wrote it.
public struct SeedError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Such as `instances[0].sessions[3].behaviour`; `nil` if it is the whole.
    public let path: String?
    /// What stands there, as short text; `nil` if nothing does, or it is too long to be repeated.
    public let found: String?
    /// What was expected there, or what is wrong with it.
    public let expected: String

    public var description: String {
        let found = found.flatMap { expected.contains($0) ? nil : ", found \($0)" } ?? ""
        return (path.map { "\($0): " } ?? "") + expected + found
    }
}

extension SeedError: SettingsMistake {
    public init(at place: SettingsPlace, found: ParameterTree?, _ problem: String) {
        path = place.isFile ? nil : place.subscripted
        self.found = found.map { "\($0)" }.flatMap { $0.utf8.count <= 64 ? $0 : nil }
        expected = problem
    }
}
