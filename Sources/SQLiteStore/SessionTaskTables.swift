import SessionKill

/// The statements on the tables `session_tasks` and `session_task_sessions`,
/// prepared once.
///
/// What a method does belongs to the transaction of whoever calls it. Each that
/// writes returns how many tasks it changed, or which it deleted.
struct SessionTaskTables: ~Copyable {
    private let insertTask: Statement
    private let insertSession: Statement
    private let endTask: Statement
    private let deleteSessions: Statement
    private let selectTask: Statement
    private let selectRunning: Statement
    private let selectSessions: Statement
    private let deleteTasks: Statement
}

extension SessionTaskTables {
    init(on connection: borrowing Connection) throws(SQLiteError) {
        self.init(
            insertTask: try Statement(
                """
                INSERT INTO session_tasks (task_id, account, instance, node, plan, created_at)
                VALUES (?, ?, ?, ?, ?, ?) RETURNING id
                """, on: connection),
            insertSession: try Statement(
                """
                INSERT INTO session_task_sessions (task, position, thread_id, user, host, database, command, seconds,
                    state, statement, active, outcome, outcome_reason, server_error, outcome_detail)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, on: connection),
            endTask: try Statement(
                """
                UPDATE session_tasks SET state = ?, ended_at = ? WHERE task_id = ? AND state = 'running' RETURNING id
                """, on: connection),
            deleteSessions: try Statement("DELETE FROM session_task_sessions WHERE task = ?", on: connection),
            selectTask: try Statement(selectTasks + " WHERE task_id = ?", on: connection),
            selectRunning: try Statement(selectTasks + " WHERE state = 'running' ORDER BY id", on: connection),
            selectSessions: try Statement(
                """
                SELECT thread_id, user, host, database, command, seconds, state, statement, active, outcome,
                    outcome_reason, server_error, outcome_detail
                FROM session_task_sessions WHERE task = ? ORDER BY position
                """, on: connection),
            deleteTasks: try Statement(
                """
                DELETE FROM session_tasks WHERE id IN (
                    SELECT id FROM session_tasks WHERE ended_at < ? ORDER BY ended_at LIMIT ?) RETURNING task_id
                """, on: connection))
    }

    @discardableResult
    borrowing func insert(_ task: SessionTask, _ sessions: [SessionTaskRows.Session]) throws -> Int {
        let id = try insertTask.rows([
            .text(task.id.rawValue), .text(task.account.rawValue), .text(task.target.instance.rawValue),
            SQLiteValue(task.target.node?.rawValue), .text(task.plan.rawValue), .integer(task.createdAt.milliseconds),
        ]) { try $0.integer("id") }.first
        guard let id else { return 0 }
        try insert(sessions, of: id)
        return 1
    }

    borrowing func end(
        _ task: SessionTaskID, as ending: SessionTaskEnding, _ sessions: [SessionTaskRows.Session], at time: UnixTime
    ) throws -> Int {
        let id = try endTask.rows([
            .text(ending.rawValue), .integer(time.milliseconds), .text(task.rawValue),
        ]) { try $0.integer("id") }.first
        guard let id else { return 0 }
        try deleteSessions.run([.integer(id)])
        try insert(sessions, of: id)
        return 1
    }

    private borrowing func insert(_ sessions: [SessionTaskRows.Session], of task: Int64) throws {
        for (position, session) in sessions.enumerated() {
            let row = session.row
            try insertSession.run([
                .integer(task), .integer(Int64(position)), .integer(session.id), SQLiteValue(row?.user),
                SQLiteValue(row?.host), SQLiteValue(row?.database), SQLiteValue(row?.command),
                SQLiteValue(row?.seconds), SQLiteValue(row?.state), SQLiteValue(row?.statement),
                SQLiteValue(row.map { $0.isActive ? 1 : 0 }), SQLiteValue(session.outcome?.outcome),
                SQLiteValue(session.outcome?.reason), SQLiteValue(session.outcome?.serverError),
                SQLiteValue(session.outcome?.detail),
            ])
        }
    }

    borrowing func task(_ id: SessionTaskID) throws -> SessionTaskRows? {
        guard let row = try selectTask.rows([.text(id.rawValue)], { row in try TaskRow(row) }).first else { return nil }
        return try readSessions(of: row)
    }

    borrowing func runningTasks() throws -> [SessionTaskRows] {
        // No closure: it could not use what is borrowed here.
        var tasks: [SessionTaskRows] = []
        for row in try selectRunning.rows([], { row in try TaskRow(row) }) { tasks.append(try readSessions(of: row)) }
        return tasks
    }

    private borrowing func readSessions(of row: TaskRow) throws -> SessionTaskRows {
        var task = row.task
        task.sessions = try selectSessions.rows([.integer(row.id)]) { row in try SessionTaskRows.Session(row) }
        return task
    }

    /// Deletes at most `limit` tasks that ended before `time`, with their sessions.
    borrowing func deleteTasks(endedBefore time: UnixTime, limit: Int) throws -> [String] {
        try deleteTasks.rows([.integer(time.milliseconds), .integer(Int64(limit))]) { try $0.text("task_id") }
    }
}

private let selectTasks = """
    SELECT id, task_id, account, instance, node, plan, created_at, state, ended_at FROM session_tasks
    """

/// A row of `selectTasks`, its sessions still missing.
private struct TaskRow {
    let id: Int64
    let task: SessionTaskRows

    init(_ row: borrowing Row) throws {
        id = try row.integer("id")
        task = SessionTaskRows(
            taskID: try row.text("task_id"), account: try row.text("account"), instance: try row.text("instance"),
            node: try row.optionalText("node"), plan: try row.text("plan"), createdAt: try row.integer("created_at"),
            state: try row.text("state"), endedAt: try row.optionalInteger("ended_at"))
    }
}

extension SessionTaskRows.Session {
    /// A row with the columns of `selectSessions`.
    fileprivate init(_ row: borrowing Row) throws {
        id = try row.integer("thread_id")
        if let user = try row.optionalText("user") {
            self.row = SessionTaskRows.Row(
                user: user, host: try row.text("host"), database: try row.optionalText("database"),
                command: try row.text("command"),
                seconds: try row.optionalInteger("seconds"), state: try row.optionalText("state"),
                statement: try row.optionalText("statement"),
                isActive: try row.integer("active") != 0)
        }
        outcome = try OutcomeColumns(row)
    }
}
