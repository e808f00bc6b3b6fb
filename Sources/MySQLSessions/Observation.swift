import SessionKill
import Text

extension MySQLConnection {
    /// What one look tells, besides killd's own connections.
    struct Look {
        var fingerprint: ServerFingerprint
        var sessions: [Session]
        /// 0 if none was wanted.
        var transactionReading = 0
        var lockWaits = LockWaits()
    }

    /// Looks at the server in one round trip, and in a second one at its locks
    /// if `scope` asks for them and somebody waits.
    func observe(_ scope: ObservationScope, _ readings: TransactionReadings) throws(ServerError) -> Look {
        if scope != .server, let blindness = rights.blindness { throw blindness }
        var statements = [
            variableQuery,
            "SHOW GLOBAL STATUS WHERE Variable_name IN (\(Self.statusVariables))",
            "SELECT UNIX_TIMESTAMP(), CONNECTION_ID()+0, \(rights.oceanBase?.startExpression ?? "NULL")",
        ]
        func add(_ statement: String?) -> Int? {
            guard let statement else { return nil }
            statements.append(statement)
            return statements.count - 1
        }
        let listAnswer = add(scope == .server ? nil : sessionQuery)
        let begin = ContinuousClock.now
        let wantsTransactions = scope == .transactions || scope == .locks
        let recentReading = wantsTransactions ? readings.recent(at: begin) : nil
        let transactionAnswer = add(wantsTransactions && recentReading == nil ? transactionQuery : nil)
        let threadAnswer = add(scope == .server ? nil : performanceSchema.threadQuery)
        let clientAnswer = add(scope == .locks ? performanceSchema.clientQuery : nil)
        let answers = try query(statements.joined(separator: ";"))
        guard answers.count == statements.count else { throw .senseless("the session list") }

        let now = try Row(answers[2].rows.first, "the time")
        guard try now.thread(1) == threadID else {
            throw .behindProxy(threadID, shown: now[1])
        }
        let variables = namedVariables(answers[0])
        let status = Variables(answers[1])
        try noticeBlindness(variables: variables, status: status, listIsWanted: scope != .server)

        var look = Look(
            fingerprint: try fingerprint(variables: variables, status: status, now: now), sessions: [])
        var reading = recentReading
        if let transactionAnswer {
            reading = readings.add(try transactions(answers[transactionAnswer]), begunAt: begin)
        }
        look.transactionReading = reading?.number ?? 0
        let threadIDs = try threadAnswer.map { index throws(ServerError) in try Self.threadIDs(answers[index]) } ?? [:]
        let clients = try clientAnswer.map { index throws(ServerError) in try Self.clients(answers[index]) } ?? [:]
        if let listAnswer {
            look.sessions = try Self.sessions(
                answers[listAnswer], Self.transactionsByThread(reading), threadIDs: threadIDs, clients: clients)
        }
        if let reading, (status.values["com_xa_prepare"] ?? "0") != "0" {
            try lookAtPreparedTransactions(&look, reading)
        }
        if scope == .locks { try lookAtLocks(&look, readings) }
        return look
    }

    static func transactionsByThread(_ reading: TransactionReading?) -> [ThreadID: Transaction] {
        Dictionary(
            (reading?.transactions ?? []).compactMap { open in open.thread.map { ($0, open.transaction) } },
            uniquingKeysWith: { $1 })
    }

    /// - Parameter list: of SHOW FULL PROCESSLIST.
    static func sessions(
        _ list: MySQLResult, _ transactions: [ThreadID: Transaction], threadIDs: [ThreadID: UInt64] = [:],
        clients: [ThreadID: ClientAttributes] = [:]
    ) throws(ServerError) -> [Session] {
        var sessions: [Session] = []
        sessions.reserveCapacity(list.rows.count)
        for row in list.rows {
            let row = try Row(row, "PROCESSLIST")
            // No plan can name any other thread.
            guard let id = try row.thread(0) else { continue }
            sessions.append(
                Session(
                    identity: SessionIdentity(
                        id: id, user: row[1] ?? "", host: row[2] ?? "", performanceSchemaThreadID: threadIDs[id],
                        client: clients[id]),
                    picture: SessionPicture(
                        database: row[3], command: row[4] ?? "", seconds: row[5].flatMap { Int64($0) }, state: row[6],
                        statement: row[7], transaction: transactions[id])))
        }
        return sessions
    }

