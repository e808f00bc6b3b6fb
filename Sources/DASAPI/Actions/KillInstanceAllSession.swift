import Accounts
import SessionKill

/// Ends all sessions of an instance in the background with killd's own account.
///
/// Source: the SDKs; there is no page. Their example is an instance of Redis,
/// and what `Data` holds is not known: here it is what
/// ``CreateKillInstanceSessionTask`` responds. Every field is a text.
struct KillInstanceAllSession: DASAction {
    static let name = "KillInstanceAllSession"
    static let needs: Set<Permission> = [.prepare, .commit]
    static let mayBeBlank: [String]? = ["InstanceId", "ConsoleContext"]
    let das: DAS

    struct Request: Decodable, Sendable {
        var InstanceId: String
        /// Reserved by the vendor; not read.
        var ConsoleContext: String?
    }

    func respond(to request: Request, for call: DASCall) async throws(DASError) -> DASResponse {
        let tasks = DAS.TaskRequest(
            instance: request.InstanceId, node: nil, killsAll: true, threads: nil, ignoredUsers: [])
        return DASResponse(
            data: .text(try await das.createTasks(tasks, by: .killd, for: call)), envelope: .allText)
    }
}
