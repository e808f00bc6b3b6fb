import Accounts
import ActionDispatch
import Parameters
import SessionKill
import TencentCloudErrors
import Text

/// Pins sessions (`Prepare`) or ends what was pinned (`Commit`).
///
/// Source: the action's page of 2021-05-27, and for what it leaves open the
/// decisions of this project, listed on the page `API` of killd.docc.
public struct KillMySqlThreadsRequest: Codable, Sendable {
    public enum Stage: String, Codable, Sendable {
        case prepare = "Prepare"
        case commit = "Commit"
    }

    public var InstanceId: String
    public var Stage: Stage
    /// Required at Prepare; not read at Commit.
    public var Threads: [ThreadID]?
    /// Required at Commit; not read at Prepare.
    public var SqlExecId: String?
    public var Product: Product?
    /// Whether the plan stands in ``DescribeKillPlansResponse``; default true.
    public var RecordHistory: Bool?
    /// An extension of killd's for OceanBase Database Proxies, read at Prepare:
    /// of each of ``Threads``, in the same order, the `ss_id` of the connection to
    /// a database server that is to end in its place.
    public var ServerSessionIds: [UInt64]?
    /// For whom the account asks, read at Prepare: somebody who may not approve the plan then. Like the two below an
    /// extension of killd's.
    public var RequestedBy: String?
    /// Why, for those who decide about the plan; read at Prepare.
    public var Reason: String?
    /// Why, for who commits without the approvals that the plan needs, by the right to do so; read at Commit.
    public var BreakGlassReason: String?

    /// The Prepare of `threads`.
    public static func prepare(
        _ threads: [ThreadID], instance: String, product: Product?, requestedBy: String? = nil, reason: String? = nil
    ) -> Self {
        Self(
            InstanceId: instance, Stage: .prepare, Threads: threads, Product: product, RequestedBy: requestedBy,
            Reason: reason)
    }

    /// The Commit of a plan.
    public static func commit(_ sqlExecID: String, instance: String, product: Product?) -> Self {
        Self(InstanceId: instance, Stage: .commit, SqlExecId: sqlExecID, Product: product)
    }
}

extension KillMySqlThreadsRequest {
    /// `ServerSessionIds` can be absent, but not null: a variable that was not set
    /// would end clients' sessions in the place of single connections of theirs. Nor can `RequestedBy`: who asked could
    /// approve.
    public init(from decoder: any Decoder) throws {
        let parameters = try decoder.container(keyedBy: CodingKeys.self)
        InstanceId = try parameters.decode(String.self, forKey: .InstanceId)
        self.Stage = try parameters.decode(Self.Stage.self, forKey: .Stage)
        Threads = try parameters.decodeIfPresent([ThreadID].self, forKey: .Threads)
        SqlExecId = try parameters.decodeIfPresent(String.self, forKey: .SqlExecId)
        self.Product = try parameters.decodeIfPresent(DBbrainAPI.Product.self, forKey: .Product)
        RecordHistory = try parameters.decodeIfPresent(Bool.self, forKey: .RecordHistory)
        ServerSessionIds = try parameters.decodeUnlessAbsent([UInt64].self, forKey: .ServerSessionIds)
        RequestedBy = try parameters.decodeUnlessAbsent(String.self, forKey: .RequestedBy)
        Reason = try parameters.decodeIfPresent(String.self, forKey: .Reason)
        BreakGlassReason = try parameters.decodeIfPresent(String.self, forKey: .BreakGlassReason)
    }
}

/// The response, with both keys in both stages: the vendor marks both as always present.
public struct KillMySqlThreadsResponse: Codable, Sendable {
    /// The threads whose kill took effect; empty at Prepare.
    public var Threads: [ThreadID]
    public var SqlExecId: String
}

/// It ends every Prepare, for which an encoder would take a twentieth of all that is done.
extension KillMySqlThreadsResponse: PreparedResponse {
    public func appendMembers(to json: inout [UInt8]) throws {
        var members = JSONMembers()
        members.add("SqlExecId", SqlExecId)
        members.add("Threads") { $0.append(jsonArray: Threads) { $0 += $1.description.utf8 } }
        json += members.bytes
    }
}

extension DBbrain {
    func killMySqlThreads(_ request: KillMySqlThreadsRequest, _ call: Call) async throws -> KillMySqlThreadsResponse {
        switch request.Stage {
        case .prepare:
            guard let threads = request.Threads else { throw TencentCloudError.missingParameter("Threads") }
            guard !threads.isEmpty else { throw TencentCloudError.invalidValue("[]", of: "Threads") }
            guard threads.count <= maximumThreads else {
                throw TencentCloudError.tooManyThreads(count: threads.count, limit: maximumThreads)
            }
            let managed = try instance(request.InstanceId, product: request.Product, for: call)
            try call.require(.prepare, on: managed.resource(for: call.account))
            if let serverSessions = request.ServerSessionIds, serverSessions.count != threads.count {
                throw TencentCloudError.differentLengths("Threads", "ServerSessionIds")
            }
            let terms = try prepareTerms(of: request)
            let plan = try await inDialect {
                let names = request.ServerSessionIds.map { serverSessions in
                    zip(threads, serverSessions).map { ServerSessionName(thread: $0, serverSession: $1) }
                }
                return try await engine.prepare(
                    names.map(Selection.serverSessions) ?? .threads(threads), on: managed.instance,
                    for: call.caller, asking: terms)
            }
            return KillMySqlThreadsResponse(Threads: [], SqlExecId: plan.sqlExecID.rawValue)
        case .commit:
            guard let sqlExecID = request.SqlExecId else { throw TencentCloudError.missingParameter("SqlExecId") }
            // Bounded before it is hashed: a string's hash is quadratic in its combining marks.
            guard sqlExecID.canBeName else { throw TencentCloudError.planNotFound }
            let managed = try instance(request.InstanceId, product: request.Product, for: call)
            try call.require(.commit, on: managed.resource(for: call.account))
            let breakGlass = try breakGlass(request.BreakGlassReason, on: managed, call)
            let report = try await inDialect {
                try await engine.commit(
                    .ticket(SqlExecID(rawValue: sqlExecID)), on: managed.instance, for: call.caller,
                    breakGlass: breakGlass)
            }
            return KillMySqlThreadsResponse(Threads: report.killed, SqlExecId: sqlExecID)
        }
    }

    private func prepareTerms(of request: KillMySqlThreadsRequest) throws(TencentCloudError) -> PrepareTerms {
        // Whoever asked must not be able to approve because a blank came with the name.
        let requester = request.RequestedBy?.trimmed
        try requireReadable(requester, as: "RequestedBy", limit: 256)
        guard requester?.utf8.contains(UInt8(ascii: "\n")) != true else { throw .hiddenCharacter(in: "RequestedBy") }
        try requireReadable(request.Reason, as: "Reason")
        return PrepareTerms(
            recordHistory: request.RecordHistory ?? true, requestedBy: requester.map(PersonName.init),
            reason: request.Reason)
    }
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
