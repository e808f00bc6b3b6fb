import SessionKill
import Text

extension MySQLConnection {
    /// Adds to a look which sessions have prepared an XA transaction.
    ///
    /// MySQL detaches it from the session with `XA PREPARE` (unless
    /// `xa_detach_on_prepare` is off); then only performance_schema knows whose
    /// it was. On MariaDB it stays the session's until that ends, and InnoDB's
    /// report tells that it is prepared. Both measured.
    func lookAtPreparedTransactions(_ look: inout Look, _ reading: TransactionReading) throws(ServerError) {
        let anyAttached = look.sessions.contains { $0.picture.transaction?.id != nil }
        let prepared = !anyAttached ? [] : try preparedInReport()
        // Its row outlasts an XA COMMIT by another session, hence the look for a transaction that is nobody's.
        let detachers = reading.transactions.contains { $0.thread == nil } ? try threadsThatPrepared() : []
        guard !prepared.isEmpty || !detachers.isEmpty else { return }
        for index in look.sessions.indices {
            let isPrepared = look.sessions[index].picture.transaction?.id
                .map { prepared.contains(ExactText($0)) } ?? false
            look.sessions[index].picture.hasPreparedXA = isPrepared || detachers.contains(look.sessions[index].id)
        }
    }

    /// The ids of the prepared transactions in InnoDB's report.
    private func preparedInReport() throws(ServerError) -> Set<ExactText> {
        guard let rows = try picture("SHOW ENGINE INNODB STATUS", "InnoDB's report"),
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

    private func threadsThatPrepared() throws(ServerError) -> Set<ThreadID> {
        guard performanceSchema.transactions else { return [] }
        let query = """
            SELECT t.PROCESSLIST_ID AS thread FROM performance_schema.events_transactions_current e \
            JOIN performance_schema.threads t ON t.THREAD_ID=e.THREAD_ID WHERE e.XA_STATE='PREPARED'
            """
        guard let rows = try picture(query, "prepared transactions") else { return [] }
        let thread = try rows.column("thread")
        var threads: Set<ThreadID> = []
        for row in rows {
            if let thread = try row.threadIfAny(thread) { threads.insert(thread) }
        }
        return threads
    }
}
