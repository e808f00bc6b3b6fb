import SessionKill
import Text

extension MySQLConnection {
    /// What one observation of a server tells, besides killd's own connections.
    struct Snapshot {
        var fingerprint: ServerFingerprint
        /// For how long the server process has been running, in seconds.
        var uptime: Int64
        var sessions: [Session]
        /// Number of the reading of transactions; 0 if none was wanted.
        var transactionReading = 0
        var lockWaits = LockWaits()
    }

    /// Observes the server in one round trip, and in a second one its locks
    /// if `scope` asks for them and somebody waits.
    func observe(_ scope: ObservationScope, _ readings: ServerReadings) throws(ServerError) -> Snapshot {
        if scope != .server, let visibilityError = rights.visibilityError { throw visibilityError }
        var statements = [
            variableQuery,
            "SHOW GLOBAL STATUS WHERE Variable_name IN (\(Self.statusVariables))",
            """
            SELECT UNIX_TIMESTAMP() AS now, \(uptimeExpression) AS uptime, CONNECTION_ID()+0 AS connection, \
            \(rights.oceanBase?.startExpression ?? "SUBSTRING(UUID(),20)") AS started
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
            sessions: [])
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

    static func transactionsByThread(_ reading: TransactionReading?) -> [ThreadID: Transaction] {
        Dictionary(
            (reading?.transactions ?? []).compactMap { open in open.thread.map { ($0, open.transaction) } },
            uniquingKeysWith: { $1 })
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

    /// The expression for `Uptime` in the statement that tells the time: so what is counted from
    /// when the statement began, gives the second of the start exactly. MySQL's
    /// table lacks `Com_xa_prepare`, which SHOW has.
    private var uptimeExpression: String {
        guard rights.oceanBase == nil else { return "NULL" }
        let schema = rights.isMariaDB ? "information_schema" : "performance_schema"
        return "(SELECT VARIABLE_VALUE FROM \(schema).global_status WHERE VARIABLE_NAME='Uptime')"
    }

    private static let statusVariables = [
        "Uptime", "Connections", "Performance_schema_thread_instances_lost", "Com_xa_prepare",
    ].map { "'\($0)'" }.joined(separator: ",")

    /// SHOW leaves out a variable that this server does not have, where SELECT
    /// @@… fails; but it makes a table of a thousand rows first, half of what a
    /// snapshot costs. So it is only asked which of them there are.
    private var variableQuery: String {
        guard let presentVariables else {
            let names = Self.fingerprintVariables.map { "'\($0)'" }.joined(separator: ",")
            return "SHOW GLOBAL VARIABLES WHERE Variable_name IN (\(names))"
        }
        return "SELECT " + presentVariables.map { "@@global.\($0) AS \($0)" }.joined(separator: ",")
    }

    private func namedVariables(_ response: MySQLResult) throws(ServerError) -> Variables {
        if let presentVariables {
            return try Variables(presentVariables, try Rows(response, "the server's variables").only())
        }
        let variables = try Variables(response)
        presentVariables = Self.fingerprintVariables.filter { variables[$0] != nil }
        return variables
    }

    private static let fingerprintVariables = [
        "server_uuid", "server_uid", "hostname", "port", "server_id", "version", "performance_schema_show_processlist",
    ]

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

    /// When the server process started.
    private struct Start {
        /// Unix time in seconds.
        let time: Int64
        /// Seconds since then.
        let uptime: Int64
        let mark: String?
    }

    /// - Parameter now: the time, and what ``ServerFingerprint/startMark`` is to be.
    private func start(status: Variables, now: OnlyRow) throws(ServerError) -> Start {
        let mark = try now.text("started")
        guard mark?.utf8.count ?? 0 <= Self.longestStartMark else { throw .senseless("its start") }
        let start: Start
        if rights.oceanBase != nil, let microseconds: Int64 = try now.integerIfAny("started") {
            let time = microseconds / 1_000_000
            start = Start(time: time, uptime: try Self.difference(try now.integer("now"), time), mark: mark)
        } else {
            let (clock, told): (Int64, Int64?) = (try now.integer("now"), try now.integerIfAny("uptime"))
            let uptime = if let told { told } else { try status.integer("uptime") as Int64 }
            guard uptime >= 0 else { throw .senseless("Uptime", "\(uptime)") }
            start = Start(time: try Self.difference(clock, uptime), uptime: uptime, mark: mark)
        }
        guard UnixTime(seconds: start.time) != nil else { throw .senseless("its start", "\(start.time)") }
        return start
    }

    /// The most bytes of a start mark: those of UUID() have 17, and microseconds 16.
    private static let longestStartMark = 64

    private static func difference(_ time: Int64, _ other: Int64) throws(ServerError) -> Int64 {
        let (difference, isBeyond) = time.subtractingReportingOverflow(other)
        guard !isBeyond else { throw .senseless("its start") }
        return difference
    }

    private func fingerprint(
        variables: Variables, status: Variables, _ start: Start
    ) throws(ServerError) -> ServerFingerprint {
        let uniqueID = ["server_uuid", "server_uid"].first { variables[$0] != nil }
        return ServerFingerprint(
            uniqueID: try uniqueID.map { name throws(ServerError) in try variables.name(name) },
            hostname: try variables.name("hostname"), port: try variables.integer("port"),
            serverID: try variables.integer("server_id"), version: try variables.name("version"),
            startedAt: start.time,
            connectionCount: rights.oceanBase == nil ? try status.integer("connections") : nil, startMark: start.mark)
    }
}
