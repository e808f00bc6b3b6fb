/// One database server on which sessions can be listed and killed.
public protocol DatabaseServer: Sendable {
    /// Hands a connection to `body` and keeps everybody else off it meanwhile.
    ///
    /// What `body` does happens on one connection to one server process: if that
    /// is lost, every further call throws rather than reconnect, since a new
    /// connection may lead to another server where the same ids are other
    /// people's.
    ///
    /// - Parameter connection: the one to hand out if it is still open and free.
    func withConnection<Value: Sendable>(
        preferring connection: ConnectionIdentity?, _ body: @Sendable (any ServerConnection) async throws -> Value
    ) async throws -> Value

    /// The same on a connection of its own, on which `login` is logged in in place
    /// of killd's account; closed when `body` is done.
    ///
    /// - Throws: ``ServerError/Reason/loginRefused`` before `body` is called if the
    ///   server does not accept the login, or would accept it with any password.
    func withConnection<Value: Sendable>(
        as login: DatabaseLogin, _ body: @Sendable (any ServerConnection) async throws -> Value
    ) async throws -> Value

    /// One snapshot of the server, on whichever connection is free.
    ///
    /// It changes nothing, so it is tried again on another connection if the
    /// first turns out to be lost; nobody has to ask first whether it is alive.
    func observe(_ scope: ObservationScope) async throws -> ServerObservation

    /// The sessions with their open transactions, and nothing besides: for who
    /// only wants to see them.
    func list() async throws -> SessionList
}

extension DatabaseServer {
    public func withConnection<Value: Sendable>(
        _ body: @Sendable (any ServerConnection) async throws -> Value
    ) async throws -> Value { try await withConnection(preferring: nil, body) }

    public func list() async throws -> SessionList {
        let observation = try await observe(.transactions)
        return SessionList(sessions: observation.sessions, ownThreadIDs: observation.ownThreadIDs)
    }
}

/// A server's sessions. It does not tell which server process they are of, so
/// nothing can be pinned by it.
public struct SessionList: Hashable, Sendable {
    public var sessions: [Session]
    /// killd's own connections to this server.
    public var ownThreadIDs: Set<ThreadID>

    public init(sessions: [Session], ownThreadIDs: Set<ThreadID>) {
        self.sessions = sessions
        self.ownThreadIDs = ownThreadIDs
    }
}

/// How much a snapshot of a server is to tell; each more than the one before it.
public enum ObservationScope: Hashable, Sendable {
    /// The fingerprint alone: an account without any privilege is shown it.
    case server
    /// Besides, the session list.
    case sessions
    /// Besides, the open transactions and which of them are prepared.
    case transactions
    /// Besides, who waits for whose locks, and who holds one that is no table's.
    case locks
}

/// One connection to one server process.
public protocol ServerConnection: Sendable {
    /// The server's fingerprint, and what `scope` asks for besides. A session list
    /// is complete.
    func observe(_ scope: ObservationScope) async throws(ServerError) -> ServerObservation

    /// Sends KILL CONNECTION for each of `sessions`, by the strongest ``KillGuard``
    /// that the server can run.
    ///
    /// - Returns: one response for each session, in the same order.
    func kill(_ sessions: [SessionIdentity]) async -> [KillResponse]

