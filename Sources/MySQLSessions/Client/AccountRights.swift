import SessionKill
import Text

/// What a server lets killd's account see and do, found out when a connection
/// is opened: a server goes by the rights that an account had when it logged in.
struct AccountRights: Sendable {
    let isMariaDB: Bool
    /// The views of an OceanBase; `nil` on every other server.
    let oceanBase: OceanBaseViews?
    /// Whether it has `PROCESS`. Without, a server shows its own sessions only, and does not say so.
    let seesAllSessions: Bool
    let performanceSchema: PerformanceSchemaTables
    /// Whether it is a node of a Galera cluster, where the first KILL that reaches a session is the only one: of a
    /// session that is asleep KILL QUERY is noted, and every KILL CONNECTION after it neither wakes nor ends it
    /// (MariaDB 10.11, healthy or without a quorum, measured).
    let isGaleraNode: Bool
    /// Whether MariaDB's plugin METADATA_LOCK_INFO was there.
    let showsMetadataLockInfo: Bool
    /// The privileges on `*.*`, those of active roles included.
    let globalPrivileges: Set<ExactText>

    /// The server's name for people.
    var product: String {
        if oceanBase != nil { return "OceanBase" }
        return isMariaDB ? "MariaDB" : "MySQL"
    }

    /// The privilege that lets an account kill other users' sessions, as the server spells it.
    var killPrivilege: String {
        if oceanBase != nil { return "SUPER" }
        return isMariaDB ? "CONNECTION ADMIN" : "CONNECTION_ADMIN"
    }

    static let none = AccountRights(
        isMariaDB: false, oceanBase: nil, seesAllSessions: false, performanceSchema: .none, isGaleraNode: false,
        showsMetadataLockInfo: false, globalPrivileges: [])

    var missingKillPrivilege: String? {
        globalPrivileges.isDisjoint(with: [ExactText(killPrivilege), "SUPER", "ALL PRIVILEGES"]) ? killPrivilege : nil
    }
}

/// Which tables of performance_schema show this server's sessions to killd's account.
struct PerformanceSchemaTables: Sendable {
    /// Whether `processlist` does: of MySQL from 8.0.22 on.
    let processlist: Bool
    /// Whether `threads` does, which needs the right to read it.
    let threads: Bool
    let connectionAttributes: Bool
    /// Whether MySQL's `data_lock_waits` and `data_locks` do.
    let rowLocks: Bool
    let metadataLocks: Bool
    /// Whether MySQL's `events_transactions_current` does.
    let transactions: Bool

    static let none = PerformanceSchemaTables(
        processlist: false, threads: false, connectionAttributes: false, rowLocks: false, metadataLocks: false,
        transactions: false)
}

extension PerformanceSchemaTables {
    func showsEverything(isMariaDB: Bool) -> Bool {
        let ofBoth = threads && connectionAttributes && metadataLocks
        // MariaDB has no data_lock_waits, and its own tables need no more than PROCESS.
        return isMariaDB ? ofBoth : ofBoth && rowLocks && transactions
    }
}

extension AccountRights {
    init(_ server: Greeting, on handle: borrowing MySQLHandle) throws(ServerError) {
        isMariaDB = server.isMariaDB
        guard Self.isOceanBase(version: server.version) else {
            oceanBase = nil
            performanceSchema = try PerformanceSchemaTables(of: handle)
            isGaleraNode = isMariaDB ? try Self.isGaleraNode(handle) : false
            showsMetadataLockInfo = isMariaDB ? try Self.showsMetadataLockInfo(on: handle) : false
            globalPrivileges = try Self.globalPrivileges(namingRoles: !isMariaDB, on: handle)
            seesAllSessions = try Self.seesAllSessions(on: handle) ?? Self.canSeeAll(by: globalPrivileges)
            return
        }
        oceanBase = try OceanBaseViews(of: handle)
        performanceSchema = .none
        isGaleraNode = false
        showsMetadataLockInfo = false
        globalPrivileges = try Self.globalPrivileges(namingRoles: false, on: handle)
        // There, INNODB_METRICS is open to everybody.
        seesAllSessions = Self.canSeeAll(by: globalPrivileges)
    }

    private static func canSeeAll(by privileges: Set<ExactText>) -> Bool {
        !privileges.isDisjoint(with: ["PROCESS", "ALL PRIVILEGES"])
    }

    /// Whether a table that demands PROCESS can be read: one that is cheap to read. Not
    /// INNODB_TRX, whose every reading keeps InnoDB from renewing it.
    ///
    /// - Returns: `nil` if the server cannot show it to anybody: it was started without it, or without InnoDB, or has
    ///   no room.
    private static func seesAllSessions(on handle: borrowing MySQLHandle) throws(ServerError) -> Bool? {
        let response = handle.run("SELECT 1 FROM information_schema.INNODB_METRICS LIMIT 1")
        guard let failure = response.failure else { return true }
        let error = ServerError(failure, during: "finding out whether the account sees all sessions")
        if case .privilegeMissing = error.reason { return false }
        guard !failure.isConnectionLost else { throw error }
        return nil
    }

