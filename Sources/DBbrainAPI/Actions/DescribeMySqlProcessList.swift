import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// The sessions of an instance, longest first.
///
/// Source: the action's page of 2021-05-27. All filters that are given must
/// hold; an empty text is none.
public struct DescribeMySqlProcessListRequest: Codable, Sendable {
    public var InstanceId: String
    public var ID: UInt64?
    public var User: String?
    /// The client's address, with the port as the server shows it, or without, for every port.
    public var Host: String?
    public var DB: String?
    /// The whole state, ASCII letters of either case alike.
    public var State: String?
    /// The whole command, ASCII letters of either case alike.
    public var Command: String?
    /// Sessions whose time is greater than this, in seconds.
    public var Time: UInt64?
    /// A part of the statement, to the letter.
    public var Info: String?
    /// The most sessions of the list, at least 1; default 20.
    public var Limit: UInt64?
    public var Product: Product?
    /// The properties by which sessions are to be counted, all of them that the
    /// filters select, whatever ``Limit`` is.
    public var StatDimensions: [StatDimension]?

    public init(InstanceId: String, Limit: UInt64? = nil, Product: Product? = nil) {
        self.InstanceId = InstanceId
        self.Limit = Limit
        self.Product = Product
    }
}

/// The same in version 2019-10-16, which knew no statistics.
struct DescribeMySqlProcessListRequest20191016: Decodable, Sendable {
    var InstanceId: String
    var ID: UInt64?
    var User: String?
    var Host: String?
    var DB: String?
    var State: String?
    var Command: String?
    var Time: UInt64?
    var Info: String?
    var Limit: UInt64?
    var Product: Product?

    var current: DescribeMySqlProcessListRequest {
        var request = DescribeMySqlProcessListRequest(InstanceId: InstanceId, Limit: Limit, Product: Product)
        request.ID = ID
        request.User = User
        request.Host = Host
        request.DB = DB
        request.State = State
        request.Command = Command
        request.Time = Time
        request.Info = Info
        return request
    }
}

public struct DescribeMySqlProcessListResponse: Codable, Sendable {
    public var ProcessList: [MySqlProcess]
    /// The statistics, one for each of the request's
    /// ``DescribeMySqlProcessListRequest/StatDimensions``; missing if there were
    /// none of them.
    public var Statistics: [StatisticInfo]?
}

/// A session. Every field is a string; what the server says NULL for is empty.
public struct MySqlProcess: Codable, Sendable {
    public var ID: String
    public var User: String
    public var Host: String
    public var DB: String
    public var State: String
    public var Command: String
    public var Time: String
    public var Info: String
    /// `SQLSelectStatement`, `MySqlInsertStatement`, `MySqlUpdateStatement`,
    /// `MySqlDeleteStatement`, `MySqlReplaceStatement`, `StartTransaction`, or
    /// nothing for any other statement and for none.
    public var SqlType: String

    init(_ session: Session) {
        ID = session.id.description
        User = session.identity.user
        Host = session.identity.host
        DB = session.details.database ?? ""
        State = session.details.state ?? ""
        Command = session.details.command
        Time = session.details.seconds.map(String.init) ?? ""
        Info = session.details.statement ?? ""
        SqlType = DBbrainAPI.SqlType(of: session.details.statement).rawValue
    }
}

extension DBbrain {
    func describeMySqlProcessList(
        _ request: DescribeMySqlProcessListRequest20191016, _ call: Call
    ) async throws -> DescribeMySqlProcessListResponse {
        try await describeMySqlProcessList(request.current, call)
    }

    func describeMySqlProcessList(
        _ request: DescribeMySqlProcessListRequest, _ call: Call
    ) async throws -> DescribeMySqlProcessListResponse {
        let limit = Int(clamping: request.Limit ?? 20)
        guard limit > 0 else { throw TencentCloudError.invalidValue("0", of: "Limit") }
        try StatDimension.check(request.StatDimensions ?? [])
        let managed = try instance(request.InstanceId, product: request.Product, for: call)
        try call.require(.list, on: managed.resource(for: call.account))
        let observation = try await inDialect { try await managed.instance.observe() }
        let found = observation.sessions.filter(SessionFilter(request).selects).sorted {
            ($0.details.seconds ?? 0, $1.id) > ($1.details.seconds ?? 0, $0.id)
        }
        return DescribeMySqlProcessListResponse(
            ProcessList: found.prefix(limit).map(MySqlProcess.init),
            Statistics: request.StatDimensions.map { dimensions in dimensions.map { $0.count(found) } })
    }
}
