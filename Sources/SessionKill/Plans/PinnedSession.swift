import Text

/// A session as Prepare found it.
public struct PinnedSession: Hashable, Sendable {
    public let identity: SessionIdentity
    /// What it was doing. `nil` in a plan that keeps only what the laws need
    /// (`RecordHistory` false).
    public let details: PinnedDetails?

    public init(identity: SessionIdentity, details: PinnedDetails?) {
        self.identity = identity
        self.details = details
    }
}

/// What a person wants to know of a session before agreeing to its end.
public struct PinnedDetails: Hashable, Sendable, Codable {
    @Exact public var database: String?
    @Exact public var command: String
    /// Time in the present state.
    public var seconds: Int64?
    @Exact public var state: String?
    public var statement: RecordedStatement?
    public var transaction: Transaction?
    /// Whether a prepared XA transaction outlives it with all its locks.
    public var preparedXA: PreparedXA
    /// Why Commit would spare it, if nothing changes.
    public var protection: Protection?
    /// What it holds that others wait for, most wanted first.
    public var wantedLocks: [WantedLock]
    /// How many sessions could go on if it alone were gone, at once or in turn.
    public var freedSessions: Int

    public init(
        database: String? = nil, command: String, seconds: Int64?, state: String? = nil,
        statement: RecordedStatement? = nil, transaction: Transaction? = nil, preparedXA: PreparedXA = .absent,
        protection: Protection? = nil, wantedLocks: [WantedLock] = [], freedSessions: Int = 0
    ) {
        self.database = database
        self.command = command
        self.seconds = seconds
        self.state = state
        self.statement = statement
        self.transaction = transaction
        self.preparedXA = preparedXA
        self.protection = protection
        self.wantedLocks = wantedLocks
        self.freedSessions = freedSessions
    }

    /// Whether its change is committed already, and it only waits for a replica to acknowledge it.
    public var awaitsReplica: Bool { state?.isWaitForReplica == true }

    private enum CodingKeys: String, CodingKey {
        case database, command, seconds, state, statement, transaction
        case preparedXA = "hasPreparedXA"
        case protection, wantedLocks, freedSessions
    }
}

/// A lock that others wait for.
public struct WantedLock: Hashable, Sendable, Codable {
    public var lock: Lock
    /// How many sessions wait for it.
    public var waiters: Int

    public init(lock: Lock, waiters: Int) {
        self.lock = lock
        self.waiters = waiters
    }
}

/// What the end of all of a plan's sessions means for the others.
public struct PlanImpact: Hashable, Sendable, Codable {
    /// How many sessions could go on, at once or in turn.
    public var freedSessions: Int
    /// How many sessions wait for a lock whose holder the server does not tell:
    /// some of them may wait for the plan's sessions.
    public var unexplainedWaiters: Int

    public init(freedSessions: Int, unexplainedWaiters: Int) {
        self.freedSessions = freedSessions
        self.unexplainedWaiters = unexplainedWaiters
    }
}
