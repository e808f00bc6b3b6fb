import SessionKill
import Text

// What is different on an OceanBase that is reached without its proxy (ODP). The rest is as on MySQL: the packet that
// kills, its guards, the errors 1094 and 1095, and that KILL cuts ids to 32 bits. Measured on seekdb 1.4.0, which is
// OceanBase's SQL kernel in one process; what is said of clusters is from the vendor's documentation.
//
// - A session that waits for a row lock lives on for up to ten seconds after its KILL, listed with the command `Query`
//   and the state `SESSION_KILLED`.
// - There is no performance_schema, no XA, and no status variable `Connections`.

/// The views in which OceanBase tells of its start, transactions and locks,
/// found out when a connection is opened.
///
/// The tables of InnoDB in information_schema are there, and each holds one row
/// of zeros whatever happens.
struct OceanBaseViews: Sendable {
    private let starts: OceanBaseView
    /// The open transactions, as the sessions that began them know them.
    private let schedulers: OceanBaseView
    /// The open transactions where their rows and locks are; a little longer there while they are undone.
    private let participants: OceanBaseView
    private let locks: OceanBaseView?

    /// - Throws: ``ServerError`` if the server has none in which its start, or its transactions, could be seen.
    init(of handle: borrowing MySQLHandle) throws(ServerError) {
        guard let starts = try OceanBaseView.first(of: Self.startViews, on: handle),
            let schedulers = try OceanBaseView.first(of: Self.schedulerViews, on: handle),
            let participants = try OceanBaseView.first(of: Self.participantViews, on: handle)
        else {
            throw ServerError(
                .other,
                "this OceanBase has no views that killd knows in which its start and its transactions could be seen")
        }
        self.starts = starts
        self.schedulers = schedulers
        self.participants = participants
        locks = try OceanBaseView.first(of: Self.lockViews, on: handle)
    }

    // A cluster's views begin with GV$ and show all its servers; there, V$ is the same for one server only. seekdb has
    // no GV$, nor V$OB_TRANSACTION_PARTICIPANTS.

    /// When the server started, in microseconds; of a cluster, the last of its servers: the ids of any may begin anew.
    private static let startViews = [
        OceanBaseView(
            name: "DBA_OB_SERVERS",
            query: "SELECT FLOOR(MAX(UNIX_TIMESTAMP(START_SERVICE_TIME))*1000000) FROM oceanbase.DBA_OB_SERVERS"),
        OceanBaseView(
            name: "V$OB_SERVER_STAT",
            query: "SELECT MAX(START_SERVICE_TIME) FROM oceanbase.V$OB_SERVER_STAT"),
    ]

    private static let schedulerViews = ["GV$OB_TRANSACTION_SCHEDULERS", "V$OB_TRANSACTION_SCHEDULERS"].map { name in
        OceanBaseView(
            name: name,
            query: """
                SELECT TX_ID AS id,GREATEST(0,SESSION_ID) AS thread,\(age(since: "ACTIVE_TIME")) AS age,STATE AS state \
                FROM oceanbase.\(name)
                """)
    }

    private static let participantViews = [
        ("GV$OB_TRANSACTION_PARTICIPANTS", "TX_ID"), ("__all_virtual_trans_stat", "TRANS_ID"),
    ].map { name, id in
        OceanBaseView(
            name: name,
            query: """
                SELECT \(id) AS id,GREATEST(0,SESSION_ID) AS thread,\(age(since: "CTX_CREATE_TIME")) AS age,\
                '\(endingState)' AS state FROM oceanbase.\(name)
                """)
    }

    /// Who waits for whom. Not in GV$OB_LOCKS, whose columns name no holder.
    private static let lockViews = [
        OceanBaseView(
            name: "V$OB_LOCKS",
            query: """
                SELECT /*+ QUERY_TIMEOUT(500000) */ SESSION_ID AS waiter,ID2 AS holder,ID3 AS object,TYPE AS type \
                FROM oceanbase.V$OB_LOCKS WHERE BLOCK=1
                """)
    ]

    /// The state of a transaction that no session has any more.
    private static let endingState = "ENDING"

