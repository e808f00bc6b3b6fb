import SessionKill

extension MySQLConnection {
    /// The sessions with their transactions, in one round trip.
    ///
    /// Without the status of the server, for which it adds up that of every
    /// session: with 10,000 of them that takes 11 ms beside the 15 of the list
    /// (measured on MariaDB 10.11).
    func list(_ readings: ServerReadings) throws(ServerError) -> [Session] {
        if let visibilityError = rights.visibilityError { throw visibilityError }
        // Which variables there are is found out by the first observation.
        if presentVariables == nil { _ = try observe(.server, readings) }
        let begin = ContinuousClock.now
        let source = listSource(readings, at: begin)
        let mayBePartial = presentVariables?.contains(Self.listVariable) == true
        let recentReading = readings.recent(at: begin)
        var statements = [
            "SELECT CONNECTION_ID()+0 AS connection"
                + (mayBePartial ? ",@@global.\(Self.listVariable) AS \(Self.listVariable)" : ""),
            source.query,
        ]
        if recentReading == nil { statements.append(transactionQuery) }
        if let more = source.statements { statements.append(more) }
        let responses = try query(statements, listing: source, readings)
        guard responses.count == statements.count else { throw .senseless("the session list") }
        let connection = try Rows(responses[0], "CONNECTION_ID()").only()
        let shown = try connection.thread("connection")
        guard shown == threadID else { throw .behindProxy(threadID, shown: shown) }
        if mayBePartial, ["1", "ON"].contains(try connection.text(Self.listVariable) ?? "") {
            return try observe(.transactions, readings).sessions
        }
        var reading = recentReading
        if reading == nil { reading = readings.add(try transactions(responses[2]), begunAt: begin) }
        var sessions = try Self.sessions(responses[1], cut: source.cut, Self.transactionsByThread(reading))
        if source.statements != nil, let more = responses.last { try Self.complete(&sessions, with: more) }
        readings.noteStatements(of: sessions, begunAt: begin)
        return sessions
    }

    private static let listVariable = "performance_schema_show_processlist"
}
