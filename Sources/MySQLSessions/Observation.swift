import SessionKill

extension MySQLConnection {
    /// Reads the fingerprint and the session list with open transactions, in one round trip.
    func observe() throws(ServerError) -> (fingerprint: ServerFingerprint, sessions: [Session]) {
        var statements = [
            variableQuery,
            """
            SHOW GLOBAL STATUS WHERE Variable_name IN \
            ('Uptime','Connections','Performance_schema_thread_instances_lost')
            """,
            "SELECT UNIX_TIMESTAMP(), CONNECTION_ID()+0",
            // Not information_schema.PROCESSLIST: on MySQL 9.7 every SELECT on it fails with error 3854 as soon as
            // any session's statement holds a character beyond utf8mb3, an emoji say (measured on 9.7.4).
            "SHOW FULL PROCESSLIST",
            Self.transactionQuery,
        ]
        if performanceSchema.threads {
            statements.append(
                "SELECT PROCESSLIST_ID, THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_ID IS NOT NULL")
        }
        let answers = try query(statements.joined(separator: ";"))
        guard answers.count == statements.count else { throw .senseless("the session list") }

        let now = try Row(answers[2].rows.first, "the time")
        guard try now.thread(1) == threadID else {
            throw ServerError(
                .behindProxy, "CONNECTION_ID() was \(threadID) and is \(now[1] ?? "NULL"): a proxy answers")
        }
        let variables = namedVariables(answers[0])
        let status = Variables(answers[1])
        performanceSchemaLostThreads = (status.values["performance_schema_thread_instances_lost"] ?? "0") != "0"
        if performanceSchemaLostThreads, ["ON", "1"].contains(variables.values["performance_schema_show_processlist"]) {
            throw ServerError(
                .other,
                """
                the server's session list is partial: performance_schema_show_processlist is ON, and \
                performance_schema had no room for some threads
                """)
        }
        let fingerprint = try Self.fingerprint(variables: variables, status: status, now: now.integer(0))

        var transactions: [ThreadID: Transaction] = [:]
        for row in answers[4].rows {
            let row = try Row(row, "INNODB_TRX")
            // 0 is a prepared XA transaction whose session is gone.
            guard let thread = try row.thread(1) else { continue }
            transactions[thread] = try row.transaction
        }
        var performanceSchemaIDs: [ThreadID: UInt64] = [:]
        for row in performanceSchema.threads ? answers[5].rows : [] {
            let row = try Row(row, "performance_schema.threads")
            guard let thread = try row.thread(0) else { continue }
            performanceSchemaIDs[thread] = try row.integer(1)
        }
        var sessions: [Session] = []
        for row in answers[3].rows {
            let row = try Row(row, "PROCESSLIST")
            // No plan can name any other thread.
            guard let id = try row.thread(0) else { continue }
            sessions.append(
                Session(
                    identity: SessionIdentity(
                        id: id, user: row[1] ?? "", host: row[2] ?? "",
                        performanceSchemaThreadID: performanceSchemaIDs[id]),
                    picture: SessionPicture(
                        database: row[3], command: row[4] ?? "", seconds: row[5].flatMap { Int64($0) }, state: row[6],
                        statement: row[7], transaction: transactions[id])))
        }
        return (fingerprint, sessions)
    }

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

    /// The transactions that have changed something, by `trx_id`.
    ///
    /// InnoDB gives the others no id: it shows an address with bit 48 set, which
    /// the next transaction may have. There is nothing in them to roll back.
    func changingTransactions() throws(ServerError) -> [String: Transaction] {
        guard let answer = try query(Self.transactionQuery).first else { throw .senseless("INNODB_TRX") }
        var transactions: [String: Transaction] = [:]
        for row in answer.rows {
            let row = try Row(row, "INNODB_TRX")
            let id: UInt64 = try row.integer(0)
            guard id < 1 << 48 else { continue }
            let transaction = try row.transaction
            transactions[transaction.id] = transaction
        }
        return transactions
    }

    private static let transactionQuery = """
        SELECT trx_id, trx_mysql_thread_id, GREATEST(0, TIMESTAMPDIFF(SECOND, trx_started, NOW())), \
        trx_rows_modified, trx_state FROM information_schema.INNODB_TRX
        """

    private static func fingerprint(
        variables: Variables, status: Variables, now: Int64
    ) throws(ServerError) -> ServerFingerprint {
        ServerFingerprint(
            uniqueID: variables.values["server_uuid"] ?? variables.values["server_uid"],
            hostname: try variables.text("hostname"), port: try variables.integer("port"),
            serverID: try variables.integer("server_id"), version: try variables.text("version"),
            startedAt: now - (try status.integer("uptime")), connectionCount: try status.integer("connections"))
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

    /// Of a row that `transactionQuery` answers.
    fileprivate var transaction: Transaction {
        get throws(ServerError) {
            Transaction(
                id: values[0] ?? "", age: try integer(2), rowsModified: try integer(3), state: values[4] ?? "")
        }
    }
}

extension ServerError {
    /// The server answered, but not what it should.
    static func senseless(_ source: String) -> ServerError {
        ServerError(.other, "the server's answer for \(source) makes no sense")
    }
}
