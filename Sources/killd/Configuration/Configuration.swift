import StandInKeys
import Accounts
import ActionDispatch
import DBbrainAPI
import HTTPServer
import MySQLSessions
import Parameters
import RequestSigning
import SessionKill
import StandIn
import Settings
import TLS
import TencentCloudErrors
import Text

/// The settings of `killd serve`, as its file has them.
struct Configuration: Sendable {
    var listen: ListenAddress
    /// Where probes and metrics are answered; `nil` for nowhere.
    var operationsListen: ListenAddress?
    /// Where clients of Alibaba DAS are answered; `nil` for nowhere.
    var dasListen: ListenAddress?
    /// What `listen` and `das` speak HTTPS with; nil for plain HTTP. The files are read
    /// already.
    var tls: TLSServerContext?
    /// Whose word is taken for who their clients are; nil for nobody's.
    var trustedProxies: TrustedProxies?
    /// Further names that clients may sign as `host`.
    var signedHosts: [ServerName]
    /// Path of the SQLite file.
    var store: String
    var accounts: [Account]
    var instances: [InstanceConfiguration]
    /// Seconds between a Prepare and the last moment of its Commit.
    var planLifetime: Int
    /// Days for which ended plans and the responses to their Commits are kept.
    var planRetention: Int
    /// A file on another disk for the heads of the audit; `nil` for none.
    var auditHeads: String?
    /// Days for which the payloads of the audit's entries are kept; `nil` for ever.
    var auditRetention: Int?
    /// Ids that one Prepare may name.
    var maximumThreads: Int
    /// Seconds for which a Commit watches the sessions end.
    var killWait: Int
    /// How much of each statement a plan keeps, in bytes.
    var maximumStatementBytes: Int
    var requestsPerSecond: Int
    /// MiB that requests and responses of all clients together may take; see
    /// `HTTPMemory`.
    var requestMemory: Int
    /// Seconds for which a connection stays open without a request.
    var keepAlive: Int
    /// What responses say in the place of killd's own texts.
    var messages: MessageOverrides
    var webhooks: WebhookConfiguration
    /// The least grave level that the log has.
    var logLevel: Log.Level
    /// The file itself, and those of secrets that it names.
    var privateFiles: [String]

    struct InstanceConfiguration: Sendable {
        var id: String
        var name: String
        var product: Product
        var region: String
        var server: MySQLServerConfiguration
        var protectedUsers: Set<String>
        /// What plans keep of the statements that sessions run.
        var statements: Statements
        /// The servers of a cluster, which clients of DAS name.
        var nodes: [Node]
        /// Who has to agree before sessions are ended.
        var approvals: ApprovalPolicy

        struct Node: Sendable {
            var id: String
            /// With the instance's login and TLS.
            var server: MySQLServerConfiguration
        }

        enum Statements: String, CaseIterable { case shown, hidden }
    }

    /// Reads the file at `path`.
    ///
    /// - Throws: ``ConfigurationError`` for the first thing that is wrong.
    init(file path: String) throws(ConfigurationError) {
        let content: [UInt8]
        do throws(UnreadableFile) {
            content = try [UInt8](contentsOf: path)
        } catch {
            throw ConfigurationError(error.description)
        }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        do {
            try self.init(json: content, folder: folder)
            privateFiles.insert(path, at: 0)
        } catch {
            throw ConfigurationError("\(path): \(error.description)")
        }
    }

