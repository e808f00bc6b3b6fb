import SessionKill

/// The statements on the table `threads`, prepared once.
///
/// What a method does belongs to the transaction of whoever calls it. Plans are named by their rows' ids.
struct ThreadTable: ~Copyable {
    private let insertThread: Statement
    private let selectThreads: Statement
    private let intendThreads: Statement
    private let finishThreads: Statement
    private let recordGuard: Statement
    private let countThreads: Statement
    private let selectOutcomes: Statement
}

extension ThreadTable {
    init(on connection: borrowing Connection) throws(SQLiteError) {
        self.init(
            insertThread: try Statement(
                """
                INSERT INTO threads (plan, position, thread_id, user, host, performance_schema_thread_id, client,
                    details)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """, on: connection),
            selectThreads: try Statement(
                """
                SELECT thread_id, user, host, performance_schema_thread_id, client, details,
                    intended_at, outcome, outcome_reason, server_error, outcome_detail, kill_guard
                FROM threads WHERE plan = ? ORDER BY position
                """, on: connection),
            // One statement for all of a plan's threads, however many.
            intendThreads: try Statement(
                """
                UPDATE threads SET intended_at = ? WHERE plan = ? AND thread_id IN (SELECT value FROM json_each(?))
                """, on: connection),
            finishThreads: try Statement(
                """
                UPDATE threads SET outcome = ?, outcome_reason = ?, server_error = ?, outcome_detail = ?
                WHERE plan = ? AND thread_id IN (SELECT value FROM json_each(?))
                """, on: connection),
            recordGuard: try Statement(
                """
                UPDATE threads SET kill_guard = ? WHERE plan = ? AND thread_id IN (SELECT value FROM json_each(?))
                """, on: connection),
            countThreads: try Statement("SELECT count(*) AS count FROM threads WHERE plan = ?", on: connection),
            selectOutcomes: try Statement(
                "SELECT outcome FROM threads WHERE plan = ? AND outcome IS NOT NULL", on: connection))
    }

    borrowing func insert(_ threads: [PlanRows.Thread], of plan: Int64) throws {
        for (position, thread) in threads.enumerated() {
            try insertThread.run([
                .integer(plan), .integer(Int64(position)), .integer(thread.id),
                SQLiteValue(thread.session?.user), SQLiteValue(thread.session?.host),
                SQLiteValue(thread.session?.performanceSchemaThreadID.map { Int64(bitPattern: $0) }),
                SQLiteValue(thread.session?.client), SQLiteValue(thread.session?.details),
            ])
        }
    }

    /// The threads of a plan and how far each got, by their positions.
    borrowing func threads(of plan: Int64) throws -> [(PlanRows.Thread, ProgressColumns.Thread)] {
        try selectThreads.rows([.integer(plan)]) { row in
            (try PlanRows.Thread(row), try ProgressColumns.Thread(row))
        }
    }

    borrowing func count(of plan: Int64) throws -> Int {
        try countThreads.rows([.integer(plan)]) { Int(try $0.integer("count")) }.first ?? 0
    }

    /// How many threads of a plan have each outcome, of those that have one.
    borrowing func outcomeCounts(of plan: Int64) throws -> [String: Int] {
        // For GROUP BY SQLite would make a table for each plan of a list.
        var counts: [String: Int] = [:]
        try selectOutcomes.forEach([.integer(plan)]) { row in counts[try row.text("outcome"), default: 0] += 1 }
        return counts
    }

    borrowing func intend(_ threads: [ThreadID], of plan: Int64, at time: UnixTime) throws {
        try require(threads, try intendThreads.run([.integer(time.milliseconds), .integer(plan), jsonArray(threads)]))
    }

    borrowing func record(_ outcomes: [ThreadID: Outcome], of plan: Int64) throws {
        for (outcome, threads) in Dictionary(grouping: outcomes.keys, by: { outcomes[$0] }) {
            guard let columns = outcome.map(OutcomeColumns.init) else { continue }
            let count = try finishThreads.run([
                .text(columns.outcome), SQLiteValue(columns.reason), SQLiteValue(columns.serverError),
                SQLiteValue(columns.detail), .integer(plan), jsonArray(threads),
            ])
            try require(threads, count)
        }
    }

    borrowing func record(_ guards: [ThreadID: KillGuard], of plan: Int64) throws {
        for (guardOfKill, threads) in Dictionary(grouping: guards.keys, by: { guards[$0] }) {
            let count = try recordGuard.run([SQLiteValue(guardOfKill?.rawValue), .integer(plan), jsonArray(threads)])
            try require(threads, count)
        }
    }

    /// - Parameter count: how many of `threads` a statement has changed.
    private borrowing func require(_ threads: [ThreadID], _ count: Int) throws(StoreError) {
        guard count == threads.count else { throw StoreError(.other, "the plan lacks some of \(threads)") }
    }
}

private func jsonArray(_ threads: [ThreadID]) -> SQLiteValue {
    .text("[" + threads.map(\.description).joined(separator: ",") + "]")
}

extension PlanRows.Thread {
    /// A row with the columns of `selectThreads`.
    fileprivate init(_ row: borrowing Row) throws {
        id = try row.integer("thread_id")
        guard let user = try row.optionalText("user") else { return }
        session = PlanRows.Session(
            user: user, host: try row.text("host"),
            performanceSchemaThreadID: try row.optionalInteger("performance_schema_thread_id").map {
                UInt64(bitPattern: $0)
            },
            client: try row.optionalText("client"), details: try row.optionalText("details"))
    }
}

extension ProgressColumns.Thread {
    /// A row with the columns of `selectThreads`.
    fileprivate init(_ row: borrowing Row) throws {
        isIntended = try row.optionalInteger("intended_at") != nil
        outcome = try OutcomeColumns(row)
        killGuard = try row.optionalText("kill_guard")
    }
}

extension OutcomeColumns {
    /// A row's outcome; `nil` where there is none.
    init?(_ row: borrowing Row) throws {
        guard let outcome = try row.optionalText("outcome") else { return nil }
        self.init(
            outcome: outcome, reason: try row.optionalText("outcome_reason"),
            serverError: try row.optionalInteger("server_error"), detail: try row.optionalText("outcome_detail"))
    }
}
