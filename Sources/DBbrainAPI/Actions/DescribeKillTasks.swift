import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// The kill tasks that are and were, the latest first.
///
/// An action of killd's own; the vendor has none like it.
public typealias DescribeKillTasksRequest = PageRequest

public struct DescribeKillTasksResponse: Codable, Sendable {
    public var Tasks: [KillTaskDescription]
}

/// The conditions are as in ``CreateKillTaskRequest``, and missing where there is none.
public struct KillTaskDescription: Codable, Sendable {
    public var TaskName: String
    public var InstanceId: String
    /// The name of the account that created it.
    public var Account: String
    /// `running`, `suspended`, `expired` or `cancelled`.
    public var State: String
    /// ISO 8601, like all times here.
    public var CreatedAt: String
    /// The time at which its duration is or was over; missing if it goes on until cancelled.
    public var EndsAt: String?
    public var EndedAt: String?
    /// The name of the account that cancelled it.
    public var CancelledBy: String?
    /// How many sessions it has ended.
    public var SessionsKilled: Int
    public var Host: String?
    public var DB: String?
    public var Command: String?
    public var Info: String?
    public var Infos: [String]?
    public var User: String?
    public var Time: Int64?
}

extension KillTaskDescription {
    init(_ summary: KillTaskSummary) {
        let task = summary.task
        TaskName = task.name.rawValue
        InstanceId = task.instance.rawValue
        Account = task.account.rawValue
        State = summary.status.rawValue
        CreatedAt = task.createdAt.text
        EndsAt = task.endsAt?.text
        EndedAt = summary.endedAt?.text
        CancelledBy = summary.cancelledBy?.rawValue
        SessionsKilled = summary.killedSessions
        Host = task.rule.host
        DB = task.rule.databases?.joined(separator: ",")
        Command = task.rule.commands?.joined(separator: ",")
        switch task.rule.statement {
        case .beginsWith(let prefix)?: Info = prefix
        case .containsAll(let keywords)?: Infos = keywords
        case nil: break
        }
        User = task.rule.user
        Time = task.rule.longerThan
    }
}

extension DBbrain {
    func describeKillTasks(_ request: DescribeKillTasksRequest, _ call: Call) async throws -> DescribeKillTasksResponse
    {
        let page = try Page(request)
        let listed = try listableInstances(request.InstanceId, for: call)
        let found = try await inDialect {
            try await tasks.tasks(of: listed, skipping: page.offset, limit: page.limit)
        }
        return DescribeKillTasksResponse(Tasks: found.map(KillTaskDescription.init))
    }
}
