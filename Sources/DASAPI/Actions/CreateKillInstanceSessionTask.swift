import Accounts
import SessionKill

/// Ends sessions in the background, logged in as the caller says.
///
/// Source: the action's page, and for what it leaves open the decisions of this
/// project, listed on the page `AlibabaDAS` of killd.docc. A wrong login is no error of the request: the
/// task's result tells it of each session.
struct CreateKillInstanceSessionTask: DASAction {
    static let name = "CreateKillInstanceSessionTask"
    static let needs: Set<Permission> = [.prepare, .commit]
    static let mayBeBlank: [String]? = ["InstanceId", "DbUser", "DbUserPassword", "KillAllSessions", "SessionIds"]
    let das: DAS

    struct Request: Decodable, Sendable {
        var InstanceId: String
        var NodeId: String?
        var DbUser: String
        var DbUserPassword: DatabasePassword
        var IgnoredUsers: UserList?
        var KillAllSessions: DASBoolean
        /// The sessions to end; not read if all are to end.
        var SessionIds: SessionIDList?
    }

    func respond(to request: Request, for call: DASCall) async throws(DASError) -> DASResponse {
        let login: DatabaseLogin
        do throws(DatabaseLogin.Defect) {
            login = try DatabaseLogin(user: request.DbUser, password: request.DbUserPassword)
        } catch {
            throw .invalidParameters(.malformedLogin)
        }
        let tasks = DAS.TaskRequest(
            instance: request.InstanceId, node: request.NodeId, killsAll: request.KillAllSessions.value,
            threads: request.KillAllSessions.value ? nil : try request.SessionIds?.threads,
            ignoredUsers: try request.IgnoredUsers?.users ?? [])
        return DASResponse(data: .text(try await das.createTasks(tasks, by: .login(login), for: call)))
    }
}
