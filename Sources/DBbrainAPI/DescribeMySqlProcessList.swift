import ActionDispatch
import SessionKill
import TencentCloudErrors

/// The sessions of an instance, longest first.
public struct DescribeMySqlProcessListRequest: Codable, Sendable {
    public var InstanceId: String
    public var ID: UInt64?
    public var User: String?
    public var Host: String?
    public var DB: String?
    public var State: String?
    public var Command: String?
    /// Sessions whose time is greater than this, in seconds.
    public var Time: UInt64?
    public var Info: String?
    /// Default 20.
    public var Limit: UInt64?
    public var Product: Product?

    public init(InstanceId: String, Limit: UInt64? = nil, Product: Product? = nil) {
        self.InstanceId = InstanceId
        self.Limit = Limit
        self.Product = Product
    }
}

public struct DescribeMySqlProcessListAnswer: Codable, Sendable {
    public var ProcessList: [MySqlProcess]
}

/// Every field is a string; what the server says NULL for is empty.
public struct MySqlProcess: Codable, Sendable {
    public var ID: String
    public var User: String
    public var Host: String
    public var DB: String
    public var State: String
    public var Command: String
    public var Time: String
    public var Info: String

    init(_ session: Session) {
        ID = session.id.description
        User = session.identity.user
        Host = session.identity.host
        DB = session.picture.database ?? ""
        State = session.picture.state ?? ""
        Command = session.picture.command
        Time = session.picture.seconds.map(String.init) ?? ""
        Info = session.picture.statement ?? ""
    }
}

extension DBbrain {
    func describeMySqlProcessList(
        _ request: DescribeMySqlProcessListRequest, _ call: Call
    ) async throws -> DescribeMySqlProcessListAnswer {
        let managed = try instance(request.InstanceId, product: request.Product, for: call)
        try call.require(.list, on: managed.resource(for: call.account))
        let observation = try await inDialect { try await managed.instance.observe() }
        let found = observation.sessions.filter(request.selects).sorted {
            ($0.picture.seconds ?? 0, $1.id) > ($1.picture.seconds ?? 0, $0.id)
        }
        let limit = Int(clamping: request.Limit ?? 20)
        return DescribeMySqlProcessListAnswer(ProcessList: found.prefix(limit).map(MySqlProcess.init))
    }
}

extension DescribeMySqlProcessListRequest {
    /// All filters that were given must hold; of a host without a port every
    /// port matches.
    fileprivate func selects(_ session: Session) -> Bool {
        func holds<Value: Equatable>(_ wanted: Value?, _ actual: Value?) -> Bool { wanted == nil || wanted == actual }
        let host = session.identity.host
        return holds(ID, UInt64(session.id.rawValue)) && holds(User, session.identity.user)
            && (holds(Host, host) || Host.map { host.hasPrefix($0 + ":") } == true)
            && holds(DB, session.picture.database) && holds(State, session.picture.state)
            && holds(Command, session.picture.command)
            && (Time.map { UInt64(clamping: session.picture.seconds ?? 0) > $0 } ?? true)
            && (Info.map { session.picture.statement?.contains($0) == true } ?? true)
    }
}
