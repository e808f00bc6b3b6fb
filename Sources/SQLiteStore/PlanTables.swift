import SessionKill

/// The statements on the table `plans`, prepared once, and those on `threads`.
///
/// What a method does belongs to the transaction of whoever calls it. Each that
/// writes returns how many plans it changed.
struct PlanTables: ~Copyable {
    private let threads: ThreadTable
    private let insertPlan: Statement
    private let selectPlanByTicket: Statement
    private let selectPlanByName: Statement
    private let selectHistory: Statement
    private let claimPlan: Statement
    private let finishPlan: Statement
    private let countKilled: Statement
    private let selectInterrupted: Statement
    private let countPlans: Statement
    private let deletePlans: Statement
}

extension PlanTables {
    init(on connection: borrowing Connection) throws(SQLiteError) {
        self.init(
            threads: try ThreadTable(on: connection),
            insertPlan: try Statement(
                """
                INSERT INTO plans (name, sql_exec_id, digest, account, instance, prepared_at, expires_at,
                    record_history, fingerprint, impact, task)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT id FROM kill_tasks WHERE name = ?)) RETURNING id, task
                """, on: connection),
            selectPlanByTicket: try Statement(selectPlan + " WHERE sql_exec_id = ?", on: connection),
            selectPlanByName: try Statement(selectPlan + " WHERE name = ?", on: connection),
            // record_history = 1 is the condition of the index plans_by_instance: without it SQLite would not use that.
            selectHistory: try Statement(
                """
                SELECT id, name, account, prepared_at, expires_at, state, ended_at,
                    (SELECT name FROM kill_tasks WHERE kill_tasks.id = plans.task) AS task
                FROM plans WHERE instance = ? AND record_history = 1 ORDER BY id DESC LIMIT ?
                """, on: connection),
            claimPlan: try Statement(
                """
                UPDATE plans SET state = 'committing', committing_since = ?
                WHERE name = ? AND state = 'prepared' RETURNING id
                """, on: connection),
            finishPlan: try Statement(
                """
                UPDATE plans SET state = ?, ended_at = ?, stale_reason = ?
                WHERE name = ? AND state IN ('prepared', 'committing') RETURNING id
                """, on: connection),
            countKilled: try Statement(
                """
                UPDATE kill_tasks SET killed_sessions = killed_sessions + ?
                WHERE id = (SELECT task FROM plans WHERE id = ?)
                """, on: connection),
            selectInterrupted: try Statement(
                "SELECT sql_exec_id, instance FROM plans WHERE task IS NOT NULL AND state = 'committing'",
                on: connection),
            countPlans: try Statement("SELECT count(*) AS count FROM plans WHERE name = ?", on: connection),
            // The expressions are those of the index plans_by_end_of_life, without which SQLite would not use it.
            deletePlans: try Statement(
                """
                DELETE FROM plans WHERE id IN (
                    SELECT id FROM plans WHERE state <> 'committing' AND coalesce(ended_at, expires_at) < ?
                    ORDER BY coalesce(ended_at, expires_at) LIMIT ?)
                """, on: connection))
    }

    borrowing func insert(_ plan: PlanRows) throws -> Int {
        let inserted = try insertPlan.rows([
            .text(plan.name), .text(plan.sqlExecID), .text(plan.digest), .text(plan.account), .text(plan.instance),
            .integer(plan.preparedAt), .integer(plan.expiresAt), .integer(plan.recordHistory ? 1 : 0),
            .text(plan.fingerprint), SQLiteValue(plan.impact), SQLiteValue(plan.task),
        ]) { (id: try $0.integer("id"), task: try $0.optionalInteger("task")) }.first
        guard let (id, task) = inserted else { return 0 }
        guard (task == nil) == (plan.task == nil) else { throw StoreError(.other, "there is no such task") }
        try threads.insert(plan.threads, of: id)
        return 1
    }

    borrowing func plan(with sqlExecID: SqlExecID) throws -> (PlanRows, ProgressColumns)? {
        try readThreads(of: try selectPlanByTicket.rows([.text(sqlExecID.rawValue)]) { row in try PlanRow(row) }.first)
    }

    borrowing func plan(named name: PlanName) throws -> (PlanRows, ProgressColumns)? {
        try readThreads(of: try selectPlanByName.rows([.text(name.rawValue)]) { row in try PlanRow(row) }.first)
    }

