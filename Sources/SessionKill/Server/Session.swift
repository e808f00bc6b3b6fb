import Text

/// One row of a server's session list, enriched with what else the server
/// tells about it.
public struct Session: Hashable, Sendable {
    public var identity: SessionIdentity
    public var details: SessionDetails

    public init(identity: SessionIdentity, details: SessionDetails) {
        self.identity = identity
        self.details = details
    }

    public var id: ThreadID { identity.id }
}

/// What tells one session from every other that may later have the same id.
///
/// Ids start anew when a server restarts, wrap after 2^32 connections, and
/// `COM_CHANGE_USER` hands a living id to another user.
public struct SessionIdentity: Hashable, Sendable {
    public var id: ThreadID
    @Exact public var user: String
    /// Client address with its port (`10.0.0.7:51444`); without a port for a
    /// Unix socket (`localhost`), which makes the identity weaker.
    @Exact public var host: String
    /// `THREAD_ID` of performance_schema, never used twice by one server
    /// process. `nil` where performance_schema is off or does not know the
    /// session.
    public var performanceSchemaThreadID: UInt64?
    /// What the client told of itself. `nil` where performance_schema is off or
    /// does not know the session, and in snapshots that do not ask for it.
    public var client: ClientAttributes?
    /// What a proxy tells of it that numbers sessions itself; `nil` for a session
    /// of a server's own.
    public var proxy: ProxySession?

    public init(
        id: ThreadID, user: String, host: String, performanceSchemaThreadID: UInt64? = nil,
        client: ClientAttributes? = nil, proxy: ProxySession? = nil
    ) {
        self.proxy = proxy
        self.id = id
        self.user = user
        self.host = host
        self.performanceSchemaThreadID = performanceSchemaThreadID
        self.client = client
    }

    /// Whether `later`, read from the same server process, is still this session.
    public func isSameSession(as later: SessionIdentity) -> Bool {
        func agree<Value: Equatable>(_ before: Value?, _ after: Value?) -> Bool {
            before == nil || after == nil || before == after
        }
        return id == later.id && user.isSame(as: later.user) && host.isSame(as: later.host)
            && agree(performanceSchemaThreadID, later.performanceSchemaThreadID) && agree(client, later.client)
            && isSameSessionOfProxy(as: later)
    }

    func isSameSessionOfProxy(as later: SessionIdentity) -> Bool {
        switch (proxy, later.proxy) {
        case (nil, nil): true
        case (let proxy?, let laterProxy?): proxy.isSameSession(as: laterProxy)
        case (nil, _?), (_?, nil): false
        }
    }

    /// Whether enough is known of the session to tell it from others later.
    public var isPinnable: Bool { proxy?.id != 0 }

    /// Whether the server may have cut ``host``, and digits of the port with it, or all: MariaDB lists 63 bytes at most
    /// (`LIST_PROCESS_HOST_LEN`; MySQL 9.7 has no such limit, both measured).
    public var mayLackPort: Bool {
        guard proxy == nil, host.utf8.count == Self.longestHost else { return false }
        let digits = host.utf8.reversed().prefix { (0x30...0x39).contains($0) }.count
        let isWhole =
            digits == Self.digitsOfLongestPort
            && host.utf8.dropLast(digits).last == UInt8(ascii: ":")
        return !isWhole
    }

    private static let longestHost = 63
    private static let digitsOfLongestPort = 5
}

/// The connection attributes that tell clients apart
/// (`performance_schema.session_connect_attrs`).
public struct ClientAttributes: Hashable, Sendable, Codable {
    /// `program_name`: what a client calls itself.
    @Exact public var programName: String?
    /// `_pid`: the number of its process, on its own machine.
    @Exact public var processID: String?

    public init(programName: String?, processID: String?) {
        self.programName = programName
        self.processID = processID
    }
}

