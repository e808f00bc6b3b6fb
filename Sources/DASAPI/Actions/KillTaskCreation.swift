import Accounts
import SessionKill

/// What the actions that create tasks have in common.
extension DAS {
    /// The sessions that a request names, and where.
    struct TaskRequest {
        var instance: String
        var node: String?
        var killsAll: Bool
        var threads: [ThreadID]?
        var ignoredUsers: Set<String>
    }

    /// Creates a task for each server that the request concerns.
    ///
    /// - Returns: the task's id, or a JSON array of ids in a text if there are
    ///   several servers: the SDKs of Go and Java read a text only.
    func createTasks(
        _ request: TaskRequest, by killer: KillingAccount, for call: DASCall
    ) async throws(DASError) -> String {
        let managed = try instance(request.instance, for: call)
        guard !managed.needsApproval else { throw .approvalsNeeded }
        let targets: [Instance]
        let selection: Selection
        if request.killsAll {
            targets = try managed.allServers(request.node)
            selection = .all(ignoring: request.ignoredUsers)
        } else {
            // Without a node nobody knows whose ids they are: each node has other sessions under the same.
            guard request.node != nil || managed.nodes.isEmpty else { throw .invalidParameters(.nodeMissing) }
            guard let threads = request.threads, !threads.isEmpty else { throw .invalidParameters(.noSessions) }
            guard threads.count <= maximumThreads else {
                throw .invalidParameters(.tooManySessions(count: threads.count, limit: maximumThreads))
            }
            targets = [try managed.server(request.node)]
            selection = .threads(threads, ignoring: request.ignoredUsers)
        }
        let ids: [String]
        do {
            ids = try await tasks.create(selection, on: targets, by: killer, for: call.accountName)
                .map(\.id.rawValue)
        } catch {
            throw DASError(creation: error)
        }
        let isPerNode = request.killsAll && request.node == nil && !managed.nodes.isEmpty
        return isPerNode ? "[" + ids.map { "\"\($0)\"" }.joined(separator: ", ") + "]" : ids.joined()
    }
}

extension DASError {
    /// Why no task was created.
    fileprivate init(creation error: any Error) {
        self =
            switch error {
            case SessionTaskError.tooMany: .throttled(retryAfter: .seconds(5))
            case SessionTaskError.approvalsNeeded: .approvalsNeeded
            case SessionTaskError.stopping: .serviceUnavailable(cause: error)
            case is ServerError: .serviceUnavailable(cause: error)
            default: .internalError(cause: error)
            }
    }
}