    /// Which of `sessions` the server still lists, or still has a thread for.
    func present(among sessions: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID>

    /// Which of `sessions` are off the list, or marked as killed, but not at
    /// their end on some database server.
    func dying(among sessions: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID>

    /// The connections to database servers that a proxy holds for a session;
    /// `nil` where there is no proxy that could end one.
    func serverSessions(of session: SessionIdentity) async throws(ServerError) -> [ServerSession]?

    /// The open transactions, read at most 250 ms ago.
    ///
    /// InnoDB renews what it shows only if nobody read it for 100 ms. So whoever
    /// asks sooner after another is handed the same reading again.
    func transactions() async throws(ServerError) -> TransactionReading
}

extension ServerConnection {
    public func dying(among sessions: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID> { [] }

    public func serverSessions(of session: SessionIdentity) async throws(ServerError) -> [ServerSession]? { nil }
}

/// What one snapshot of a server shows.
public struct ServerObservation: Hashable, Sendable {
    public var fingerprint: ServerFingerprint
    /// How long the server process has been running, in seconds; `nil` where that is not told.
    public var uptime: Int64?
    public var sessions: [Session]
    /// killd's own connections to this server.
    public var ownThreadIDs: Set<ThreadID>
    /// The privilege for want of which the account that took it may end nobody's
    /// sessions but its own.
    public var missingKillPrivilege: String?
    /// Whether the account sees the sessions of others. Without, a snapshot tells the fingerprint at most.
    public var seesAllSessions: Bool
    /// Number of the ``TransactionReading`` that the sessions' transactions are from.
    public var transactionReading: Int
    public var lockWaits: LockWaits
    /// Of no snapshot that does not tell who waits for whose locks either.
    public var heldLocks: HeldLocks
    /// Sessions of the database's own machinery, which are protected.
    public var systemSessions: Set<ThreadID>
    /// Of a proxy that numbers sessions itself: the session's id by that of a
    /// connection to a database server (`CONNECTION_ID()`). `nil` where the two
    /// are the same.
    public var connectionIDs: [ThreadID: ThreadID]?
    /// What it was taken over. `nil` where that the connection lives says nothing of the server: it leads to a proxy, or
    /// to one of OceanBase's servers, of which another may have been restarted.
    public var connection: ConnectionIdentity?

    public init(
        fingerprint: ServerFingerprint, sessions: [Session], ownThreadIDs: Set<ThreadID>,
        missingKillPrivilege: String? = nil, seesAllSessions: Bool = true, transactionReading: Int = 0,
        lockWaits: LockWaits = LockWaits(), heldLocks: HeldLocks = HeldLocks(), systemSessions: Set<ThreadID> = [],
        connectionIDs: [ThreadID: ThreadID]? = nil, uptime: Int64? = nil, connection: ConnectionIdentity? = nil
    ) {
        self.connection = connection
        self.uptime = uptime
        self.systemSessions = systemSessions
        self.connectionIDs = connectionIDs
        self.fingerprint = fingerprint
        self.sessions = sessions
        self.ownThreadIDs = ownThreadIDs
        self.missingKillPrivilege = missingKillPrivilege
        self.seesAllSessions = seesAllSessions
        self.transactionReading = transactionReading
        self.lockWaits = lockWaits
        self.heldLocks = heldLocks
    }

    /// Whether the server would let killd's account end other users' sessions.
    ///
    /// - Throws: ``ServerError`` that names the privilege: a plan that cannot be
    ///   carried out is not worth anybody's approval.
    func requireKillPrivilege() throws(ServerError) {
        guard let privilege = missingKillPrivilege else { return }
        throw ServerError(.privilegeMissing(privilege), "killd's account may not kill other users' sessions")
    }
}

extension ServerObservation {
    /// How many seconds a server has to have been running before anything is pinned.
    ///
    /// It tells the second of its start. One that was started again within that
    /// second would pass for the one before, whose ids it hands out anew; the
    /// other second is for a clock that is set right at the start.
    public static let shortestUptime: Int64 = 2

    /// - Throws: ``ServerError/Reason/startedMomentsAgo(wait:)`` for a server
    ///   that could not be told from its successor.
    func requireUnmistakableStart() throws(ServerError) {
        guard let uptime, uptime < Self.shortestUptime else { return }
        let wait = Int(Self.shortestUptime - max(0, uptime))
        throw ServerError(
            .startedMomentsAgo(wait: wait),
            """
            the server started \(uptime) s ago: if it were started again now, nothing would tell the two apart; in \
            \(wait) s it can be planned for
            """)
    }
}

/// What the server said to one KILL.
public enum KillResponse: Hashable, Sendable {
    case accepted(by: KillGuard)
    /// Error 1094 to a KILL of this id.
    /// A proxy says it of what it does not know or may not show: it is no proof of a session's end.
    case noSuchThread
    /// No KILL was sent: no guard found the session, though perhaps another under its id.
    case notFound
    /// Error 1095, and 1227: not without CONNECTION_ADMIN, or the session's user has SYSTEM_USER, or it applies the
    /// changes of a Galera cluster. Which of them, only the server's words tell.
    case notPermitted(message: String)
    case rejected(code: UInt32, message: String)
    /// Sent, but the connection broke before the response.
    case lost
    /// The connection broke before this one was sent.
    case notSent
}

/// A server could not be used.
public struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// Nothing answered, or not within the deadline.
        case unreachable
        /// Error 1040, or 1203 or 1226 of killd's account, and no administrative address let killd in.
        case tooManyConnections
        /// The server refused the account that logged in.
        case loginRefused
        /// TLS was demanded by the configuration and could not be had.
        case tlsUnavailable
        /// The privilege that is missing, e.g. `PROCESS`.
        case privilegeMissing(String)
        /// A proxy answers: the ids it shows are not the server's.
        case behindProxy
        /// The configuration says that it is of another kind.
        case unexpectedKind
        /// Too short a time ago to tell the server from one that is started again; in so many seconds it can be.
        case startedMomentsAgo(wait: Int)
        /// The connection broke.
        case connectionLost
        /// An answer, or the set-up of a connection, was not complete by its deadline.
        case timedOut
        /// The server answered with more than is read of one server at a time.
        case resultTooLarge
        /// Another error of the server's, or an answer that makes no sense.
        case other
    }

    public let reason: Reason
    /// The error number of the server or client library; 0 if there is none.
    public let code: UInt32
    /// For the log and `killd check`: what was attempted and what was answered.
    public let description: String

    public init(_ reason: Reason, code: UInt32 = 0, _ description: String) {
        self.reason = reason
        self.code = code
        self.description = description
    }
}
