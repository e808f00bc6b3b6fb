import Accounts
import Parameters
import SessionKill
import Settings

typealias SeedReader = SettingsReader<SeedError>

extension Seed {
    /// Reads a seed file.
    ///
    /// - Throws: ``SeedError`` for the first thing that is wrong.
    public init(json: [UInt8]) throws(SeedError) {
        try self.init(ParameterTree(file: json, SeedError.self))
    }

    /// Reads a seed that is a part of something else.
    public init(_ tree: ParameterTree) throws(SeedError) {
        var reader = try SeedReader(tree)
        accounts = []
        if reader.value("accounts") == nil {
            accounts = Account.usual
        } else {
            for var account in try reader.objects("accounts") { accounts.append(try Account(&account)) }
        }
        instances = []
        for var instance in try reader.objects("instances") { instances.append(try Instance(&instance)) }
        try reader.refuseUnknownKeys()
        try SeedReader.refuseRepetition(of: accounts.map(\.name), in: .file.member("accounts"), "name")
        try SeedReader.refuseRepetition(of: instances.map(\.id), in: .file.member("instances"), "id")
        try requireSatisfiableApprovals()
    }

    /// Refuses plans that could be made and never committed, as configurations do.
    private func requireSatisfiableApprovals() throws(SeedError) {
        let approvers = Set(accounts.filter { $0.permissions.contains(.approve) }.map(\.person))
        for (index, instance) in instances.enumerated() {
            for account in accounts where account.permissions.contains(.prepare) {
                let others = approvers.subtracting([account.person])
                guard others.count < instance.approvals.highest else { continue }
                throw SeedError(
                    at: .file.member("instances").element(index).member("approvals"), found: nil,
                    """
                    \(instance.id) asks for up to \(instance.approvals.highest) approvals, but of the plans of the \
                    account \(account.name) only \(others.count) other person(s) may approve; give "approve" to \
                    accounts of other persons, or ask for fewer
                    """)
            }
        }
    }
}

extension Seed.Account {
    /// Where a seed names none.
    static let usual = [
        Seed.Account(name: "standin", person: "standin", permissions: Permission.everyday),
        Seed.Account(name: "alice", person: "alice", permissions: [.list, .approve]),
        Seed.Account(name: "bob", person: "bob", permissions: [.list, .approve]),
        Seed.Account(name: "ci", person: "ci", permissions: [.list, .prepare, .commit]),
    ]

    private static let longestName = 64

    fileprivate init(_ reader: inout SeedReader) throws(SeedError) {
        name = try reader.requiredString("name")
        let isWord = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || byte == 0x5F || byte == 0x2D
        }
        guard isWord, name.utf8.count <= Self.longestName else {
            throw reader.error(
                "name", "expected at most 64 letters, digits, _ and -: it is the end of AKIDstandin.NAME")
        }
        person = try reader.string("person") ?? name
        permissions = try reader.permissions("may")
        token = try reader.string("token")
        try reader.refuseUnknownKeys()
    }
}

extension Seed.Instance {
    private static let longestID = 128

    fileprivate init(_ reader: inout SeedReader) throws(SeedError) {
        id = try reader.requiredString("id")
        guard id.utf8.count <= Self.longestID else { throw reader.error("id", "expected at most 128 bytes") }
        name = try reader.string("name") ?? id
        product = try reader.choice("product", Seed.Product.self) ?? .mysql
        region = try reader.string("region") ?? "ap-guangzhou"
        protectedUsers = Set(try reader.strings("protectedUsers") ?? [])
        hidesStatements = try reader.choice("statements", Statements.self) == .hidden
        approvals = try ApprovalPolicy(&reader)
        let kind = try reader.choice("kind", Seed.Kind.self) ?? .mysql
        let version = try reader.string("version") ?? kind.usualVersion
        server = try Seed.Server(&reader, kind, version)
        nodes = []
        if reader.value("nodes") != nil {
            for var node in try reader.objects("nodes") {
                let id = try node.requiredString("id")
                guard id.utf8.count <= Self.longestID else { throw node.error("id", "expected at most 128 bytes") }
                nodes.append(Seed.Node(id: id, server: try Seed.Server(&node, kind, version)))
                try node.refuseUnknownKeys()
            }
        }
        try reader.refuseUnknownKeys()
        try SeedReader.refuseRepetition(of: nodes.map(\.id), in: reader.place.member("nodes"), "id")
    }

    private enum Statements: String, CaseIterable { case shown, hidden }
}

extension Seed.Kind {
    fileprivate var usualVersion: String {
        switch self {
        case .mysql: "9.7.0"
        case .mariadb: "10.11.14-MariaDB-log"
        case .oceanBaseODP: "4.3.1"
        }
    }
}