    /// - Throws: ``ServerError`` if a session list is wanted and the one that the server shows is not complete.
    private func noticeBlindness(
        variables: Variables, status: Variables, listIsWanted: Bool
    ) throws(ServerError) {
        performanceSchemaLostThreads = (status.values["performance_schema_thread_instances_lost"] ?? "0") != "0"
        guard listIsWanted, performanceSchemaLostThreads,
            ["ON", "1"].contains(variables.values["performance_schema_show_processlist"])
        else { return }
        throw ServerError(
            .other,
            """
            the server's session list is partial: performance_schema_show_processlist is ON, and \
            performance_schema had no room for some threads
            """)
    }

    private static let statusVariables = [
        "Uptime", "Connections", "Performance_schema_thread_instances_lost", "Com_xa_prepare",
    ].map { "'\($0)'" }.joined(separator: ",")

    /// SHOW leaves out a variable that this server does not have, where SELECT
    /// @@… fails; but it makes a table of a thousand rows first, half of what a
    /// look costs. So it is only asked which of them there are.
    private var variableQuery: String {
        guard let presentVariables else {
            let names = Self.fingerprintVariables.map { "'\($0)'" }.joined(separator: ",")
            return "SHOW GLOBAL VARIABLES WHERE Variable_name IN (\(names))"
        }
        return "SELECT " + presentVariables.map { "@@global.\($0)" }.joined(separator: ",")
    }

    private func namedVariables(_ answer: MySQLResult) -> Variables {
        if let presentVariables, let row = answer.rows.first {
            return Variables(Dictionary(zip(presentVariables, row.map { $0 ?? "" }), uniquingKeysWith: { $1 }))
        }
        let variables = Variables(answer)
        presentVariables = Self.fingerprintVariables.filter { variables.values[$0] != nil }
        return variables
    }

    private static let fingerprintVariables = [
        "server_uuid", "server_uid", "hostname", "port", "server_id", "version", "performance_schema_show_processlist",
    ]

    /// The open transactions, as read at most 250 ms ago.
    func transactions(_ readings: TransactionReadings) throws(ServerError) -> TransactionReading {
        let begin = ContinuousClock.now
        if let reading = readings.recent(at: begin) { return reading }
        guard let answer = try query(transactionQuery).first else { throw .senseless("the transactions") }
        return readings.add(try transactions(answer), begunAt: begin)
    }

    /// Not information_schema.PROCESSLIST: on MySQL 9.7 every SELECT on it
    /// fails with error 3854 as soon as any session's statement holds a
    /// character beyond utf8mb3, an emoji say (measured on 9.7.4).
    var sessionQuery: String {
        rights.oceanBase == nil ? "SHOW FULL PROCESSLIST" : OceanBaseViews.sessionQuery
    }

    var transactionQuery: String {
        rights.oceanBase?.transactionQuery ?? """
            SELECT trx_id, trx_mysql_thread_id, GREATEST(0, TIMESTAMPDIFF(SECOND, trx_started, NOW())), \
            trx_rows_modified, trx_state FROM information_schema.INNODB_TRX
            """
    }

    func transactions(_ answer: MySQLResult) throws(ServerError) -> [OpenTransaction] {
        guard rights.oceanBase == nil else { return try OceanBaseViews.transactions(answer) }
        var transactions: [OpenTransaction] = []
        for row in answer.rows {
            let row = try Row(row, "INNODB_TRX")
            let id: UInt64 = try row.integer(0)
            // A transaction that has changed nothing has no id: MySQL shows an address with bit 48 set, which the next
            // transaction may have, MariaDB 0.
            let hasID = id > 0 && id < 1 << 48
            transactions.append(
                OpenTransaction(
                    Transaction(
                        id: hasID ? String(id) : nil, age: try row.integer(2), rowsModified: try row.integer(3),
                        state: row[4] ?? ""),
                    thread: try row.thread(1)))
        }
        return transactions
    }

