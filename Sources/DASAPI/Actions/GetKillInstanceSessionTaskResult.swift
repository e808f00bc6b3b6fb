import Accounts
import SessionKill

/// How far a task got, and what became of each of its sessions.
///
/// Source: the action's page of 2024-04-25, and for what it leaves open the
/// decisions of this project, listed on the page `AlibabaDAS` of killd.docc. No right is needed: only
/// who created the task is told of it. But whose sessions those are that it did
/// not end is told to who may list them: with a login that is refused, a task of
/// all sessions would else be a list of them.
struct GetKillInstanceSessionTaskResult: DASAction {
    static let name = "GetKillInstanceSessionTaskResult"
    static let needs: Set<Permission> = []
    let das: DAS

    struct Request: Decodable, Sendable {
        var InstanceId: String
        /// The task's: without one, a task of a node is not found.
        var NodeId: String?
        var TaskId: String
    }

    func respond(to request: Request, for call: DASCall) async throws(DASError) -> DASResponse {
        let target = try das.instance(request.InstanceId, for: call).server(request.NodeId).target
        guard request.TaskId.utf8.count <= 64 else { throw .taskNotFound }
        let stored: StoredSessionTask?
        do throws(StoreError) {
            stored = try await das.tasks.task(
                SessionTaskID(rawValue: request.TaskId), at: target, of: call.accountName)
        } catch {
            throw .internalError(cause: error)
        }
        guard let stored else { throw .taskNotFound }
        return DASResponse(data: stored.response(to: call.account))
    }
}

extension StoredSessionTask {
    fileprivate func response(to account: Account) -> ResponseValue {
        let showsAll = account.permissions.contains(.list)
        var outcomes: [SessionTaskOutcome] = []
        var result: [ResponseValue] = []
        if case .ended = state {
            outcomes = sessions.compactMap(\.outcome)
            let subtask = task.id.subtask
            result = sessions.compactMap { session in
                session.outcome.map { outcome in
                    let row = showsAll || outcome.isKilled ? session.row : nil
                    return session.response(row, subtask: subtask, reason: SessionReason(outcome))
                }
            }
        }
        return [
            "TaskId": .text(task.id.rawValue), "UserId": .text(account.uin),
            "InstanceId": .text(task.target.instance.rawValue), "NodeId": task.target.node.map { .text($0.rawValue) },
            "TaskState": .text(state.word), "Sessions": .list(sessions.map { .integer(Int64($0.id.rawValue)) }),
            "KillSuccessCount": .integer(Int64(outcomes.count(where: \.isKilled))),
            "KillFailCount": .integer(Int64(outcomes.count(where: \.isFailure))),
            "IgnoredUserSessionCount": .integer(Int64(outcomes.count(where: \.isSpared))),
            "Result": .list(result),
        ]
    }
}

extension SessionTaskState {
    fileprivate var word: String {
        switch self {
        case .running: "RUNNING"
        case .ended(.success, _): "SUCCESS"
        case .ended(.failure, _): "FAILURE"
        case .ended(.error, _): "ERROR"
        }
    }
}

extension SessionTaskID {
    /// The id of the task's one subtask: the same digits in the form of a UUID,
    /// as the vendor's have it.
    fileprivate var subtask: String {
        var text = "task_"
        for (position, digit) in rawValue.unicodeScalars.enumerated() {
            if [8, 12, 16, 20].contains(position) { text.append("-") }
            text.unicodeScalars.append(digit)
        }
        return text
    }
}

extension TaskedSession {
    /// What the server has NULL for is an empty text; so is all of a session
    /// without a row.
    fileprivate func response(_ row: SessionRow?, subtask: String, reason: SessionReason) -> ResponseValue {
        [
            "Id": .integer(Int64(id.rawValue)), "User": .text(row?.user ?? ""), "Host": .text(row?.host ?? ""),
            "Db": .text(row?.database ?? ""), "Command": .text(row?.command ?? ""),
            "Time": .integer(row?.seconds ?? 0), "State": .text(row?.state ?? ""),
            "Info": .text(row?.statement?.info ?? ""), "Active": .boolean(row?.isActive ?? false),
            "TaskId": .text(subtask), "Reason": .text(reason.rawValue),
        ]
    }
}

extension RecordedStatement {
    fileprivate var info: String {
        switch self {
        case .shown(let text, _): text
        case .hidden(let sha256): "/* SHA-256 \(sha256) */"
        }
    }
}
