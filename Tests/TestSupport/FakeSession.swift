/// A session of a ``FakeMySQLServer``.
public struct FakeSession: Sendable {
    public var id: UInt64
    public var user: String
    public var host: String
    public var database: String?
    public var command: String
    /// A text, so that it can be no number.
    public var seconds: String?
    public var state: String?
    public var statement: String?
    /// Of performance_schema.
    public var threadID: UInt64
    public var attributes: [String: String] = [:]
    public var transaction: FakeTransaction?

    public struct FakeTransaction: Sendable {
        public var id = "421"
        public var seconds = "12"
        public var rowsModified = "3"
        public var state = "RUNNING"

        public init() {}
    }

    public init(
        id: UInt64, user: String = "app", host: String = "10.0.0.9:50000", database: String? = "d",
        command: String = "Sleep", seconds: String? = "7", state: String? = "", statement: String? = nil
    ) {
        self.id = id
        self.user = user
        self.host = host
        self.database = database
        self.command = command
        self.seconds = seconds
        self.state = state
        self.statement = statement
        threadID = id + 40
        attributes = ["program_name": "app", "_pid": "4711"]
    }

    /// One that sleeps, one that reads, one with an open transaction, and the event scheduler.
    public static var some: [FakeSession] {
        var writer = FakeSession(id: 13, host: "10.0.0.9:50013")
        writer.transaction = FakeTransaction()
        return [
            FakeSession(
                id: 5, user: "event_scheduler", host: "localhost", database: nil, command: "Daemon",
                state: "Waiting on empty queue"),
            FakeSession(id: 11, host: "10.0.0.9:50011"),
            FakeSession(
                id: 12, host: "10.0.0.9:50012", command: "Query", state: "executing",
                statement: "SELECT SLEEP(60)"),
            writer,
        ]
    }

    var processListRow: [String: String?] {
        [
            "ID": String(id), "USER": user, "HOST": host, "DB": database, "COMMAND": command, "TIME": seconds,
            "STATE": state, "INFO": statement, "INFO_BINARY": statement,
        ]
    }

    var threadRow: [String: String?] {
        [
            "PROCESSLIST_ID": String(id), "THREAD_ID": String(threadID), "PROCESSLIST_USER": user,
            "PROCESSLIST_HOST": host, "PROCESSLIST_DB": database, "PROCESSLIST_COMMAND": command,
            "PROCESSLIST_TIME": seconds, "PROCESSLIST_STATE": state, "PROCESSLIST_INFO": statement,
        ]
    }

    var attributeRows: [[String: String?]] {
        attributes.sorted { $0.key < $1.key }.map {
            ["PROCESSLIST_ID": String(id), "ATTR_NAME": $0.key, "ATTR_VALUE": $0.value]
        }
    }

    /// By the expressions of killd's statements.
    var transactionRow: [String: String?]? {
        guard let transaction else { return nil }
        return [
            "TRX_ID": transaction.id, "TRX_MYSQL_THREAD_ID": String(id), "TRX_ROWS_MODIFIED": transaction.rowsModified,
            "TRX_STATE": transaction.state,
            "GREATEST(0, TIMESTAMPDIFF(SECOND, TRX_STARTED, NOW()))": transaction.seconds,
        ]
    }
}
