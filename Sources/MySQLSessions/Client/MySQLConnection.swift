import CMySQL
import DedicatedThread
import SessionKill
import Synchronization

/// One connection to a server, on a thread of its own.
///
/// It never reconnects: once lost, every call fails. It commits every
/// statement by itself and is never inside a transaction.
public actor MySQLConnection {
    /// The id by which the server knows this connection.
    public nonisolated let threadID: ThreadID
    /// The cipher in use; `nil` without TLS.
    public nonisolated let tlsCipher: String?
    /// Its number among all connections of this process.
    nonisolated let number: UInt64

    private static let lastNumber = Atomic<UInt64>(0)

    nonisolated let dialect: Dialect
    /// Sessions that performance_schema has shown since the last KILLs: when it does not any more, they are gone. It
    /// does not know all sessions.
    var knownToPerformanceSchema: Set<ThreadID> = []

    /// Which of the variables that identify a server this one has; `nil` until they were read once.
    var presentVariables: [String]?

    private let thread: DedicatedThread
    /// The library's connection; `nil` once it was lost.
    private var handle: MySQLHandle?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Connects, and refuses a proxy.
    ///
    /// - Parameter address: in place of the configuration's.
    public static func open(
        _ configuration: MySQLServerConfiguration, at address: MySQLAddress? = nil
    ) async throws(ServerError) -> MySQLConnection {
        try await open(configuration, at: address, helping: nil)
    }

    /// - Parameter login: what another connection to the same ODP found out, which
    ///   this one does not ask again.
    static func open(
        _ configuration: MySQLServerConfiguration, at address: MySQLAddress? = nil, helping login: ProxyLogin?
    ) async throws(ServerError) -> MySQLConnection {
        let thread: DedicatedThread
        do {
            thread = try DedicatedThread(name: "mysql")
        } catch {
            throw ServerError(.other, "\(error)")
        }
        return try await Opener(thread: thread).open(configuration, at: address ?? configuration.address, login)
    }

    /// Connects on the thread on which the connection is going to live.
    private actor Opener {
        private let thread: DedicatedThread
        nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

        init(thread: DedicatedThread) { self.thread = thread }

        func open(
            _ configuration: MySQLServerConfiguration, at address: MySQLAddress, _ login: ProxyLogin?
        ) throws(ServerError) -> MySQLConnection {
            mysql_thread_init()
            do {
                return try Self.connect(configuration, address, login, on: thread)
            } catch {
                mysql_thread_end()
                throw error
            }
        }

        private static func connect(
            _ configuration: MySQLServerConfiguration, _ address: MySQLAddress, _ login: ProxyLogin?,
            on thread: DedicatedThread
        ) throws(ServerError) -> MySQLConnection {
            let handle: MySQLHandle
            do throws(MySQLFailure) {
                handle = try MySQLHandle.connect(to: address, configuration)
            } catch {
                throw ServerError(connecting: configuration, to: address, error)
            }
            let threadID: ThreadID
            let dialect: Dialect
            switch configuration.kind {
            case .mysql:
                let server: Greeting
                (threadID, server) = try setUp(handle)
                handle.learnLargestStatement()
                dialect = .mysql(try AccountRights(server, on: handle))
            case .oceanBaseODP:
                guard let greeted = ThreadID(handle.threadID) else {
                    throw ServerError(.other, "the ODP gave this connection the id \(handle.threadID)")
                }
                threadID = greeted
                if let login {
                    dialect = .oceanBaseODP(login)
                } else {
                    dialect = .oceanBaseODP(try ProxyLogin(on: handle))
                }
            }
            let cipher = handle.tlsCipher
            handle.finishSetUp()
            return MySQLConnection(handle, threadID, cipher, dialect, thread)
        }

        private static func setUp(
            _ handle: borrowing MySQLHandle
        ) throws(ServerError) -> (threadID: ThreadID, server: Greeting) {
            var response = handle.run("\(SessionVariables.needed);\(Self.connectionQuery)")
            if let failure = response.failure {
                // OceanBase refuses two of them, and is given others.
                if !failure.isConnectionLost { response = handle.run(Self.connectionQuery) }
                let row = try? Rows(response.results.last, "VERSION()").only()
                guard AccountRights.isOceanBase(version: try? row?.text("version")) else {
                    throw ProxyLogin.refusal(on: handle) ?? ServerError(failure, during: "setting up a connection")
                }
            }
            let greeted = handle.threadID
            let row = try Rows(response.results.last, "CONNECTION_ID()").only()
            let shown: UInt64 = try row.integer("connection")
            let version = try row.text("version") ?? ""
            guard shown == UInt64(greeted) else {
                throw ProxyLogin.refusal(on: handle)
                    ?? ServerError(
                        .behindProxy, "the greeting gave id \(greeted), CONNECTION_ID() is \(shown): a proxy answers")
            }
            guard let threadID = ThreadID(shown) else {
                throw ServerError(.other, "the server gave this connection the id \(shown)")
            }
            let server = Greeting(version: version, isMariaDB: try row.text("is_mariadb") == "1")
            if AccountRights.isOceanBase(version: version) {
                try handle.setUpOceanBase()
            } else {
                try handle.set(SessionVariables.helpful(isMariaDB: server.isMariaDB))
            }
            return (threadID, server)
        }

        /// ProxySQL answers "SELECT CONNECTION_ID()" itself, hence the addition. What is in the comment only MariaDB
        /// reads; its version may be set to look like MySQL's.
        private static let connectionQuery =
            "SELECT CONNECTION_ID()+0 AS connection,VERSION() AS version,0/*M!+1*/ AS is_mariadb"
    }

    private init(
        _ handle: consuming sending MySQLHandle, _ threadID: ThreadID, _ tlsCipher: String?,
        _ dialect: Dialect, _ thread: DedicatedThread
    ) {
        self.handle = consume handle
        number = Self.lastNumber.add(1, ordering: .relaxed).newValue
        self.threadID = threadID
        self.tlsCipher = tlsCipher
        self.dialect = dialect
        self.thread = thread
    }

    isolated deinit {
        handle = nil
        mysql_thread_end()
    }

    /// Sends one or more statements in one packet.
    ///
    /// - Returns: their answers, if all of them succeeded.
    @discardableResult
    public func query(_ sql: String) throws(ServerError) -> [MySQLResult] {
        let response = run(sql)
        if let failure = response.failure { throw ServerError(failure, during: "a query") }
        return response.results
    }

    /// Ends the connection.
    public func close() { handle = nil }

    nonisolated var performanceSchema: PerformanceSchemaTables { rights.performanceSchema }

    var isLost: Bool { handle == nil }

    /// The most bytes of a statement that the server takes.
    var largestStatement: Int { handle?.largestStatement ?? 0 }

    /// Whether it is worth another connection to have the memory of this one back.
    var holdsLargeRow: Bool { handle?.holdsLargeRow ?? false }

    func forgetLargeRow() { handle?.forgetLargeRow() }

    /// Sends one or more statements in one packet.
    ///
    /// - Parameter limit: for all of it; as configured, if not given.
    /// - Returns: the answers until the first error, and that error.
    func run(_ sql: String, within limit: Duration? = nil) -> (results: [MySQLResult], failure: MySQLFailure?) {
        guard var response = handle?.run(sql, within: limit) else {
            return ([], MySQLFailure(code: ErrorNumber.serverGone, message: "the connection was lost before"))
        }
        if case .oceanBaseODP = dialect { response.failure = response.failure?.ofOceanBase }
        if let failure = response.failure, failure.isConnectionLost {
            handle = nil
            if failure.limit == .size { cmysql_return_free_memory() }
        }
        return response
    }
}

/// What a server says of itself when a connection is set up.
struct Greeting {
    let version: String
    let isMariaDB: Bool
}

/// What answers on a connection, and what it lets killd's account do.
enum Dialect: Sendable {
    case mysql(AccountRights)
    case oceanBaseODP(ProxyLogin)
}

extension MySQLConnection {
    /// The account's rights on MySQL and MariaDB; elsewhere none, so that whatever is written for them
    /// refuses to work.
    nonisolated var rights: AccountRights {
        switch dialect {
        case .mysql(let rights): rights
        case .oceanBaseODP: .none
        }
    }

    /// What killd's account lacks to see and end other users' sessions.
    nonisolated var missingPrivilege: String? {
        switch dialect {
        case .mysql(let rights): rights.missingPrivilege
        case .oceanBaseODP(let login):
            login.seesAllSessions ? login.missingKillPrivilege : ProxyLogin.missingListPrivilege
        }
    }
}
