import Accounts
import ActionDispatch
import Parameters
import SessionKill
import TencentCloudErrors

/// Begins to end, for a time, every session of an instance for which all
/// conditions hold that are given.
///
/// Source: the action's page of 2021-05-27. What it leaves open is read so that
/// fewer sessions match. An instance has one running task at most, so the response
/// names none.
public struct CreateKillTaskRequest: Codable, Sendable {
    public var InstanceId: String
    /// The duration in seconds, or -1 until ``CancelKillTaskRequest``.
    public var Duration: Int64
    /// The client's address, without or with its port.
    public var Host: String?
    /// The databases, a comma list.
    public var DB: String?
    /// The commands, a comma list.
    public var Command: String?
    /// The beginning of the statement. Excludes ``Infos``.
    public var Info: String?
    /// The texts that the statement contains, all of them.
    public var Infos: [String]?
    public var User: String?
    /// The time that the sessions exceed, in seconds.
    public var Time: Int64?
    public var Product: Product?

    public init(InstanceId: String, Duration: Int64) {
        self.InstanceId = InstanceId
        self.Duration = Duration
    }
}

extension CreateKillTaskRequest {
    /// Conditions can be absent, but not null: a variable that was not set would
    /// end everybody.
    public init(from decoder: any Decoder) throws {
        let parameters = try decoder.container(keyedBy: CodingKeys.self)
        InstanceId = try parameters.decode(String.self, forKey: .InstanceId)
        Duration = try parameters.decode(Int64.self, forKey: .Duration)
        Host = try parameters.decodeUnlessAbsent(String.self, forKey: .Host)
        DB = try parameters.decodeUnlessAbsent(String.self, forKey: .DB)
        Command = try parameters.decodeUnlessAbsent(String.self, forKey: .Command)
        Info = try parameters.decodeUnlessAbsent(String.self, forKey: .Info)
        Infos = try parameters.decodeUnlessAbsent([String].self, forKey: .Infos)
        User = try parameters.decodeUnlessAbsent(String.self, forKey: .User)
        Time = try parameters.decodeUnlessAbsent(Int64.self, forKey: .Time)
        self.Product = try parameters.decodeIfPresent(DBbrainAPI.Product.self, forKey: .Product)
    }
}

/// What creating and cancelling a task respond with.
public struct KillTaskResponse: Codable, Sendable {
    /// Always 1: what fails is an error.
    public var Status = 1
}

extension DBbrain {
    func createKillTask(_ request: CreateKillTaskRequest, _ call: Call) async throws -> KillTaskResponse {
        let duration = try request.duration
        let rule = try request.rule
        let managed = try instance(request.InstanceId, product: request.Product, for: call)
        try call.require(.rule, on: managed.resource(for: call.account))
        _ = try await inDialect {
            try await tasks.create(rule, lasting: duration, on: managed.instance, for: call.accountName)
        }
        return KillTaskResponse()
    }
}

extension CreateKillTaskRequest {
    /// Ten years of seconds.
    private static let longestDuration: Int64 = 315_360_000

    fileprivate var duration: KillTaskDuration {
        get throws(TencentCloudError) {
            switch Duration {
            case -1: return .untilCancelled
            case 1...Self.longestDuration: return .seconds(Int(Duration))
            default: throw .invalidValue(String(Duration), of: "Duration")
            }
        }
    }

    fileprivate var rule: KillRule {
        get throws(TencentCloudError) {
            let statement: KillRule.StatementCondition?
            switch (Info, Infos) {
            case (let prefix?, nil): statement = .beginsWith(prefix)
            case (nil, let keywords?): statement = .containsAll(keywords)
            case (nil, nil): statement = nil
            case (_?, _?): throw .conflictingParameters("Info", "Infos")
            }
            do throws(KillRule.InvalidCondition) {
                return try KillRule(
                    host: Host, user: User, databases: DB.map(Self.members), commands: Command.map(Self.members),
                    longerThan: Time, statement: statement)
            } catch {
                throw rejection(of: error.condition)
            }
        }
    }

    private func rejection(of condition: KillRule.Condition) -> TencentCloudError {
        switch condition {
        case .host: .invalidValue(Host ?? "", of: "Host")
        case .user: .invalidValue(User ?? "", of: "User")
        case .databases: .invalidValue(DB ?? "", of: "DB")
        case .commands: .invalidValue(Command ?? "", of: "Command")
        case .longerThan: .invalidValue(Time.map(String.init) ?? "", of: "Time")
        case .statement where Infos != nil: .invalidValue(Infos?.joined(separator: ",") ?? "", of: "Infos")
        case .statement: .invalidValue(Info ?? "", of: "Info")
        }
    }

    /// The members of a comma list without blanks around them. An empty one
    /// stays, to be rejected.
    private static func members(_ list: String) -> [String] {
        // By bytes: characters take time quadratic in the combining marks of a text.
        let blank = UInt8(ascii: " ")
        return list.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { member in
            let start = member.drop { $0 == blank }
            let end = start.lastIndex { $0 != blank }.map(start.index(after:)) ?? start.startIndex
            return String(Substring(start[..<end]))
        }
    }
}