    /// A transaction without a statement has not begun yet.
    private static func age(since column: String) -> String {
        "COALESCE(GREATEST(0,TIMESTAMPDIFF(SECOND,\(column),NOW())),0)"
    }

    /// What killd's account lacks to see the server's start and the open transactions.
    var missingPrivileges: [String] { [starts, schedulers, participants].filter { !$0.isReadable }.map(\.privilege) }

    /// What it lacks to see who waits for whom; `nil` also if the server has no
    /// view that killd could read.
    var missingLockPrivilege: String? { locks.flatMap { $0.isReadable ? nil : $0.privilege } }

    /// The statement for the session list. Not SHOW PROCESSLIST: its Host may be another than the one in the table
    /// where the guards look (measured for Unix sockets). A session without a
    /// database has the text `NULL`.
    static let sessionQuery = """
        SELECT ID AS id,USER AS user,HOST AS host,IF(CAST(DB AS BINARY)='NULL',NULL,DB) AS db,COMMAND AS command,\
        TIME AS time,STATE AS state,LEFT(INFO,\(SessionListSource.longestStatement)) AS info,LENGTH(INFO) AS length \
        FROM information_schema.PROCESSLIST
        """

    /// The expression for when the server started, exactly.
    ///
    /// `Uptime`, whole seconds since a little earlier, would do on a server that
    /// counts connections: without, a restart right after the start would go
    /// unnoticed. It takes one second and a half (measured).
    var startExpression: String { starts.isReadable ? "(\(starts.query))" : "NULL" }

    var transactionQuery: String { "\(schedulers.query) UNION ALL \(participants.query)" }

    /// - Parameter answer: to ``transactionQuery``.
    static func transactions(_ response: MySQLResult) throws(ServerError) -> [OpenTransaction] {
        let rows = try Rows(response, "OceanBase's transactions")
        let (id, thread) = (try rows.column("id"), try rows.column("thread"))
        let (age, state) = (try rows.column("age"), try rows.column("state"))
        var transactions: [UInt64: OpenTransaction] = [:]
        for row in rows {
            let (id, state): (UInt64, String) = (try row.integer(id), try row.name(state) ?? "")
            // Each participant is a row, and the scheduler tells more.
            if transactions[id] != nil, state.utf8.elementsEqual(endingState.utf8) { continue }
            transactions[id] = OpenTransaction(
                Transaction(id: String(id), age: try row.integer(age), rowsModified: nil, state: state),
                thread: try row.threadIfAny(thread))
        }
        return Array(transactions.values)
    }

    /// The statement for who waits; `nil` if killd may not see it.
    var lockQuery: String? { locks.flatMap { $0.isReadable ? $0.query : nil } }

    /// A lock is named by its tablet and the row's primary key: `200001-{"INT":1}`.
    ///
    /// Waits for locks taken by GET_LOCK are not among them (measured).
    ///
    /// - Parameter rows: of ``lockQuery``.
    static func lockWaits(_ rows: Rows) throws(ServerError) -> LockWaits {
        let (waiter, holder) = (try rows.column("waiter"), try rows.column("holder"))
        let (object, type) = (try rows.column("object"), try rows.column("type"))
        var waits = LockWaits()
        for row in rows {
            guard let waiter = try row.threadIfAny(waiter) else { continue }
            // Only of locks of rows it was measured that the second id is the holder's.
            if row.text(type)?.isSame(as: "TR") == true, let object = row.text(object) {
                waits.known.append(
                    LockWait(
                        waiter: waiter, holder: try row.threadIfAny(holder),
                        // The row's key is as long as its user wants.
                        lock: Lock(kind: .row, object: object.beginning(bytes: longestName))))
            } else {
                waits.unexplained.insert(waiter)
            }
        }
        waits.unexplained.subtract(waits.known.map(\.waiter))
        return waits
    }
}

/// One of them by the name that it has on some version.
private struct OceanBaseView: Sendable {
    let name: String
    let query: String
    var isReadable = false

    var privilege: String { "SELECT ON oceanbase.\(name)" }

