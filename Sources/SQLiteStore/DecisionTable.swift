import SessionKill

/// The statements on the table `decisions`, prepared once, and those that end a plan by a decision.
///
/// What a method does belongs to the transaction of whoever calls it.
struct DecisionTable: ~Copyable {
    private let selectDecisions: Statement
    private let selectEntry: Statement
    private let insertApproval: Statement
    private let insertReview: Statement
    private let insertDecision: Statement
    private let selectPlan: Statement
    private let rejectPlan: Statement
    private let cancelPlan: Statement
}

/// When a prepared plan has expired by whatever configuration: nobody can approve it any more, and it is too late for
/// those approvals that it has.
let lastDeadline = """
    max(coalesce(approvable_until, expires_at), iif(required = 0, expires_at, approvable_until),
        coalesce((SELECT max(at) FROM decisions WHERE plan = plans.id AND kind = 'approved') + commit_within * 1000,
            expires_at))
    """

extension DecisionTable {
    init(on connection: borrowing Connection) throws(SQLiteError) {
        let insert = """
            INSERT INTO decisions (plan, kind, account, person, at, address, request_id, comment, digest, request, entry)
            """
        // Who has made the plan, or for whom it was made, agrees to nothing.
        let byAnother = "name = ?11 AND digest = ?8 AND person <> ?3 AND requested_by IS NOT ?3"
        self.init(
            selectDecisions: try Statement(
                """
                SELECT kind, account, person, at, address, request_id, comment, digest, request
                FROM decisions WHERE plan = ? ORDER BY id
                """, on: connection),
            selectEntry: try Statement(
                """
                SELECT entry FROM decisions JOIN plans ON plans.id = decisions.plan
                WHERE name = ? AND kind = ? AND decisions.person = ? AND decisions.digest = ?
                    AND (kind = 'reviewed' OR (kind = 'approved' AND state = 'prepared'))
                """, on: connection),
            // A quorum whose time is over is not made anew.
            insertApproval: try Statement(
                """
                \(insert) SELECT id, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM plans
                WHERE \(byAnother) AND state = 'prepared' AND ?4 < approvable_until
                    AND (required = 0 OR (
                        SELECT count(*) FROM decisions
                        WHERE plan = plans.id AND kind = 'approved' AND at + commit_within * 1000 <= ?4) < required)
                    AND NOT EXISTS (SELECT 1 FROM decisions WHERE plan = plans.id AND kind = 'approved' AND person = ?3)
                """, on: connection),
            insertReview: try Statement(
                """
                \(insert) SELECT id, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM plans
                WHERE \(byAnother) AND ended_at IS NOT NULL
                    AND EXISTS (SELECT 1 FROM decisions WHERE plan = plans.id AND kind = 'broke-glass')
                    AND NOT EXISTS (SELECT 1 FROM decisions WHERE plan = plans.id AND kind = 'reviewed' AND person = ?3)
                """, on: connection),
            insertDecision: try Statement(
                "\(insert) VALUES (?11, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", on: connection),
            selectPlan: try Statement("SELECT id, name, instance, digest FROM plans WHERE name = ?", on: connection),
            rejectPlan: try Statement(
                """
                UPDATE plans SET state = 'rejected', ended_at = ?1
                WHERE name = ?2 AND state = 'prepared' AND digest = ?3 AND ?1 < \(lastDeadline)
                RETURNING id, name, instance, digest
                """, on: connection),
            cancelPlan: try Statement(
                """
                UPDATE plans SET state = 'cancelled', ended_at = ?1
                WHERE name = ?2 AND state = 'prepared' AND digest = coalesce(?3, digest) AND account = ?4
                    AND ?1 < \(lastDeadline)
                RETURNING id, name, instance, digest
                """, on: connection))
    }

    /// The decisions on a plan, in the order in which they were recorded.
    borrowing func decisions(on plan: Int64) throws -> [Decision] {
        try selectDecisions.rows([.integer(plan)]) { row in try Decision(row) }
    }

