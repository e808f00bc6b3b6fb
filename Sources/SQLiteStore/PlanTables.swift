import SessionKill

/// The statements on the table `plans`, prepared once, and those on `threads`.
///
/// What a method does belongs to the transaction of whoever calls it.
struct PlanTables: ~Copyable {
    let threads: ThreadTable
    let decisions: DecisionTable
    private let insertPlan: Statement
    private let selectTask: Statement
    private let selectPlanByTicket: Statement
    private let selectPlanByName: Statement
    let lists: PlanLists
    private let claimPlan: Statement
    private let finishPlan: Statement
    private let countKilled: Statement
    private let selectInterrupted: Statement
    private let selectState: Statement
    private let countAllPlans: Statement
    private let expirePlans: Statement
    private let deletePlans: Statement
}

extension PlanTables {
    init(on connection: borrowing Connection) throws(SQLiteError) {
        self.init(
            threads: try ThreadTable(on: connection), decisions: try DecisionTable(on: connection),
            insertPlan: try Statement(
                """
                INSERT INTO plans (name, sql_exec_id, digest, account, instance, prepared_at, expires_at,
                    record_history, fingerprint, impact, person, requested_by, reason, review, risk_grade, required,
                    approvable_until, commit_within, task)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, on: connection),
            selectTask: try Statement("SELECT id FROM kill_tasks WHERE name = ?", on: connection),
            selectPlanByTicket: try Statement(selectPlan + " WHERE sql_exec_id = ?", on: connection),
            selectPlanByName: try Statement(selectPlan + " WHERE name = ?", on: connection),
            lists: try PlanLists(on: connection),
            // ?1 time, ?2 name, ?3 digest, ?4 required by the configuration, ?5 persons whose approvals are valid,
            // ?6 whether glass is broken. The deadline is that of ReviewStanding.
            claimPlan: try Statement(
                """
                UPDATE plans SET
                    state = iif(?1 < deadline, 'committing', 'expired'),
                    committing_since = iif(?1 < deadline, ?1, NULL), ended_at = iif(?1 < deadline, NULL, deadline)
                FROM (
                    SELECT id AS claimed, last_approval,
                        iif(needed = 0, expires_at, coalesce(quorum_at + within, last_approval)) AS deadline,
                        needed = 0 OR quorum_at IS NOT NULL AS has_quorum
                    FROM (
                        SELECT id, expires_at, needed, coalesce(approvable_until, expires_at) AS last_approval,
                            coalesce(commit_within, 0) * 1000 AS within,
                            (SELECT at FROM (
                                SELECT at, row_number() OVER (ORDER BY at) AS place FROM decisions
                                WHERE plan = candidate.id AND kind = 'approved' AND digest = ?3
                                    AND person IN (SELECT value FROM json_each(?5))
                            ) WHERE place = needed) AS quorum_at
                        FROM (
                            SELECT *, max(required, ?4) AS needed FROM plans
                            WHERE name = ?2 AND state = 'prepared' AND digest = ?3
                        ) AS candidate))
                WHERE id = claimed AND state = 'prepared'
                    AND (?1 >= deadline OR has_quorum OR (?6 AND ?1 < last_approval))
                RETURNING id, name, instance, digest, state, required
                """, on: connection),
            finishPlan: try Statement(
                """
                UPDATE plans SET state = ?, ended_at = ?, stale_reason = ?
                WHERE name = ? AND state IN ('committing', ?) RETURNING id, name, instance, digest
                """, on: connection),
            countKilled: try Statement(
                """
                UPDATE kill_tasks SET killed_sessions = killed_sessions + ?
                WHERE id = (SELECT task FROM plans WHERE id = ?)
                """, on: connection),
            selectInterrupted: try Statement(
                "SELECT sql_exec_id, instance FROM plans WHERE task IS NOT NULL AND state = 'committing'",
                on: connection),
            selectState: try Statement("SELECT state FROM plans WHERE name = ?", on: connection),
            countAllPlans: try Statement("SELECT count(*) AS count FROM plans", on: connection),
            expirePlans: try Statement(
                """
                UPDATE plans SET state = 'expired', ended_at = \(lastDeadline)
                WHERE id IN (SELECT id FROM plans WHERE state = 'prepared' AND \(lastDeadline) <= ? LIMIT ?)
                RETURNING name, instance, digest
                """, on: connection),
            // The expressions are those of the index plans_by_end_of_life, without which SQLite would not use it.
            deletePlans: try Statement(
                """
                DELETE FROM plans WHERE id IN (
                    SELECT id FROM plans WHERE state <> 'committing' AND coalesce(ended_at, expires_at) < ?
                    ORDER BY coalesce(ended_at, expires_at) LIMIT ?)
                RETURNING name
                """, on: connection))
    }

    borrowing func insert(_ plan: PlanRows) throws {
        var task: Int64?
        if let name = plan.task {
            task = try selectTask.rows([.text(name)]) { try $0.integer("id") }.first
            guard task != nil else { throw StoreError(.other, "there is no such task") }
        }
        let id = try insertPlan.insert([
            .text(plan.name), .text(plan.sqlExecID), .text(plan.digest), .text(plan.account), .text(plan.instance),
            .integer(plan.preparedAt), .integer(plan.expiresAt), .integer(plan.recordHistory ? 1 : 0),
            .text(plan.fingerprint), SQLiteValue(plan.impact), .text(plan.person), SQLiteValue(plan.requestedBy),
            SQLiteValue(plan.reason), SQLiteValue(plan.review?.json), SQLiteValue(plan.review?.riskGrade),
            .integer(plan.review?.required ?? 0), SQLiteValue(plan.review?.approvableUntil),
            SQLiteValue(plan.review?.commitWithin), SQLiteValue(task),
        ])
        try threads.insert(plan.threads, of: id)
    }

    borrowing func plan(with sqlExecID: SqlExecID) throws -> PlanRecord? {
        try complete(try selectPlanByTicket.rows([.text(sqlExecID.rawValue)]) { row in try PlanRow(row) }.first)
    }

    borrowing func plan(named name: PlanName) throws -> PlanRecord? {
        try complete(try selectPlanByName.rows([.text(name.rawValue)]) { row in try PlanRow(row) }.first)
    }

    /// The plan with its threads and decisions. No transaction is needed around the statements: nobody else writes to
    /// the store.
    private borrowing func complete(_ row: PlanRow?) throws -> PlanRecord? {
        guard var row else { return nil }
        let threads = try threads.threads(of: row.id)
        row.plan.threads = threads.map(\.0)
        row.progress.threads = threads.map(\.1)
        return PlanRecord(rows: row.plan, progress: row.progress, decisions: try decisions.decisions(on: row.id))
    }

    enum ClaimedRow {
        case claimed(AuditedPlan, id: Int64, required: Int)
        case expired(AuditedPlan)
    }

    /// - Returns: `nil`, with nothing changed, if the plan may not be committed.
    borrowing func claim(_ plan: PlanName, _ claim: PlanClaim) throws -> ClaimedRow? {
        let moved = try claimPlan.rows([
            .integer(claim.time.milliseconds), .text(plan.rawValue), .text(claim.digest),
            .integer(Int64(claim.required)),
            try SQLiteValue(jsonArray: claim.approvals.map(\.caller.person.rawValue)),
            .integer(claim.breakGlass == nil ? 0 : 1),
        ]) { row in
            (
                id: try row.integer("id"), plan: try AuditedPlan(row), state: try row.text("state"),
                required: Int(try row.integer("required"))
            )
        }.first
        guard let moved else { return nil }
        guard moved.state == PlanStatus.committing.rawValue else { return .expired(moved.plan) }
        try threads.intend(claim.intended, of: moved.id, at: claim.time)
        return .claimed(moved.plan, id: moved.id, required: max(moved.required, claim.required))
    }

    borrowing func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) throws -> AuditedPlan? {
        let state: PlanStatus
        switch ending {
        case .committed: state = .committing
        case .stale, .abandoned: state = .prepared
        case .rejected, .cancelled, .expired:
            throw StoreError(.other, "nobody ends a plan as \(ending.status.rawValue) but by a decision or a claim")
        }
        let finished = try finishPlan.rows([
            .text(ending.status.rawValue), .integer(time.milliseconds), SQLiteValue(ending.staleReason?.rawValue),
            .text(plan.rawValue), .text(state.rawValue),
        ]) { row in (id: try row.integer("id"), plan: try AuditedPlan(row)) }.first
        guard let finished else {
            let found = try selectState.rows([.text(plan.rawValue)]) { try $0.text("state") }.first
            guard let found else { throw StoreError(.other, "there is no such plan") }
            guard found != PlanStatus.prepared.rawValue else { throw StoreError(.other, "nobody has claimed the plan") }
            return nil
        }
        try threads.record(outcomes, of: finished.id)
        try threads.record(guards, of: finished.id)
        try countKilled.run([.integer(Int64(outcomes.values.count(where: \.isKilled))), .integer(finished.id)])
        return finished.plan
    }

    /// The plans of tasks that are committing.
    borrowing func interruptedTaskPlans() throws -> [InterruptedTaskPlan] {
        try selectInterrupted.rows { row in
            InterruptedTaskPlan(
                sqlExecID: SqlExecID(rawValue: try row.text("sql_exec_id")),
                instance: InstanceID(rawValue: try row.text("instance")))
        }
    }

    borrowing func countAll() throws -> Int {
        try countAllPlans.rows { Int(try $0.integer("count")) }.first ?? 0
    }

    /// Moves at most `limit` prepared plans whose last deadline is over to `expired`.
    borrowing func expire(at time: UnixTime, limit: Int) throws -> [AuditedPlan] {
        try expirePlans.rows([.integer(time.milliseconds), .integer(Int64(limit))]) { try AuditedPlan($0) }
    }

    /// Deletes at most `limit` plans that ended, or expired without being committed, before `time`.
    ///
    /// - Returns: their names.
    borrowing func deletePlans(endedOrExpiredBefore time: UnixTime, limit: Int) throws -> [String] {
        try deletePlans.rows([.integer(time.milliseconds), .integer(Int64(limit))]) { try $0.text("name") }
    }
}

private let selectPlan = """
    SELECT id, name, sql_exec_id, digest, account, instance, prepared_at, expires_at, record_history, fingerprint,
        impact, person, requested_by, reason, review, required, approvable_until, commit_within, state,
        committing_since, ended_at, stale_reason,
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
            account: try row.text("account"), person: try row.text("person"),
            requestedBy: try row.optionalText("requested_by"), reason: try row.optionalText("reason"),
            instance: try row.text("instance"), task: try row.optionalText("task"),
            preparedAt: try row.integer("prepared_at"),
            expiresAt: try row.integer("expires_at"), recordHistory: try row.integer("record_history") != 0,
            fingerprint: try row.text("fingerprint"),
            impact: try row.optionalText("impact"), review: try PlanRows.Review(row), threads: [])
        progress = ProgressColumns(
            state: try row.text("state"), committingSince: try row.optionalInteger("committing_since"),
            endedAt: try row.optionalInteger("ended_at"),
            staleReason: try row.optionalText("stale_reason"), threads: [])
    }
}

extension PlanRows.Review {
    /// `nil` if the row has none.
    fileprivate init?(_ row: borrowing Row) throws {
        guard let json = try row.optionalText("review") else { return nil }
        self.init(
            json: json, riskGrade: nil, required: try row.integer("required"),
            approvableUntil: try row.integer("approvable_until"), commitWithin: try row.integer("commit_within"))
    }
}
