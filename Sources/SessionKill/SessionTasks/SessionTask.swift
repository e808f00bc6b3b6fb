import Cryptography
import Text

/// Ends chosen sessions of one server, once. Never changes.
///
/// Not a ``KillTask``, which goes on ending whoever matches its rule.
public struct SessionTask: Hashable, Sendable {
    public let id: SessionTaskID
    /// Who created it.
    public let account: AccountName
    public let target: SessionTaskTarget
    /// The plan with the sessions that it is to end.
    public let plan: PlanName
    public let createdAt: UnixTime

    public init(id: SessionTaskID, account: AccountName, target: SessionTaskTarget, plan: PlanName, createdAt: UnixTime)
    {
        self.id = id
        self.account = account
        self.target = target
        self.plan = plan
        self.createdAt = createdAt
    }

    /// How long after its end a task can be asked for, in seconds.
    public static let retention = 86_400
}

/// Where a task ends sessions.
public struct SessionTaskTarget: Hashable, Sendable {
    public let instance: InstanceID
    /// `nil` for the instance's own address.
    public let node: NodeID?

    public init(instance: InstanceID, node: NodeID?) {
        self.instance = instance
        self.node = node
    }
}

/// The id of one server of an instance that has several, such as `pi-bp1v203xzzh0a`.
public struct NodeID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// By which a task is asked for.
public struct SessionTaskID: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A fresh id: 32 random hexadecimal digits in lower case.
    public static func random() throws(CryptographyError) -> SessionTaskID {
        SessionTaskID(rawValue: try randomText(count: 32, alphabet: "0123456789abcdef"))
    }
}

/// As whom a task's sessions are ended.
public enum KillingAccount: Hashable, Sendable {
    /// As killd's own account on the server.
    case killd
    /// As this one, and as no other if it is refused.
    case login(DatabaseLogin)
}

/// One session of a task.
public struct TaskedSession: Hashable, Sendable {
    public let id: ThreadID
    /// As it was when the KILLs were sent; as it was when the task was created,
    /// if it was not there any more or it did not come to that. `nil` if there
    /// was none.
    public var row: SessionRow?
    /// `nil` while the task runs, unless it was spared from the start.
    public var outcome: SessionTaskOutcome?

    public init(id: ThreadID, row: SessionRow?, outcome: SessionTaskOutcome?) {
        self.id = id
        self.row = row
        self.outcome = outcome
    }
}

/// A row of a server's session list as a task keeps it.
public struct SessionRow: Hashable, Sendable {
    @Exact public var user: String
    @Exact public var host: String
    @Exact public var database: String?
    @Exact public var command: String
    /// Time in the present state.
    public var seconds: Int64?
    @Exact public var state: String?
    public var statement: RecordedStatement?
    public var isActive: Bool

    public init(
        user: String, host: String, database: String?, command: String, seconds: Int64?, state: String?,
        statement: RecordedStatement?, isActive: Bool
    ) {
        self.user = user
        self.host = host
        self.database = database
        self.command = command
        self.seconds = seconds
        self.state = state
        self.statement = statement
        self.isActive = isActive
    }

    /// - Throws: `CryptographyError` if a statement is to be hidden and OpenSSL refuses.
    init(_ session: Session, _ policy: RecordedStatement.Policy) throws(CryptographyError) {
        let details = session.details
        self.init(
            user: session.identity.user, host: session.identity.host, database: details.database,
            command: details.command, seconds: details.seconds, state: details.state,
            statement: try RecordedStatement(of: details, policy),
            isActive: details.isActive)
    }
}

extension SessionDetails {
    /// Whether the session runs a statement or is inside a transaction that has
    /// not ended.
    ///
    /// InnoDB's transactions only, the ones that servers list.
    public var isActive: Bool { command.isSame(as: "Query") || command.isSame(as: "Execute") || transaction != nil }
}

/// What became of one session of a task.
public enum SessionTaskOutcome: Hashable, Sendable {
    case decided(Outcome)
    /// Its user is one of those whom the task ignores.
    case ignoredUser
    /// The server refused the login, so that nothing was tried.
    case loginRefused

    /// Whether the task ended it. One that an interrupted task may have ended does
    /// not count.
    public var isKilled: Bool {
        switch self {
        case .decided(.ended), .ignoredUser, .loginRefused: false
        case .decided(let outcome): outcome.isKilled
        }
    }

    /// Whether it was left alone because of whose it is or what it does.
    public var isSpared: Bool {
        switch self {
        case .ignoredUser, .decided(.protected): true
        case .decided, .loginRefused: false
        }
    }

    /// Whether it should have been ended and was not, as far as is known. One
    /// that had ended by itself is no failure.
    public var isFailure: Bool {
        switch self {
        case .decided(.denied), .decided(.failed), .decided(.unknown), .loginRefused: true
        case .decided, .ignoredUser: false
        }
    }
}

/// How a task ended.
public enum SessionTaskEnding: String, Hashable, Sendable, CaseIterable {
    /// At least one session was killed, or there was none left to kill.
    case success
    /// None could be killed, or the login was refused.
    case failure
    /// Something else kept it from coming to its end.
    case error

    /// The ending of a task that came to its end.
    init(of outcomes: some Sequence<SessionTaskOutcome>) {
        var anyFailure = false
        for outcome in outcomes {
            if outcome.isKilled {
                self = .success
                return
            }
            if outcome.isFailure { anyFailure = true }
        }
        self = anyFailure ? .failure : .success
    }
}

/// How far a task got.
public enum SessionTaskState: Hashable, Sendable {
    case running
    case ended(SessionTaskEnding, at: UnixTime)
}

/// A task and what has happened with it.
public struct StoredSessionTask: Hashable, Sendable {
    public let task: SessionTask
    public let state: SessionTaskState
    /// All that it was to end or was to spare, each once: in the order of the
    /// request, or by their ids.
    public let sessions: [TaskedSession]

    public init(task: SessionTask, state: SessionTaskState, sessions: [TaskedSession]) {
        self.task = task
        self.state = state
        self.sessions = sessions
    }
}

/// Where session tasks are kept, beside the plans. Every method that writes
/// returns only when the write would survive a power failure.
public protocol SessionTaskStore: Sendable {
    /// Stores a new task as running.
    func insert(_ task: SessionTask, _ sessions: [TaskedSession]) async throws(StoreError)

    /// Ends a running task and replaces its sessions.
    ///
    /// - Returns: false, with nothing changed, if the task has ended already.
    func end(
        _ task: SessionTaskID, as ending: SessionTaskEnding, _ sessions: [TaskedSession], at time: UnixTime
    ) async throws(StoreError) -> Bool

    func sessionTask(_ id: SessionTaskID) async throws(StoreError) -> StoredSessionTask?

    /// Every task that has not ended.
    func runningSessionTasks() async throws(StoreError) -> [StoredSessionTask]
}
