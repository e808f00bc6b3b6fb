import SessionKill
import Text

extension MySQLConnection {
    /// What one observation of a server tells, besides killd's own connections.
    struct Snapshot {
        var fingerprint: ServerFingerprint
        /// For how long the server process has been running, in seconds.
        var uptime: Int64
        /// What it was taken over, where that tells one server process from another.
        var connection: ConnectionIdentity?
        var sessions: [Session]
        /// Number of the reading of transactions; 0 if none was wanted.
        var transactionReading = 0
        var lockWaits = LockWaits()
        var heldLocks = HeldLocks()
    }

    /// Observes the server in one round trip, and in further ones its locks if
    /// `scope` asks for them.
    func observe(_ scope: ObservationScope, _ readings: ServerReadings) throws(ServerError) -> Snapshot {
        if scope != .server, let visibilityError = rights.visibilityError { throw visibilityError }
        var statements = [
            variableQuery,
            "SHOW GLOBAL STATUS WHERE Variable_name IN (\(Self.statusVariables))",
            """
            SELECT UNIX_TIMESTAMP() AS now, \(uptimeExpression) AS uptime, CONNECTION_ID()+0 AS connection, \
            \(rights.oceanBase?.startExpression ?? "SUBSTRING(UUID(),20)") AS started, \(drawExpression) AS draw
            """,
        ]
        func add(_ statement: String?) -> Int? {
            guard let statement else { return nil }
            statements.append(statement)
            return statements.count - 1
        }
        let begin = ContinuousClock.now
        let listSource = listSource(readings, at: begin)
        let listAnswer = add(scope == .server ? nil : listSource.query)
        let statementAnswer = add(scope == .server ? nil : listSource.statements)
        let wantsTransactions = scope == .transactions || scope == .locks
        let recentReading = wantsTransactions ? readings.recent(at: begin) : nil
        let transactionAnswer = add(wantsTransactions && recentReading == nil ? transactionQuery : nil)
        let threadAnswer = add(scope == .server ? nil : performanceSchema.threadQuery)
        let clientAnswer = add(scope == .locks ? performanceSchema.clientQuery : nil)
        let responses = try query(statements, listing: scope == .server ? nil : listSource, readings)
        guard responses.count == statements.count else { throw .senseless("the session list") }

        let now = try Rows(responses[2], "the time").only()
        let shown = try now.thread("connection")
        guard shown == threadID else { throw .behindProxy(threadID, shown: shown) }
        let variables = try namedVariables(responses[0])
        let status = try Variables(responses[1])
        if scope != .server { try requireCompleteList(variables: variables, status: status) }

        let start = try start(status: status, now: now)
        var snapshot = Snapshot(
            fingerprint: try fingerprint(variables: variables, status: status, start), uptime: start.uptime,
            connection: try identity(now), sessions: [])
        var reading = recentReading
        if let transactionAnswer {
            reading = readings.add(try transactions(responses[transactionAnswer]), begunAt: begin)
        }
        snapshot.transactionReading = reading?.number ?? 0
        let threadIDs =
            try threadAnswer.map { index throws(ServerError) in try Self.threadIDs(responses[index]) } ?? [:]
        let clients = try clientAnswer.map { index throws(ServerError) in try Self.clients(responses[index]) } ?? [:]
        if let listAnswer {
            snapshot.sessions = try Self.sessions(
                responses[listAnswer], cut: listSource.cut, Self.transactionsByThread(reading), threadIDs: threadIDs,
                clients: clients)
            if let statementAnswer { try Self.complete(&snapshot.sessions, with: responses[statementAnswer]) }
            readings.noteStatements(of: snapshot.sessions, begunAt: begin)
        }
        if let reading, (status["com_xa_prepare"] ?? "0") != "0" {
            try readPreparedTransactions(&snapshot, reading)
        }
        if scope == .locks { try readLocks(&snapshot, readings) }
        return snapshot
    }

