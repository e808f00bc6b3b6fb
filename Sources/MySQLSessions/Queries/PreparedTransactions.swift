import SessionKill
import Text

extension MySQLConnection {
    /// Adds to a snapshot which sessions have prepared an XA transaction.
    ///
    /// MySQL detaches it from the session with `XA PREPARE` (unless
    /// `xa_detach_on_prepare` is off); then only performance_schema knows whose
    /// it was. On MariaDB it stays the session's until that ends, and InnoDB's
    /// report tells that it is prepared. Both measured.
    func readPreparedTransactions(_ snapshot: inout Snapshot, _ reading: TransactionReading) throws(ServerError) {
        let anyAttached = snapshot.sessions.contains { $0.details.transaction?.id != nil }
        let attached = !anyAttached ? [] : try preparedInReport()
        // Its row outlasts an XA COMMIT by another session, hence the search for a transaction that is nobody's.
        let anyIsNobodys =
            !rights.isMariaDB
            && reading.transactions.contains { $0.thread == nil && !$0.transaction.isRollingBack }
        let detached = anyIsNobodys ? try preparedByThread() : [:]
        guard !attached.isEmpty || anyIsNobodys else { return }
        for index in snapshot.sessions.indices {
            let session = snapshot.sessions[index]
            let isAttached = session.details.transaction?.id.map { attached.contains(ExactText($0)) } ?? false
            snapshot.sessions[index].details.preparedXA =
                isAttached ? .present : anyIsNobodys ? detached[session.id] ?? .unknown : .absent
        }
    }

    /// The ids of the prepared transactions in InnoDB's report.
    private func preparedInReport() throws(ServerError) -> Set<ExactText> {
        guard let rows = try rowsIfAvailable("SHOW ENGINE INNODB STATUS", "InnoDB's report"),
            let report = try rows.only().text("status")
        else { return [] }
        return Self.prepared(inReport: report)
    }

    /// The report also holds statements, whoever's they are.
    static func prepared(inReport report: String) -> Set<ExactText> {
        var prepared: Set<ExactText> = []
        let mark = "---TRANSACTION ".utf8
        for line in report.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: mark) {
            let words = line.dropFirst(mark.count).split(separator: UInt8(ascii: " "))
            let id = words.first?.prefix { (0x30...0x39).contains($0) }
            guard let id, words.contains(where: { $0.elementsEqual("(PREPARED)".utf8) }) else { continue }
            prepared.insert(ExactText(String(Substring(id))))
        }
        return prepared
    }

    /// What is prepared, of those of MySQL's sessions that performance_schema knows. Of the others nobody can tell.
    private func preparedByThread() throws(ServerError) -> [ThreadID: PreparedXA] {
        guard performanceSchema.transactions else { return [:] }
        let query = """
            SELECT t.PROCESSLIST_ID AS thread,COALESCE(e.XA_STATE,'') AS state FROM performance_schema.threads t \
            LEFT JOIN performance_schema.events_transactions_current e ON e.THREAD_ID=t.THREAD_ID \
            WHERE t.PROCESSLIST_ID IS NOT NULL AND t.INSTRUMENTED='YES' AND \(Self.transactionsAreCounted)
            """
        guard let rows = try rowsIfAvailable(query, "prepared transactions") else { return [:] }
        let (thread, state) = (try rows.column("thread"), try rows.column("state"))
        var prepared: [ThreadID: PreparedXA] = [:]
        for row in rows {
            guard let thread = try row.threadIfAny(thread) else { continue }
            prepared[thread] = row.text(state)?.isSame(as: "PREPARED") == true ? .present : .absent
        }
        return prepared
    }

    /// What must be on for performance_schema to know of transactions; all of it is, by default.
    private static let transactionsAreCounted = """
        (SELECT COUNT(*) FROM performance_schema.setup_consumers WHERE ENABLED='YES' AND NAME IN \
        ('global_instrumentation','thread_instrumentation','events_transactions_current'))=3 AND \
        (SELECT ENABLED FROM performance_schema.setup_instruments WHERE NAME='transaction')='YES'
        """

    /// What keeps killd from knowing whose a prepared XA transaction was: MySQL shows it apart from its session.
    ///
    /// - Parameter account: quoted, as GRANT takes it.
    func preparedTransactionFindings(_ account: String) throws(ServerError) -> [MySQLFinding] {
        guard !rights.isMariaDB, rights.oceanBase == nil else { return [] }
        // Not before 8.0.29, which detached none.
        let variables = try Variables(
            try only(
                "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('xa_detach_on_prepare','performance_schema')"))
        guard ["ON", "1"].contains(variables["xa_detach_on_prepare"]) else { return [] }
        let cure: String
        if !["ON", "1"].contains(variables["performance_schema"]) {
            cure = "start the server with performance_schema=ON"
        } else if !performanceSchema.transactions {
            cure = "as an administrator: GRANT SELECT ON performance_schema.* TO \(account);"
        } else {
            let rows = try rowsIfAvailable("SELECT \(Self.transactionsAreCounted) AS counted", "setup_consumers")
            if try rows?.only().text("counted") == "1" { return [] }
            cure =
                rows == nil
                ? "as an administrator: GRANT SELECT ON performance_schema.* TO \(account);"
                : """
                as an administrator: UPDATE performance_schema.setup_consumers SET ENABLED='YES' WHERE NAME IN \
                ('global_instrumentation','thread_instrumentation','events_transactions_current'); \
                UPDATE performance_schema.setup_instruments SET ENABLED='YES' WHERE NAME='transaction';
                """
        }
        let status = try Variables(try only("SHOW GLOBAL STATUS LIKE 'Com_xa_prepare'"))
        let isUsed = (status["com_xa_prepare"] ?? "0") != "0"
        return [
            MySQLFinding(
                severity: isUsed ? .warning : .information, subject: .preparedTransactionsUnknown,
                description: """
                    which session has prepared an XA transaction cannot be known, and whether it keeps its locks when \
                    the session is killed (outcome xa-unknown); \(isUsed ? "XA is used here; " : "")\(cure)
                    """)
        ]
    }

    private func only(_ sql: String) throws(ServerError) -> MySQLResult {
        guard let response = try query(sql).first else { throw .senseless("a variable") }
        return response
    }
}