    /// The entry of the same decision by the same person, if that is on record and still counts.
    borrowing func entry(of decision: Decision, on plan: PlanName) throws -> Int64? {
        try selectEntry.rows([
            .text(plan.rawValue), .text(decision.kind.rawValue), .text(decision.caller.person.rawValue),
            SQLiteValue(decision.digest),
        ]) { try $0.integer("entry") }.first
    }

    /// Records a decision on a plan, if the plan is in a state that allows it.
    ///
    /// - Parameter entry: the number that the audit's entry of it will have.
    /// - Returns: `nil`, with nothing changed, if it is not.
    borrowing func record(_ decision: Decision, on plan: PlanName, entry: Int64) throws -> AuditedPlan? {
        let time = SQLiteValue.integer(decision.time.milliseconds)
        let (name, digest) = (SQLiteValue.text(plan.rawValue), SQLiteValue(decision.digest))
        switch decision.kind {
        case .approved, .reviewed:
            let values = decision.values(entry: entry) + [name]
            let count =
                decision.kind == .approved ? try insertApproval.run(values) : try insertReview.run(values)
            return count == 1 ? try selectPlan.rows([name]) { try AuditedPlan($0) }.first : nil
        case .rejected: return try end(decision, entry: entry, try ended(by: rejectPlan, [time, name, digest]))
        case .cancelled:
            let account = SQLiteValue.text(decision.caller.account.rawValue)
            return try end(decision, entry: entry, try ended(by: cancelPlan, [time, name, digest, account]))
        case .brokeGlass: throw StoreError(.other, "glass is broken by a claim only")
        }
    }

    private borrowing func ended(
        by statement: borrowing Statement, _ values: [SQLiteValue]
    ) throws -> (id: Int64, plan: AuditedPlan)? {
        try statement.rows(values) { row in (id: try row.integer("id"), plan: try AuditedPlan(row)) }.first
    }

    private borrowing func end(
        _ decision: Decision, entry: Int64, _ ended: (id: Int64, plan: AuditedPlan)?
    ) throws -> AuditedPlan? {
        guard let ended else { return nil }
        try insert(decision, of: ended.id, entry: entry)
        return ended.plan
    }

    /// Records a decision, whatever the state of its plan.
    borrowing func insert(_ decision: Decision, of plan: Int64, entry: Int64) throws {
        try insertDecision.run(decision.values(entry: entry) + [.integer(plan)])
    }
}

extension AuditedPlan {
    /// A row with the columns `name`, `instance` and `digest`.
    init(_ row: borrowing Row) throws {
        self.init(
            name: PlanName(rawValue: try row.text("name")), instance: InstanceID(rawValue: try row.text("instance")),
            digest: try row.text("digest"))
    }
}

extension Decision {
    fileprivate func values(entry: Int64) -> [SQLiteValue] {
        [
            .text(kind.rawValue), .text(caller.account.rawValue), .text(caller.person.rawValue),
            .integer(time.milliseconds), SQLiteValue(caller.request?.address), SQLiteValue(caller.request?.id),
            SQLiteValue(comment), SQLiteValue(digest), SQLiteValue(request?.text), .integer(entry),
        ]
    }

    /// A row with the columns of `selectDecisions`.
    fileprivate init(_ row: borrowing Row) throws {
        let text = try row.text("kind")
        guard let kind = Kind(rawValue: text) else { throw StoreError(.damaged, "\(text) is no kind of decision") }
        var request: Caller.Request?
        if let address = try row.optionalText("address") {
            request = Caller.Request(address: address, id: try row.text("request_id"))
        }
        self.init(
            kind,
            by: Caller(
                account: AccountName(rawValue: try row.text("account")),
                person: PersonName(rawValue: try row.text("person")), request: request),
            at: UnixTime(milliseconds: try row.integer("at")), comment: try row.optionalText("comment"),
            digest: try row.optionalText("digest"), request: try row.optionalText("request").map(KeptRequest.init))
    }
}