    init(json: [UInt8], folder: String) throws(ConfigurationError) {
        let tree = try ParameterTree(file: json, ConfigurationError.self)
        privateFiles = tree.secretFiles.map { $0.hasPrefix("/") ? $0 : "\(folder)/\($0)" }
        var reader = try ConfigurationReader(tree, folder: folder)

        listen = try reader.address("listen") ?? ListenAddress(host: "127.0.0.1", port: 8155)
        if var operations = try reader.object("operations") {
            guard let address = try operations.address("listen") else {
                throw operations.error("listen", "missing; expected HOST:PORT, such as \"127.0.0.1:8157\"")
            }
            try operations.refuseUnknownKeys()
            operationsListen = address
        }
        if var das = try reader.object("das") {
            guard let address = try das.address("listen") else {
                throw das.error("listen", "missing; expected HOST:PORT, such as \"127.0.0.1:8156\"")
            }
            try das.refuseUnknownKeys()
            dasListen = address
        }
        tls = try reader.tls("tls")
        trustedProxies = try reader.trustedProxies("trustedProxies")
        signedHosts = try reader.serverNames("signedHosts")
        store = try reader.path("store") ?? "\(folder)/killd.sqlite"
        planLifetime =
            try reader.integer("planLifetimeSeconds", in: 1...604_800)
            ?? KillEngine.Settings.usual.planLifetime
        planRetention = try reader.integer("planRetentionDays", in: 1...36_500) ?? 90
        auditHeads = try reader.path("auditHeads")
        auditRetention = try reader.integer("auditRetentionDays", in: 1...36_500)
        maximumThreads = try reader.integer("maximumThreads", in: 1...100_000) ?? 1_000
        killWait =
            try reader.integer("killWaitSeconds", in: 0...120)
            ?? Int(KillEngine.Settings.usual.killWait.components.seconds)
        maximumStatementBytes =
            try reader.integer("maximumStatementBytes", in: 0...65_536)
            ?? KillEngine.Settings.usual.maximumStatementBytes
        requestsPerSecond = try reader.integer("requestsPerSecond", in: 1...1_000_000) ?? 20
        requestMemory = try reader.integer("requestMemoryMiB", in: 32...65_536) ?? 256
        keepAlive = try reader.integer("keepAliveSeconds", in: 1...3_600) ?? 180

        logLevel = try reader.choice("logLevel", Log.Level.self) ?? .info
        webhooks = try WebhookConfiguration(&reader)
        messages = try reader.path("messages").map(MessageOverrides.init(file:)) ?? .none

        accounts = []
        for var account in try reader.objects("accounts") { accounts.append(try Account(&account)) }
        instances = []
        for var instance in try reader.objects("instances") {
            instances.append(try InstanceConfiguration(&instance))
        }
        try reader.refuseUnknownKeys()
        try Self.refuseSharedAddresses(listeners)
        try ConfigurationReader.refuseRepetition(of: accounts.map(\.name), in: .file.member("accounts"), "name")
        try ConfigurationReader.refuseRepetition(of: accounts.map(\.secretID), in: .file.member("accounts"), "secretId")
        try ConfigurationReader.refuseRepetition(of: instances.map(\.id), in: .file.member("instances"), "id")
        try refuseSimilarPersons()
        try requireSatisfiableApprovals()
    }

    /// Where killd listens, by the keys that say so.
    var listeners: [(key: String, address: ListenAddress)] {
        [("listen", listen), ("das.listen", dasListen), ("operations.listen", operationsListen)]
            .compactMap { key, address in address.map { (key, $0) } }
    }

    private static func refuseSharedAddresses(
        _ listeners: [(key: String, address: ListenAddress)]
    ) throws(ConfigurationError) {
        for (index, later) in listeners.enumerated() {
            for earlier in listeners[..<index] where later.address.excludes(earlier.address) {
                throw ConfigurationError(
                    later.key,
                    "\(later.address) and \(earlier.address) of \(earlier.key) are the same port; "
                        + "each listener needs one of its own")
            }
        }
    }
}

extension Account {
    fileprivate init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        let name = try reader.requiredString("name")
        let person = try reader.string("person")
        guard person.map({ $0.utf8.count <= 256 }) != false else {
            throw reader.error("person", "expected at most 256 bytes")
        }
        let uin = try reader.requiredString("uin")
        let secretID = try reader.requiredString("secretId")
        guard secretID.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !secretID.contains(where: { "/,".contains($0) })
        else { throw reader.error("secretId", "expected visible ASCII characters without / and ,") }
        guard !secretID.utf8.starts(with: StandInKey.prefix.utf8) else {
            throw reader.error(
                "secretId",
                "ids that begin with \(StandInKey.prefix) are those of killd stand-in, whose secret key everybody knows; "
                    + "choose another")
        }
        guard let secretKey = try reader.secret("secretKey") else {
            throw reader.error("secretKey", "missing; expected a text, {\"env\": NAME} or {\"file\": PATH}")
        }
        guard !secretKey.reveal().isSame(as: StandInKey.secretKey) else {
            throw reader.error("secretKey", "this is the key of killd stand-in, which everybody knows; choose another")
        }
        try reader.refuseNull("token")
        let token = try reader.secret("token")

        let permissions = try reader.permissions("may")
        var patterns: [InstancePattern] = []
        for text in try reader.strings("instances") ?? [] {
            guard let pattern = InstancePattern(text) else {
                throw reader.error("instances", "\"\(text)\" is no instance id; a * may stand at the end only")
            }
            patterns.append(pattern)
        }
        guard !patterns.isEmpty else {
            throw reader.error("instances", "expected at least one instance id, or \"*\" for all")
        }
        let mayLeavePayloadUnsigned = try reader.boolean("unsignedPayload") ?? false
        try reader.refuseUnknownKeys()
        self.init(
            name: name, person: person, uin: uin, secretID: secretID, secretKey: secretKey, token: token,
            permissions: permissions, instances: patterns, mayLeavePayloadUnsigned: mayLeavePayloadUnsigned)
    }
}

