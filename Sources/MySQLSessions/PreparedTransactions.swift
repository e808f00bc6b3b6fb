import SessionKill

extension MySQLConnection {
    /// Adds to a look which sessions have prepared an XA transaction.
    ///
    /// MySQL detaches it from the session with `XA PREPARE` (unless
    /// `xa_detach_on_prepare` is off); then only performance_schema knows whose
    /// it was. On MariaDB it stays the session's until that ends, and InnoDB's
    /// report tells that it is prepared. Both measured.
    func lookAtPreparedTransactions(_ look: inout Look, _ reading: TransactionReading) throws(ServerError) {
        let attached = Set(look.sessions.compactMap(\.picture.transaction?.id))
        let prepared = attached.isEmpty ? [] : try preparedInReport()
        // Its row outlasts an XA COMMIT by another session, hence the look for a transaction that is nobody's.
        let detachers = reading.transactions.contains { $0.thread == nil } ? try threadsThatPrepared() : []
        guard !prepared.isEmpty || !detachers.isEmpty else { return }
        for index in look.sessions.indices {
            let isPrepared = look.sessions[index].picture.transaction?.id.map(prepared.contains) ?? false
            look.sessions[index].picture.hasPreparedXA = isPrepared || detachers.contains(look.sessions[index].id)
        }
    }

    /// The ids of the prepared transactions in InnoDB's report.
    private func preparedInReport() throws(ServerError) -> Set<String> {
        guard let report = try rows("SHOW ENGINE INNODB STATUS").first?.last.flatMap({ $0 }) else { return [] }
        var prepared: Set<String> = []
        for line in report.split(separator: "\n") where line.hasPrefix("---TRANSACTION ") {
            let words = line.dropFirst("---TRANSACTION ".count).split(separator: " ")
            guard let id = words.first?.prefix(while: \.isWholeNumber), words.contains("(PREPARED)") else { continue }
            prepared.insert(String(id))
        }
        return prepared
    }

    private func threadsThatPrepared() throws(ServerError) -> Set<ThreadID> {
        guard performanceSchema.transactions else { return [] }
        let query = """
            SELECT t.PROCESSLIST_ID FROM performance_schema.events_transactions_current e \
            JOIN performance_schema.threads t ON t.THREAD_ID=e.THREAD_ID WHERE e.XA_STATE='PREPARED'
            """
        return Set(try rows(query).compactMap { $0[0].flatMap(ThreadID.init(text:)) })
    }
}
