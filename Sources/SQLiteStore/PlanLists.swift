import SessionKill

/// The statements by which plans are listed, prepared once.
struct PlanLists: ~Copyable {
    private let selectAll: Statement
    private let selectPrepared: Statement
    private let selectInState: Statement
    private let selectUnexpired: Statement
    private let selectUnreviewed: Statement
}

extension PlanLists {
    init(on connection: borrowing Connection) throws(SQLiteError) {
        let columns = """
            SELECT id, name, account, person, prepared_at, expires_at, state, ended_at, requested_by, reason, risk_grade,
                required, approvable_until, commit_within, digest,
                (SELECT name FROM kill_tasks WHERE kill_tasks.id = plans.task) AS task
            FROM plans
            """
        // The conditions are those of the indexes: without them SQLite would not use them.
        self.init(
            selectAll: try Statement(
                "\(columns) WHERE instance = ? AND record_history = 1 AND id < ? ORDER BY id DESC LIMIT ?",
                on: connection),
            // The plus keeps SQLite from reading all plans of the instance to find the few.
            selectPrepared: try Statement(
                """
                \(columns) WHERE instance = ? AND +record_history = 1 AND id < ? AND state = 'prepared'
                ORDER BY id DESC LIMIT ?
                """, on: connection),
            selectInState: try Statement(
                """
                \(columns) WHERE instance = ? AND record_history = 1 AND id < ? AND state <> 'prepared' AND state = ?
                ORDER BY id DESC LIMIT ?
                """, on: connection),
            // By the index of what the retention deletes: those that expired, and nobody ended, may be very many. SQLite
            // would rather read all rows than sort the few.
            selectUnexpired: try Statement(
                """
                \(columns) INDEXED BY plans_by_end_of_life WHERE +instance = ? AND +record_history = 1 AND +id < ? AND +state = 'prepared'
                    AND state <> 'committing' AND coalesce(ended_at, expires_at) > ?
                ORDER BY id DESC LIMIT ?
                """, on: connection),
            // The pluses keep SQLite from reading all plans of the instance to find the few.
            selectUnreviewed: try Statement(
                """
                \(columns) WHERE +instance = ? AND +record_history = 1 AND +id < ?
                    AND id IN (
                        SELECT plan FROM decisions WHERE kind = 'broke-glass' AND NOT EXISTS (
                            SELECT 1 FROM decisions AS later
                            WHERE later.plan = decisions.plan AND later.kind = 'reviewed'))
                ORDER BY id DESC LIMIT ?
                """, on: connection))
    }

    /// In which state, as it is stored, the plans are that are read together.
    enum Portion: Hashable {
        case all
        case inState(PlanStatus)
        /// Prepared, and not yet past the last moment at which they could be committed, whoever approves them.
        case unexpired(at: UnixTime)
        case unreviewed
    }

    /// At most `limit` rows of an instance's plans whose ids are lower than `id`, the highest first.
    borrowing func rows(
        _ portion: Portion, of instance: InstanceID, below id: Int64, limit: Int
    ) throws -> [SummaryRow] {
        let (instance, limit, named) = (
            SQLiteValue.text(instance.rawValue), SQLiteValue.integer(Int64(limit)), instance
        )
        switch portion {
        case .all: return try selectAll.rows([instance, .integer(id), limit]) { try SummaryRow($0, named) }
        case .inState(.prepared):
            return try selectPrepared.rows([instance, .integer(id), limit]) { try SummaryRow($0, named) }
        case .inState(let state):
            return try selectInState.rows([instance, .integer(id), .text(state.rawValue), limit]) {
                try SummaryRow($0, named)
            }
        case .unexpired(let time):
            return try selectUnexpired.rows([instance, .integer(id), .integer(time.milliseconds), limit]) {
                try SummaryRow($0, named)
            }
        case .unreviewed:
            return try selectUnreviewed.rows([instance, .integer(id), limit]) { try SummaryRow($0, named) }
        }
    }
}

extension PlanLists.Portion {
    fileprivate var isOfPrepared: Bool {
        switch self {
        case .inState(.prepared), .unexpired: true
        case .all, .inState, .unreviewed: false
        }
    }
}

extension PlanQuery {
    /// Which plans have to be read to find all that are asked for.
    fileprivate func portions(at time: UnixTime) -> [PlanLists.Portion] {
        if unreviewed { return [.unreviewed] }
        guard let states else { return [.all] }
        // How these stand follows from their approvals and the time.
        let prepared: Set<PlanStatus> = [.prepared, .approved]
        let stored = states.subtracting(prepared).map { PlanLists.Portion.inState($0) }
        if states.contains(.expired) { return stored + [.inState(.prepared)] }
        return states.isDisjoint(with: prepared) ? stored : stored + [.unexpired(at: time)]
    }
}

extension PlanTables {
    /// The plans asked for, the latest first.
    borrowing func summaries(_ query: PlanQuery, at time: UnixTime) throws -> [PlanSummary] {
        // From each portion as many as could be needed if all the latest were its own.
        let needed = query.offset + query.limit
        var found: [SummaryRow] = []
        for instance in query.instances {
            for portion in query.portions(at: time) {
                found += try rows(portion, of: instance, atMost: needed, in: query.states, at: time)
            }
        }
        return try found.sorted { $0.id > $1.id }.dropFirst(query.offset).prefix(query.limit).map { row in
            var row = row
            row.outline.decisions = try decisions.decisions(on: row.id)
            row.threadCount = try threads.count(of: row.id)
            // Nothing has become of the threads of a plan that is prepared.
            if row.outline.state != .prepared { row.outcomes = try threads.outcomeCounts(of: row.id) }
            return try row.summary(at: time)
        }
    }

    private borrowing func rows(
        _ portion: PlanLists.Portion, of instance: InstanceID, atMost limit: Int, in states: Set<PlanStatus>?,
        at time: UnixTime
    ) throws -> [SummaryRow] {
        guard let states else { return try lists.rows(portion, of: instance, below: .max, limit: limit) }
        // As they are stored those of other states are what is asked for.
        let together = portion.isOfPrepared ? max(limit, Self.rowsReadTogether) : limit
        var found: [SummaryRow] = []
        var last = Int64.max
        while found.count < limit {
            let rows = try lists.rows(portion, of: instance, below: last, limit: together)
            for row in rows where found.count < limit {
                var row = row
                if row.outline.state == .prepared { row.outline.decisions = try decisions.decisions(on: row.id) }
                if states.contains(row.outline.status(at: time)) { found.append(row) }
            }
            guard let next = rows.last, rows.count == together else { break }
            last = next.id
        }
        return found
    }

    private static var rowsReadTogether: Int { 64 }
}