    private static func threadIDs(_ answer: MySQLResult) throws(ServerError) -> [ThreadID: UInt64] {
        var threadIDs: [ThreadID: UInt64] = [:]
        for row in answer.rows {
            let row = try Row(row, "performance_schema.threads")
            guard let thread = try row.thread(0) else { continue }
            threadIDs[thread] = try row.integer(1)
        }
        return threadIDs
    }

    private static func clients(_ answer: MySQLResult) throws(ServerError) -> [ThreadID: ClientAttributes] {
        var clients: [ThreadID: ClientAttributes] = [:]
        for row in answer.rows {
            let row = try Row(row, "performance_schema.session_connect_attrs")
            guard let thread = try row.thread(0) else { continue }
            let attribute = row[1]?.isSame(as: "_pid") == true ? \ClientAttributes.processID : \ClientAttributes.programName
            clients[thread, default: ClientAttributes(programName: nil, processID: nil)][keyPath: attribute] = row[2]
        }
        return clients
    }

    /// - Parameter now: the time, the connection's id, and when the server started, if it told that itself.
    private func fingerprint(
        variables: Variables, status: Variables, now: Row
    ) throws(ServerError) -> ServerFingerprint {
        let startedAt: Int64 = now[2] == nil ? try now.integer(0) - status.integer("uptime") : try now.integer(2)
        return ServerFingerprint(
            uniqueID: variables.values["server_uuid"] ?? variables.values["server_uid"],
            hostname: try variables.text("hostname"), port: try variables.integer("port"),
            serverID: try variables.integer("server_id"), version: try variables.text("version"),
            startedAt: startedAt,
            connectionCount: rights.oceanBase == nil ? try status.integer("connections") : nil)
    }
}

/// The answer of SHOW VARIABLES or SHOW STATUS.
struct Variables {
    /// By name in lower case.
    let values: [String: String]

    init(_ values: [String: String]) { self.values = values }

    init(_ answer: MySQLResult) {
        values = answer.rows.reduce(into: [:]) { values, row in
            guard row.count == 2, let name = row[0], let value = row[1] else { return }
            values[name.lowercased()] = value
        }
    }

    func text(_ name: String) throws(ServerError) -> String {
        guard let value = values[name] else { throw .senseless("the variable \(name)") }
        return value
    }

    func integer<Integer: FixedWidthInteger>(_ name: String) throws(ServerError) -> Integer {
        guard let value = Integer(try text(name)) else { throw .senseless("the variable \(name)") }
        return value
    }
}

/// One row of an answer that must make sense.
struct Row {
    private let values: [String?]
    private let source: String

    /// - Parameter source: what was read, for the error.
    init(_ values: [String?]?, _ source: String) throws(ServerError) {
        guard let values else { throw .senseless(source) }
        self.values = values
        self.source = source
    }

    subscript(column: Int) -> String? { values[column] }

    func integer<Integer: FixedWidthInteger>(_ column: Int) throws(ServerError) -> Integer {
        guard let text = values[column], let value = Integer(text) else { throw .senseless(source) }
        return value
    }

    /// `nil` for a number that no plan can hold: 0, or above 32 bits on MariaDB.
    func thread(_ column: Int) throws(ServerError) -> ThreadID? {
        let number: UInt64 = try integer(column)
        return ThreadID(number)
    }
}

extension ServerError {
    static func behindProxy(_ greeted: ThreadID, shown: String?) -> ServerError {
        ServerError(.behindProxy, "CONNECTION_ID() was \(greeted) and is \(shown ?? "NULL"): a proxy answers")
    }

    /// The server answered, but not what it should.
    static func senseless(_ source: String) -> ServerError {
        ServerError(.other, "the server's answer for \(source) makes no sense")
    }
}
