import FoundationEssentials
import SessionKill

/// One row of `session_tasks` and its rows of `session_task_sessions`.
struct SessionTaskRows: Sendable {
    var taskID: String
    var account: String
    var instance: String
    var node: String?
    /// The plan's name.
    var plan: String
    var createdAt: Int64
    var state: String
    var endedAt: Int64?
    /// The sessions in the order of their positions.
    var sessions: [Session] = []

    /// One row of `session_task_sessions`.
    struct Session: Sendable {
        var id: Int64
        var row: Row?
        var outcome: OutcomeColumns?
    }

    /// A session's row in the server's list.
    struct Row: Sendable {
        var user: String
        var host: String
        var database: String?
        var command: String
        var seconds: Int64?
        var state: String?
        /// The statement as JSON.
        var statement: String?
        var isActive: Bool
    }
}

extension SessionTaskRows.Session {
    /// - Throws: whatever stops the encoder.
    init(_ session: TaskedSession, _ encoder: JSONEncoder) throws {
        id = Int64(session.id.rawValue)
        row = try session.row.map { row in
            SessionTaskRows.Row(
                user: row.user, host: row.host, database: row.database, command: row.command, seconds: row.seconds,
                state: row.state,
                statement: try row.statement.map { String(decoding: try encoder.encode($0), as: UTF8.self) },
                isActive: row.isActive)
        }
        outcome = session.outcome.map(OutcomeColumns.init)
    }

    fileprivate func taskedSession(_ decoder: JSONDecoder) throws -> TaskedSession {
        guard let id = ThreadID(id) else { throw StoreError(.damaged, "\(id) is no thread id") }
        let row = try row.map { row in
            SessionRow(
                user: row.user, host: row.host, database: row.database, command: row.command, seconds: row.seconds,
                state: row.state,
                statement: try row.statement.map { text in
                    try decoder.decode(RecordedStatement.self, from: Data(text.utf8))
                },
                isActive: row.isActive)
        }
        let outcome = try outcome.map { columns in
            guard let outcome = columns.taskOutcome else {
                throw StoreError(.damaged, "thread \(id) has the outcome \(columns.outcome), which makes no sense")
            }
            return outcome
        }
        return TaskedSession(id: id, row: row, outcome: outcome)
    }
}

extension SessionTaskRows {
    /// - Throws: ``StoreError`` of reason `damaged` or `DecodingError` if the
    ///   columns hold what the store never writes.
    func storedTask() throws -> StoredSessionTask {
        let decoder = JSONDecoder()
        return StoredSessionTask(
            task: SessionTask(
                id: SessionTaskID(rawValue: taskID), account: AccountName(rawValue: account),
                target: SessionTaskTarget(
                    instance: InstanceID(rawValue: instance), node: node.map(NodeID.init)),
                plan: PlanName(rawValue: plan), createdAt: UnixTime(milliseconds: createdAt)),
            state: try taskState(), sessions: try sessions.map { try $0.taskedSession(decoder) })
    }

    private func taskState() throws(StoreError) -> SessionTaskState {
        switch (state, endedAt) {
        case ("running", nil): return .running
        case (_, let time?):
            if let ending = SessionTaskEnding(rawValue: state) {
                return .ended(ending, at: UnixTime(milliseconds: time))
            }
        case (_, nil): break
        }
        throw StoreError(.damaged, "the state \(state) of \(taskID) contradicts what stands beside it")
    }
}

extension OutcomeColumns {
    private static let ignoredUser = "ignored-user"
    private static let loginRefused = "login-refused"

    /// An outcome of a session task's as it stands in the columns.
    init(_ outcome: SessionTaskOutcome) {
        switch outcome {
        case .decided(let outcome): self.init(outcome)
        case .ignoredUser: self.init(outcome: Self.ignoredUser)
        case .loginRefused: self.init(outcome: Self.loginRefused)
        }
    }

    /// `nil` if the columns hold what no outcome is stored as.
    fileprivate var taskOutcome: SessionTaskOutcome? {
        switch (outcome, reason, detail) {
        case (Self.ignoredUser, nil, nil): .ignoredUser
        case (Self.loginRefused, nil, nil): .loginRefused
        default: value.map(SessionTaskOutcome.decided)
        }
    }
}