    /// The plan with its threads. No transaction is needed around the two statements: nobody else writes to the store.
    private borrowing func readThreads(of row: PlanRow?) throws -> (PlanRows, ProgressColumns)? {
        guard var row else { return nil }
        let threads = try threads.threads(of: row.id)
        row.plan.threads = threads.map(\.0)
        row.progress.threads = threads.map(\.1)
        return (row.plan, row.progress)
    }

    /// Some of the recorded plans of `instances`, the latest first, with the
    /// counts of their outcomes; `nil` stands for no outcome yet.
    borrowing func history(
        of instances: Set<InstanceID>, skipping offset: Int, limit: Int
    ) throws -> [HistoryRow] {
        // From each instance as many as could be needed if all the latest were its own.
        var rows: [HistoryRow] = []
        for instance in instances {
            rows += try selectHistory.rows([.text(instance.rawValue), .integer(Int64(offset + limit))]) { row in
                try HistoryRow(row, instance: instance)
            }
        }
        var page = Array(rows.sorted { $0.id > $1.id }.dropFirst(offset).prefix(limit))
        for index in page.indices {
            page[index].outcomes = try threads.outcomeCounts(of: page[index].id)
        }
        return page
    }

    borrowing func claim(_ plan: PlanName, intending threads: [ThreadID], at time: UnixTime) throws -> Int {
        let id = try claimPlan.rows([.integer(time.milliseconds), .text(plan.rawValue)]) { try $0.integer("id") }.first
        guard let id else { return 0 }
        try self.threads.intend(threads, of: id, at: time)
        return 1
    }

    borrowing func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) throws -> Int {
        let staleReason: StaleReason? = if case .stale(let reason) = ending { reason } else { nil }
        let id = try finishPlan.rows([
            .text(ending.status.rawValue), .integer(time.milliseconds), SQLiteValue(staleReason?.rawValue),
            .text(plan.rawValue),
        ]) { try $0.integer("id") }.first
        guard let id else {
            let count = try countPlans.rows([.text(plan.rawValue)]) { try $0.integer("count") }
            guard count == [1] else { throw StoreError(.other, "there is no such plan") }
            return 0
        }
        try threads.record(outcomes, of: id)
        try threads.record(guards, of: id)
        try countKilled.run([.integer(Int64(outcomes.values.count(where: \.isKilled))), .integer(id)])
        return 1
    }

    /// The plans of tasks that are committing.
    borrowing func interruptedTaskPlans() throws -> [InterruptedTaskPlan] {
        try selectInterrupted.rows { row in
            InterruptedTaskPlan(
                sqlExecID: SqlExecID(rawValue: try row.text("sql_exec_id")),
                instance: InstanceID(rawValue: try row.text("instance")))
        }
    }

    /// Deletes at most `limit` plans that ended, or expired without being committed, before `time`.
    borrowing func deletePlans(endedOrExpiredBefore time: UnixTime, limit: Int) throws -> Int {
        try deletePlans.run([.integer(time.milliseconds), .integer(Int64(limit))])
    }
}

private let selectPlan = """
    SELECT id, name, sql_exec_id, digest, account, instance, prepared_at, expires_at, record_history, fingerprint,
        impact, state, committing_since, ended_at, stale_reason,
        (SELECT name FROM kill_tasks WHERE kill_tasks.id = plans.task) AS task
    FROM plans
    """

/// A row of `selectPlan`, its threads still missing.
private struct PlanRow {
    let id: Int64
    var plan: PlanRows
    var progress: ProgressColumns

    init(_ row: borrowing Row) throws {
        id = try row.integer("id")
        plan = PlanRows(
            name: try row.text("name"), sqlExecID: try row.text("sql_exec_id"), digest: try row.text("digest"),
            account: try row.text("account"),
            instance: try row.text("instance"), task: try row.optionalText("task"),
            preparedAt: try row.integer("prepared_at"),
            expiresAt: try row.integer("expires_at"), recordHistory: try row.integer("record_history") != 0,
            fingerprint: try row.text("fingerprint"),
            impact: try row.optionalText("impact"), threads: [])
        progress = ProgressColumns(
            state: try row.text("state"), committingSince: try row.optionalInteger("committing_since"),
            endedAt: try row.optionalInteger("ended_at"),
            staleReason: try row.optionalText("stale_reason"), threads: [])
    }
}
