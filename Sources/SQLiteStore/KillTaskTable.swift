import SessionKill

/// The statements on the table `kill_tasks`, prepared once.
///
/// What a method does belongs to the transaction of whoever calls it. Each that
/// writes returns how many tasks it changed, or which it deleted.
struct KillTaskTable: ~Copyable {
    private let insertTask: Statement
    private let endTask: Statement
    private let selectRunning: Statement
    private let selectTasks: Statement
    private let deleteTasks: Statement
}

extension KillTaskTable {
    init(on connection: borrowing Connection) throws(SQLiteError) {
        self.init(
            // The conflict is with one_running_task_per_instance and with nothing else.
            insertTask: try Statement(
                """
                INSERT INTO kill_tasks (name, account, instance, created_at, ends_at, host, user, databases, commands,
                    longer_than, statement_prefix, statement_keywords)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (instance) WHERE state = 'running' DO NOTHING
                """, on: connection),
            endTask: try Statement(
                """
                UPDATE kill_tasks SET state = ?, ended_at = ?, cancelled_by = ? WHERE name = ? AND state = 'running'
                """, on: connection),
            selectRunning: try Statement(selectTask + " WHERE state = 'running' ORDER BY id", on: connection),
            selectTasks: try Statement(selectTask + " WHERE instance = ? ORDER BY id DESC LIMIT ?", on: connection),
            deleteTasks: try Statement(
                """
                DELETE FROM kill_tasks WHERE id IN (
                    SELECT id FROM kill_tasks WHERE ended_at < ?
                        AND NOT EXISTS (SELECT 1 FROM plans WHERE plans.task = kill_tasks.id)
                    ORDER BY ended_at LIMIT ?) RETURNING name
                """, on: connection))
    }

    borrowing func insert(_ task: KillTaskRow) throws -> Int {
        try insertTask.run([
            .text(task.name), .text(task.account), .text(task.instance), .integer(task.createdAt),
            SQLiteValue(task.endsAt), SQLiteValue(task.host), SQLiteValue(task.user), SQLiteValue(task.databases),
            SQLiteValue(task.commands), SQLiteValue(task.longerThan), SQLiteValue(task.statementPrefix),
            SQLiteValue(task.statementKeywords),
        ])
    }

    borrowing func end(_ task: KillTaskName, as ending: KillTaskEnding, at time: UnixTime) throws -> Int {
        let (state, account): (String, String?) =
            switch ending {
            case .expired: ("expired", nil)
            case .cancelled(let account): ("cancelled", account.rawValue)
            }
        return try endTask.run([
            .text(state), .integer(time.milliseconds), SQLiteValue(account), .text(task.rawValue),
        ])
    }

    borrowing func runningTasks() throws -> [KillTaskRow] { try selectRunning.rows { row in try KillTaskRow(row) } }

    /// Some of the tasks of `instances`, the latest first.
    borrowing func tasks(of instances: Set<InstanceID>, skipping offset: Int, limit: Int) throws -> [KillTaskRow] {
        // From each instance as many as could be needed if all the latest were its own.
        var rows: [KillTaskRow] = []
        for instance in instances {
            rows += try selectTasks.rows([.text(instance.rawValue), .integer(Int64(offset + limit))]) { row in
                try KillTaskRow(row)
            }
        }
        return Array(rows.sorted { $0.id > $1.id }.dropFirst(offset).prefix(limit))
    }

    /// Deletes at most `limit` tasks that ended before `time`, but none that a plan is still there of.
    borrowing func deleteTasks(endedBefore time: UnixTime, limit: Int) throws -> [String] {
        try deleteTasks.rows([.integer(time.milliseconds), .integer(Int64(limit))]) { try $0.text("name") }
    }
}

private let selectTask = """
    SELECT id, name, account, instance, created_at, ends_at, host, user, databases, commands, longer_than,
        statement_prefix, statement_keywords, state, ended_at, cancelled_by, killed_sessions
    FROM kill_tasks
    """

extension KillTaskRow {
    /// A row with the columns of `selectTask`.
    fileprivate init(_ row: borrowing Row) throws {
        self.init(
            id: try row.integer("id"), name: try row.text("name"), account: try row.text("account"),
            instance: try row.text("instance"),
            createdAt: try row.integer("created_at"), endsAt: try row.optionalInteger("ends_at"),
            host: try row.optionalText("host"),
            user: try row.optionalText("user"), databases: try row.optionalText("databases"),
            commands: try row.optionalText("commands"),
            longerThan: try row.optionalInteger("longer_than"),
            statementPrefix: try row.optionalText("statement_prefix"),
            statementKeywords: try row.optionalText("statement_keywords"), state: try row.text("state"),
            endedAt: try row.optionalInteger("ended_at"),
            cancelledBy: try row.optionalText("cancelled_by"), killedSessions: try row.integer("killed_sessions"))
    }
}
