import SessionKill

extension MySQLConnection {
    /// The open transactions, as read at most 250 ms ago.
    func transactions(_ readings: ServerReadings) throws(ServerError) -> TransactionReading {
        let begin = ContinuousClock.now
        if let reading = readings.recent(at: begin) { return reading }
        let responses = try query(transactionQuery)
        guard responses.count == 1 else { throw .senseless("the transactions") }
        return readings.add(try transactions(responses[0]), begunAt: begin)
    }

    var transactionQuery: String {
        rights.oceanBase?.transactionQuery ?? """
            SELECT trx_id AS id, trx_mysql_thread_id AS thread, \
            GREATEST(0, TIMESTAMPDIFF(SECOND, trx_started, NOW())) AS age, trx_rows_modified AS changed, \
            trx_state AS state FROM information_schema.INNODB_TRX
            """
    }

    func transactions(_ response: MySQLResult) throws(ServerError) -> [OpenTransaction] {
        guard rights.oceanBase == nil else { return try OceanBaseViews.transactions(response) }
        let rows = try Rows(response, "INNODB_TRX")
        let (id, thread, age) = (try rows.column("id"), try rows.column("thread"), try rows.column("age"))
        let (changed, state) = (try rows.column("changed"), try rows.column("state"))
        var transactions: [OpenTransaction] = []
        for row in rows {
            let id: UInt64 = try row.integer(id)
            // A transaction that has changed nothing has no id: MySQL shows an address with bit 48 set, which the next
            // transaction may have, MariaDB 0.
            let hasID = id > 0 && id < 1 << 48
            transactions.append(
                OpenTransaction(
                    Transaction(
                        id: hasID ? String(id) : nil, age: try row.integer(age), rowsModified: try row.integer(changed),
                        state: try row.name(state) ?? ""),
                    thread: try row.threadIfAny(thread)))
        }
        return transactions
    }

    static func transactionsByThread(_ reading: TransactionReading?) -> [ThreadID: Transaction] {
        Dictionary(
            (reading?.transactions ?? []).compactMap { open in open.thread.map { ($0, open.transaction) } },
            uniquingKeysWith: { $1 })
    }
}
