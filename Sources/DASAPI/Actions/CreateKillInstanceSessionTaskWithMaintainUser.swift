import Accounts
import SessionKill

/// Ends sessions in the background with killd's own account.
///
/// Source: the SDKs; there is no page.
struct CreateKillInstanceSessionTaskWithMaintainUser: DASAction {
    static let name = "CreateKillInstanceSessionTaskWithMaintainUser"
    static let needs: Set<Permission> = [.prepare, .commit]
    static let mayBeBlank: [String]? = ["InstanceId", "KillAllSessions", "SessionIds"]
    let das: DAS

    struct Request: Decodable, Sendable {
        var InstanceId: String
        var NodeId: String?
        var IgnoredUsers: UserList?
        var KillAllSessions: DASBoolean
        /// The sessions to end; not read if all are to end.
        var SessionIds: SessionIDList?
    }

    func respond(to request: Request, for call: DASCall) async throws(DASError) -> DASResponse {
        let tasks = DAS.TaskRequest(
            instance: request.InstanceId, node: request.NodeId, killsAll: request.KillAllSessions.value,
            threads: request.KillAllSessions.value ? nil : try request.SessionIds?.threads,
            ignoredUsers: try request.IgnoredUsers?.users ?? [])
        return DASResponse(data: .text(try await das.createTasks(tasks, by: .killd, for: call)))
    }
}