    /// - Parameters:
    ///   - list: as a ``SessionListSource`` tells it.
    ///   - cut: where the server has cut statements, in bytes.
    static func sessions(
        _ list: MySQLResult, cut: Int? = nil, _ transactions: [ThreadID: Transaction],
        threadIDs: [ThreadID: UInt64] = [:], clients: [ThreadID: ClientAttributes] = [:]
    ) throws(ServerError) -> [Session] {
        let rows = try Rows(list, "the session list")
        let (id, user, host) = (try rows.column("id"), try rows.column("user"), try rows.column("host"))
        let (database, command) = (try rows.column("db"), try rows.column("command"))
        let (time, state, info) = (try rows.column("time"), try rows.column("state"), try rows.column("info"))
        let length = rows.has("length") ? try rows.column("length") : nil
        var sessions: [Session] = []
        sessions.reserveCapacity(rows.count)
        for row in rows {
            // No plan can name any other thread.
            guard let id = try row.thread(id) else { continue }
            let statement = try row.statement(info, length: length, cut: cut)
            sessions.append(
                Session(
                    identity: SessionIdentity(
                        id: id, user: try row.name(user) ?? "", host: try row.name(host) ?? "",
                        performanceSchemaThreadID: threadIDs[id], client: clients[id]),
                    details: SessionDetails(
                        database: try row.name(database), command: try row.name(command) ?? "",
                        seconds: try row.seconds(time), state: try row.name(state), statement: statement.text,
                        statementLength: statement.length, transaction: transactions[id])))
        }
        try requireDifferentIDs(sessions)
        return sessions
    }

    /// Puts in more of the statements of some sessions.
    ///
    /// - Parameter statements: as ``SessionListSource/statements`` asks for them.
    static func complete(_ sessions: inout [Session], with statements: MySQLResult) throws(ServerError) {
        let rows = try Rows(statements, "the sessions' statements")
        let (id, info, length) = (try rows.column("id"), try rows.column("info"), try rows.column("length"))
        var byID: [ThreadID: (text: String?, length: Int?)] = [:]
        for row in rows {
            guard let id = try row.thread(id) else { continue }
            byID[id] = try row.statement(info, length: length, cut: SessionListSource.performanceSchemaCut)
        }
        for index in sessions.indices {
            // Only where it is more of the same statement and not the next one; the last bytes shown may be a part of a
            // character.
            guard let (text, length) = byID[sessions[index].id], let text,
                let shown = sessions[index].details.statement, text.utf8.starts(with: shown.utf8.prefix(80))
            else { continue }
            sessions[index].details.statement = text
            sessions[index].details.statementLength = length
        }
    }

    /// Requires that no id is there twice: nobody could say which of two sessions a plan means.
    private static func requireDifferentIDs(_ sessions: [Session]) throws(ServerError) {
        // Servers list them in order, from which sorting is quick.
        let ids = sessions.map(\.id).sorted()
        guard let twice = zip(ids, ids.dropFirst()).first(where: { $0 == $1 }) else { return }
        throw .senseless("the session list", "\(twice.0) is in it twice")
    }

    /// - Throws: ``ServerError`` if the session list that the server shows is not complete.
    private func requireCompleteList(variables: Variables, status: Variables) throws(ServerError) {
        guard (status["performance_schema_thread_instances_lost"] ?? "0") != "0" else { return }
        guard ["ON", "1"].contains(variables["performance_schema_show_processlist"]) else { return }
        throw ServerError(
            .other,
            """
            the server's session list is partial: performance_schema_show_processlist is ON, and \
            performance_schema had no room for some threads
            """)
    }

    static func threadIDs(_ response: MySQLResult) throws(ServerError) -> [ThreadID: UInt64] {
        let rows = try Rows(response, "performance_schema.threads")
        let (session, number) = (try rows.column("processlist_id"), try rows.column("thread_id"))
        var threadIDs: [ThreadID: UInt64] = [:]
        threadIDs.reserveCapacity(rows.count)
        for row in rows {
            guard let session = try row.thread(session) else { continue }
            threadIDs[session] = try row.integer(number)
        }
        return threadIDs
    }

    private static func clients(_ response: MySQLResult) throws(ServerError) -> [ThreadID: ClientAttributes] {
        let rows = try Rows(response, "performance_schema.session_connect_attrs")
        let (session, name) = (try rows.column("processlist_id"), try rows.column("attr_name"))
        let value = try rows.column("attr_value")
        var clients: [ThreadID: ClientAttributes] = [:]
        for row in rows {
            guard let session = try row.thread(session) else { continue }
            let isNumber = row.text(name)?.isSame(as: "_pid") == true
            let attribute = isNumber ? \ClientAttributes.processID : \ClientAttributes.programName
            clients[session, default: ClientAttributes(programName: nil, processID: nil)][keyPath: attribute] =
                try row.name(value)
        }
        return clients
    }
}
