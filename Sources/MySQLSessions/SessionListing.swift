import SessionKill

extension MySQLConnection {
    /// The sessions with their transactions, in one round trip.
    ///
    /// Without the status of the server, for which it adds up that of every
    /// session: with 10,000 of them that takes 11 ms beside the 15 of the list
    /// (measured on MariaDB 10.11).
    func list(_ readings: TransactionReadings) throws(ServerError) -> [Session] {
        guard rights.seesAllSessions else {
            throw ServerError(.privilegeMissing("PROCESS"), "the server shows killd's account its own sessions only")
        }
        // Which variables there are is found out by the first look.
        if presentVariables == nil { _ = try observe(.server, readings) }
        let mayBePartial = presentVariables?.contains(Self.listSource) == true
        let begin = ContinuousClock.now
        let recentReading = readings.recent(at: begin)
        var statements = [
            "SELECT CONNECTION_ID()+0" + (mayBePartial ? ",@@global.\(Self.listSource)" : ""), "SHOW FULL PROCESSLIST",
        ]
        if recentReading == nil { statements.append(Self.transactionQuery) }
        let answers = try query(statements.joined(separator: ";"))
        guard answers.count == statements.count else { throw .senseless("the session list") }
        let connection = try Row(answers[0].rows.first, "CONNECTION_ID()")
        guard try connection.thread(0) == threadID else { throw .behindProxy(threadID, shown: connection[0]) }
        // Whether performance_schema has them all, its status tells.
        if mayBePartial, ["1", "ON"].contains(connection[1] ?? "") {
            return try observe(.transactions, readings).sessions
        }
        var reading = recentReading
        if reading == nil { reading = readings.add(try Self.transactions(answers[2]), begunAt: begin) }
        return try Self.sessions(answers[1], Self.transactionsByThread(reading))
    }

    private static let listSource = "performance_schema_show_processlist"
}