    private static func isGaleraNode(_ handle: borrowing MySQLHandle) throws(ServerError) -> Bool {
        let response = handle.run("SHOW GLOBAL VARIABLES LIKE 'wsrep\\_on'")
        if let failure = response.failure { throw ServerError(failure, during: "asking whether wsrep_on is set") }
        let rows = try Rows(response.results.last, "wsrep_on")
        // A server that was built without it has no such variable.
        guard rows.count > 0 else { return false }
        return try rows.only().text("value") == "ON"
    }

    private static func showsMetadataLockInfo(on handle: borrowing MySQLHandle) throws(ServerError) -> Bool {
        let response = handle.run("SELECT 1 FROM information_schema.METADATA_LOCK_INFO LIMIT 1")
        guard let failure = response.failure else { return true }
        guard !failure.isConnectionLost else { throw ServerError(failure, during: "setting up a connection") }
        return false
    }

    private static func globalPrivileges(
        namingRoles: Bool, on handle: borrowing MySQLHandle
    ) throws(ServerError) -> Set<ExactText> {
        func texts(_ sql: String) throws(ServerError) -> [String] {
            let response = handle.run(sql)
            if let failure = response.failure { throw ServerError(failure, during: "reading the account's grants") }
            // Their only column is named after the account.
            let rows = try Rows(response.results, "the account's grants")
            let text = try rows.onlyColumn()
            return rows.compactMap { $0.text(text) }
        }
        // MariaDB lists the active role's by itself; MySQL wants the roles named, as CURRENT_ROLE() writes them.
        let roles = namingRoles ? try texts("SELECT CURRENT_ROLE()").first : nil
        let using = roles.flatMap { $0.isSame(as: "NONE") ? nil : " FOR CURRENT_USER() USING \($0)" } ?? ""
        return try texts("SHOW GRANTS\(using)").reduce(into: []) { $0.formUnion(globalPrivileges(inGrant: $1)) }
    }

    /// What `GRANT A, B ON *.* TO …` grants; nothing for a grant on less.
    static func globalPrivileges(inGrant grant: String) -> Set<ExactText> {
        let beginning = "GRANT ".utf8
        let grant = Array(grant.utf8)
        guard grant.starts(with: beginning), let end = grant.firstRange(of: Array(" ON *.* TO ".utf8)) else {
            return []
        }
        let list = grant[..<end.lowerBound].dropFirst(beginning.count)
        return list.split(separator: UInt8(ascii: ",")).reduce(into: []) { privileges, privilege in
            let name = privilege.drop { $0 == UInt8(ascii: " ") }
            privileges.insert(ExactText(String(decoding: name, as: UTF8.self)))
        }
    }
}

extension PerformanceSchemaTables {
    init(of handle: borrowing MySQLHandle) throws(ServerError) {
        processlist = try Self.shows("processlist WHERE ID=CONNECTION_ID()", on: handle) == .rows
        threads = try Self.shows("threads WHERE PROCESSLIST_ID=CONNECTION_ID()", on: handle) == .rows
        // A table that shows no session at all belongs to a performance_schema that is off.
        let isOn = processlist || threads
        func mayRead(_ tables: String..., given condition: Bool) throws(ServerError) -> Bool {
            guard condition else { return false }
            for table in tables {
                if try Self.shows(table, on: handle) == .nothing { return false }
            }
            return true
        }
        connectionAttributes = try mayRead(
            "session_connect_attrs WHERE PROCESSLIST_ID=CONNECTION_ID()", given: threads)
        rowLocks = try mayRead("data_lock_waits LIMIT 1", "data_locks WHERE ENGINE_LOCK_ID=''", given: isOn)
        // Its rows name their owners by THREAD_ID.
        metadataLocks = try mayRead("metadata_locks LIMIT 1", given: threads)
        transactions = try mayRead("events_transactions_current LIMIT 1", given: threads)
    }

    private enum Visibility {
        case rows
        case noRows
        /// The table is not there, or may not be read.
        case nothing
    }

    private static func shows(_ rows: String, on handle: borrowing MySQLHandle) throws(ServerError) -> Visibility {
        let response = handle.run("SELECT 1 FROM performance_schema.\(rows)")
        if let failure = response.failure {
            guard !failure.isConnectionLost else { throw ServerError(failure, during: "setting up a connection") }
            return .nothing
        }
        return response.results.first?.rows.isEmpty == false ? .rows : .noRows
    }

    /// The statement for the sessions' THREAD_IDs.
    var threadQuery: String? {
        threads
            ? """
            SELECT PROCESSLIST_ID AS processlist_id,THREAD_ID AS thread_id FROM performance_schema.threads \
            WHERE PROCESSLIST_ID IS NOT NULL
            """ : nil
    }

    /// The statement for what clients tell of themselves. Not joined to the
    /// other: MariaDB's tables have no index, and 1,000 sessions took 143 ms in
    /// place of 8.
    var clientQuery: String? {
        // Clients choose these texts, and a plan keeps them.
        connectionAttributes
            ? """
            SELECT PROCESSLIST_ID AS processlist_id,ATTR_NAME AS attr_name,LEFT(ATTR_VALUE,128) AS attr_value \
            FROM performance_schema.session_connect_attrs WHERE ATTR_NAME IN ('program_name','_pid')
            """ : nil
    }
}