/// What a session was doing when the snapshot was taken.
public struct SessionDetails: Hashable, Sendable {
    @Exact public var database: String?
    /// `Sleep`, `Query`, `Binlog Dump GTID`, … as the server spells it.
    @Exact public var command: String
    /// Time in the present state; `nil` for a session that has not yet logged in.
    public var seconds: Int64?
    @Exact public var state: String?
    /// The statement that is running, or its beginning.
    @Exact public var statement: String?
    /// Length of the whole statement in bytes, if ``statement`` is only its
    /// beginning; where the server does not tell, it is at least so much.
    public var statementLength: Int?
    /// The open transaction.
    public var transaction: Transaction?
    /// Whether the session's last transaction is an XA transaction after `XA
    /// PREPARE`. MySQL shows it apart from the session already then
    /// (`xa_detach_on_prepare`), and ``transaction`` is `nil`.
    public var preparedXA: PreparedXA

    public init(
        database: String? = nil, command: String, seconds: Int64?, state: String? = nil, statement: String? = nil,
        statementLength: Int? = nil, transaction: Transaction? = nil, preparedXA: PreparedXA = .absent
    ) {
        self.database = database
        self.command = command
        self.seconds = seconds
        self.state = state
        self.statement = statement
        self.statementLength = statementLength
        self.transaction = transaction
        self.preparedXA = preparedXA
    }

    /// Whether a KILL was accepted of which the session has not died yet: the
    /// command `Killed` of MySQL and MariaDB, OceanBase's state `SESSION_KILLED`.
    var isBeingKilled: Bool {
        command.isSame(as: "Killed") || state?.isSame(as: "SESSION_KILLED") == true
    }
}

/// Whether a session leaves an XA transaction behind that it has prepared, which
/// keeps its locks until somebody commits it or rolls it back.
public enum PreparedXA: Hashable, Sendable {
    case absent
    case present
    /// There is one that is nobody's, and the server does not tell killd's account
    /// who prepared it.
    case unknown
}

/// As plans have always kept it: `true` or `false`.
extension PreparedXA: Codable {
    private static let unknownName = "unknown"

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let isPresent = try? container.decode(Bool.self) {
            self = isPresent ? .present : .absent
            return
        }
        guard try container.decode(String.self).isSame(as: Self.unknownName) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "neither true, false nor unknown")
        }
        self = .unknown
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .absent: try container.encode(false)
        case .present: try container.encode(true)
        case .unknown: try container.encode(Self.unknownName)
        }
    }
}

extension String {
    /// Whether this state is that of a session whose change is committed, and in
    /// the binary log, and which waits for a replica to acknowledge it: `Waiting
    /// for semi-sync ACK from replica` on MySQL, `… slave` on MariaDB.
    var isWaitForReplica: Bool { utf8.starts(with: "Waiting for semi-sync ACK from ".utf8) }
}

/// An open transaction: a row of `information_schema.INNODB_TRX`, and on
/// OceanBase of its own view.
public struct Transaction: Hashable, Sendable, Codable {
    /// `trx_id`: stays the same while the transaction is rolled back, when the
    /// session may be gone already. `nil` as long as nothing was changed, so
    /// that there is nothing to roll back either.
    @Exact public var id: String?
    /// Seconds since it began.
    public var age: Int64
    /// Rows inserted, changed or deleted so far; falls while they are undone.
    /// `nil` where the server does not count them (OceanBase).
    public var rowsModified: UInt64?
    /// `trx_state`: `RUNNING`, `LOCK WAIT`, `ROLLING BACK`, `COMMITTING`; on
    /// OceanBase its own words, such as `EXPLICIT_ACTIVE`.
    @Exact public var state: String

    public init(id: String?, age: Int64, rowsModified: UInt64?, state: String) {
        self.id = id
        self.age = age
        self.rowsModified = rowsModified
        self.state = state
    }

    public var isRollingBack: Bool { state.isSame(as: "ROLLING BACK") }
}

/// One reading of the server's open transactions.
public struct TransactionReading: Hashable, Sendable, Codable {
    /// Counts the readings of a server: a later one has a greater number.
    public var number: Int
    public var transactions: [OpenTransaction]

    public init(number: Int, transactions: [OpenTransaction]) {
        self.number = number
        self.transactions = transactions
    }
}

/// A transaction and whose it is.
public struct OpenTransaction: Hashable, Sendable, Codable {
    public var transaction: Transaction
    /// `nil` for a prepared XA transaction that is nobody's any more.
    public var thread: ThreadID?

    public init(_ transaction: Transaction, thread: ThreadID?) {
        self.transaction = transaction
        self.thread = thread
    }
}
