/// One row of a server's session list, enriched with what else the server
/// tells about it.
public struct Session: Hashable, Sendable, Codable {
    public var identity: SessionIdentity
    public var picture: SessionPicture

    public init(identity: SessionIdentity, picture: SessionPicture) {
        self.identity = identity
        self.picture = picture
    }

    public var id: ThreadID { identity.id }
}

/// What tells one session from every other that may later have the same id.
///
/// Ids start anew when a server restarts, wrap after 2^32 connections, and
/// `COM_CHANGE_USER` hands a living id to another user.
public struct SessionIdentity: Hashable, Sendable, Codable {
    public var id: ThreadID
    public var user: String
    /// Client address with its port (`10.0.0.7:51444`); without a port for a
    /// Unix socket (`localhost`), which makes the identity weaker.
    public var host: String
    /// `THREAD_ID` of performance_schema, never used twice by one server
    /// process. `nil` where performance_schema is off or does not know the
    /// session.
    public var performanceSchemaThreadID: UInt64?

    public init(id: ThreadID, user: String, host: String, performanceSchemaThreadID: UInt64? = nil) {
        self.id = id
        self.user = user
        self.host = host
        self.performanceSchemaThreadID = performanceSchemaThreadID
    }

    /// Whether `later`, read from the same server process, is still this session.
    public func isSameSession(as later: SessionIdentity) -> Bool {
        guard id == later.id, user == later.user, host == later.host else { return false }
        guard let before = performanceSchemaThreadID, let after = later.performanceSchemaThreadID else { return true }
        return before == after
    }
}

/// What a session was doing when it was looked at.
public struct SessionPicture: Hashable, Sendable, Codable {
    public var database: String?
    /// `Sleep`, `Query`, `Binlog Dump GTID`, … as the server spells it.
    public var command: String
    /// Time in the present state; `nil` for a session that has not yet logged in.
    public var seconds: Int64?
    public var state: String?
    /// The statement that is running.
    public var statement: String?
    /// The open InnoDB transaction.
    public var transaction: Transaction?

    public init(
        database: String? = nil, command: String, seconds: Int64?, state: String? = nil, statement: String? = nil,
        transaction: Transaction? = nil
    ) {
        self.database = database
        self.command = command
        self.seconds = seconds
        self.state = state
        self.statement = statement
        self.transaction = transaction
    }
}

/// A row of `information_schema.INNODB_TRX`.
public struct Transaction: Hashable, Sendable, Codable {
    /// `trx_id`: stays the same while the transaction is rolled back, when the
    /// session may be gone already.
    public var id: String
    /// Seconds since it began.
    public var age: Int64
    /// Rows inserted, changed or deleted so far; falls while they are undone.
    public var rowsModified: UInt64
    /// `trx_state`: `RUNNING`, `LOCK WAIT`, `ROLLING BACK`, `COMMITTING`.
    public var state: String

    public init(id: String, age: Int64, rowsModified: UInt64, state: String) {
        self.id = id
        self.age = age
        self.rowsModified = rowsModified
        self.state = state
    }

    public var isRollingBack: Bool { state == "ROLLING BACK" }
}