extension Configuration.InstanceConfiguration {
    fileprivate init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        approvals = try ApprovalPolicy(&reader)
        id = try reader.requiredString("id")
        guard id.utf8.count <= 128 else { throw reader.error("id", "expected at most 128 bytes") }
        name = try reader.string("name") ?? id
        product = try reader.choice("product", Product.self) ?? .mysql
        region = try reader.string("region") ?? "ap-guangzhou"
        try reader.refuseNull("protectedUsers")
        protectedUsers = Set(try reader.strings("protectedUsers") ?? [])
        guard !protectedUsers.contains(where: { $0.unicodeScalars.allSatisfy(\.properties.isWhitespace) }) else {
            throw reader.error("protectedUsers", "expected names of users, found a blank one")
        }
        statements = try reader.choice("statements", Statements.self) ?? .shown
        server = try MySQLServerConfiguration(&reader)
        nodes = []
        if reader.value("nodes") != nil {
            for var node in try reader.objects("nodes") { nodes.append(try Node(&node, of: server)) }
        }
        try reader.refuseUnknownKeys()
        try ConfigurationReader.refuseRepetition(of: nodes.map(\.id), in: reader.place.member("nodes"), "id")
    }
}

extension Configuration.InstanceConfiguration.Node {
    fileprivate init(
        _ reader: inout ConfigurationReader, of instance: MySQLServerConfiguration
    ) throws(ConfigurationError) {
        id = try reader.requiredString("id")
        guard id.utf8.count <= 128 else { throw reader.error("id", "expected at most 128 bytes") }
        let host = try reader.requiredString("host")
        let port = UInt16(try reader.integer("port", in: 1...65_535) ?? 3_306)
        try reader.refuseUnknownKeys()
        guard case .tcp(let instanceHost, let instancePort, let tls) = instance.address else {
            throw reader.error("host", "an instance with a socket cannot have nodes")
        }
        server = instance
        // The node at the instance's own address is the same server to killd, and shares its connections.
        guard !host.isSame(as: instanceHost) || port != instancePort else { return }
        server.address = .tcp(host: host, port: port, tls: tls)
        server.adminAddress = nil
    }
}

extension MySQLServerConfiguration {
    fileprivate init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        let kind = try reader.choice("kind", ServerKind.self) ?? .mysql
        let host = try reader.string("host")
        let port = try reader.integer("port", in: 1...65_535)
        let socket = try reader.path("socket")
        let adminHost = try reader.string("adminHost")
        let adminPort = try reader.integer("adminPort", in: 1...65_535)
        if socket != nil, host != nil || port != nil { throw reader.error("socket", "excludes host and port") }
        if socket == nil, host == nil { throw reader.error("host", "missing; expected a text (or a socket)") }
        if (adminHost == nil) != (adminPort == nil) {
            throw reader.error(
                adminHost == nil ? "adminPort" : "adminHost",
                adminHost == nil ? "needs adminHost beside it" : "needs adminPort beside it")
        }
        if kind == .oceanBaseODP, adminHost != nil {
            throw reader.error("adminHost", "is for kind \"mysql\" only")
        }
        let user = try reader.requiredString("user")
        let password = try reader.secret("password")
        let tls = try TLSMode(&reader)

        func tcp(_ host: String, _ port: Int) -> MySQLAddress { .tcp(host: host, port: UInt16(port), tls: tls) }
        var adminAddress: MySQLAddress?
        if let adminHost, let adminPort { adminAddress = tcp(adminHost, adminPort) }
        self.init(
            kind: kind, address: socket.map { .unixSocket(path: $0) } ?? tcp(host ?? "", port ?? kind.usualPort),
            adminAddress: adminAddress, user: user, password: DatabasePassword(password?.reveal() ?? ""))
    }
}

extension ServerKind {
    fileprivate var usualPort: Int {
        switch self {
        case .mysql: 3_306
        case .oceanBaseODP: 2_883
        }
    }
}

extension TLSMode {
    private enum Word: String, CaseIterable {
        case disabled, preferred, required
        case verifyCA = "verify-ca"
        case verifyIdentity = "verify-identity"
    }

    /// Reads `tls` and `ca`.
    fileprivate init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        let word = try reader.choice("tls", Word.self) ?? .preferred
        let ca = try reader.path("ca")
        switch word {
        case .disabled, .preferred, .required:
            guard ca == nil else {
                throw reader.error("ca", "is for tls \"verify-ca\" and \"verify-identity\" only")
            }
            self = word == .disabled ? .disabled : word == .preferred ? .preferred : .required
        case .verifyCA: self = .verifyCA(ca: try reader.readable(ca, "ca"))
        case .verifyIdentity: self = .verifyIdentity(ca: try reader.readable(ca, "ca"))
        }
    }
}