    /// - Returns: the first that is there with the columns that killd knows.
    static func first(
        of candidates: [OceanBaseView], on handle: borrowing MySQLHandle
    ) throws(ServerError) -> OceanBaseView? {
        for candidate in candidates {
            guard let failure = handle.run("\(candidate.query) LIMIT 0").failure else {
                var view = candidate
                view.isReadable = true
                return view
            }
            guard !failure.isConnectionLost else { throw ServerError(failure, during: "setting up a connection") }
            // A view that is not there is 1146 for everybody (measured).
            if failure.code == ErrorNumber.tableAccessDenied { return candidate }
        }
        return nil
    }
}

extension AccountRights {
    static func isOceanBase(version: String?) -> Bool { version?.hasBytes(of: "OceanBase") == true }

    /// What keeps killd's account from seeing all that the laws need.
    var visibilityError: ServerError? {
        guard seesAllSessions else {
            return ServerError(.privilegeMissing("PROCESS"), "the server shows killd's account its own sessions only")
        }
        return oceanBase?.missingPrivileges.first.map {
            ServerError(.privilegeMissing($0), "OceanBase does not show killd's account its start and transactions")
        }
    }
}

extension AccountRights {
    /// What killd's account lacks to see and end other users' sessions.
    var missingPrivilege: String? {
        if case .privilegeMissing(let privilege)? = visibilityError?.reason { return privilege }
        return missingKillPrivilege
    }
}

extension MySQLHandle {
    /// Sets what ``MySQLConnection`` sets on other servers, in OceanBase's words:
    /// it refuses their limit, which is beyond 63 bits, and has no time zone SYSTEM.
    ///
    /// - Throws: ``ServerError/Reason/behindProxy`` if an ODP answers, which the
    ///   ids alone do not tell (`client_session_id_version=2`).
    func setUpOceanBase() throws(ServerError) {
        // In microseconds: by default a statement may take less than killd's deadline for answers.
        let response = run(
            """
            SET SESSION autocommit=1, sql_select_limit=9223372036854775807, wait_timeout=31536000, \
            time_zone='+00:00', sql_mode='', ob_query_timeout=10000000
            """)
        if let failure = response.failure { throw ServerError(failure, during: "setting up a connection") }
        // An ODP answers it to everybody; to OceanBase itself it is a syntax error.
        let failure = run("SHOW PROXYSESSION ATTRIBUTE").failure
        if let failure, failure.isConnectionLost { throw ServerError(failure, during: "setting up a connection") }
        guard failure?.code == ErrorNumber.parseError else {
            throw ProxyLogin.refusal(on: self)
                ?? ServerError(.behindProxy, "an OceanBase Database Proxy answers, whose ids are not the server's")
        }
    }
}

extension MySQLConnection {
    /// Which of `sessions` OceanBase lists as killed; none on other servers.
    func dying(among sessions: [SessionIdentity]) throws(ServerError) -> Set<ThreadID> {
        guard rights.oceanBase != nil, !sessions.isEmpty else { return [] }
        let ids = sessions.map(\.id.description).joined(separator: ",")
        let responses = try query(
            "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE STATE='SESSION_KILLED' AND ID IN (\(ids))")
        let rows = try Rows(responses, "information_schema.PROCESSLIST")
        let id = try rows.column("id")
        var dying: Set<ThreadID> = []
        for row in rows {
            if let id = try row.thread(id) { dying.insert(id) }
        }
        return dying
    }

    /// Who waits for whose locks on OceanBase, as far as it shows that.
    func oceanBaseLockWaits(_ views: OceanBaseViews, _ readings: ServerReadings) throws(ServerError) -> LockWaits {
        let begin = ContinuousClock.now
        if let recent = readings.recentLockWaits(at: begin) { return recent }
        var waits = LockWaits()
        if let query = views.lockQuery,
            let rows = try rowsIfAvailable("\(query) LIMIT \(mostLocks + 1)", "V$OB_LOCKS", atMost: mostLocks)
        {
            waits = try OceanBaseViews.lockWaits(rows)
        }
        readings.add(waits, begunAt: begin)
        return waits
    }
}
