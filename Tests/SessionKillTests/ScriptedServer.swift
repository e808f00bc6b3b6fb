import SessionKill

/// A server whose sessions, answers and faults the test decides.
actor ScriptedServer: DatabaseServer, ServerConnection {
    var fingerprint = ServerFingerprint(
        uniqueID: "3a9f", hostname: "db1", port: 3306, serverID: 1, version: "9.7.4", startedAt: 1_700_000_000,
        connectionCount: 500, startMark: "8662-02fc00000001")
    var uptime: Int64?
    var sessions: [Session]
    var ownThreadIDs: Set<ThreadID> = []
    var openTransactions: [OpenTransaction] = []
    var lockWaits = LockWaits()
    var heldLocks = HeldLocks()
    var missingKillPrivilege: String?
    /// Of a proxy; `nil` for a server.
    var connectionIDs: [ThreadID: ThreadID]?
    var systemSessions: Set<ThreadID> = []
    var serverSessions: [ThreadID: [ServerSession]] = [:]
    /// What is killed, but not at its end.
    var stillDying: Set<ThreadID> = []
    /// The identities for which a KILL came.
    private(set) var targets: [SessionIdentity] = []

    /// Every KILL that reached the server, in order.
    private(set) var kills: [ThreadID] = []
    /// What each snapshot at the server asked for.
    private(set) var scopes: [ObservationScope] = []
    private var transactionReadings = 0
    var repeatsTheLastReading = false

    /// Asked before a KILL takes effect; `nil` means that the session ends.
    var answerToKill: @Sendable (ThreadID) -> KillResponse? = { _ in nil }
    /// What a session looks like after its KILL; `nil` means that it is gone.
    var afterKill: @Sendable (Session) -> Session? = { _ in nil }
    /// Called between observing and killing.
    var beforeKill: @Sendable (ScriptedServer) async -> Void = { _ in }
    /// Called before a snapshot at the server.
    var beforeSnapshot: @Sendable (ScriptedServer, ObservationScope) async -> Void = { _, _ in }
    var failure: ServerError?
    var failureAfterKill: ServerError?

    init(_ sessions: [Session]) { self.sessions = sessions }

    func set(_ change: @Sendable (isolated ScriptedServer) -> Void) { change(self) }

    /// Over which connection snapshots are taken; `nil` behind a proxy.
    var connection: ConnectionIdentity?
    /// Which connection each caller wished for.
    private(set) var preferences: [ConnectionIdentity?] = []

    nonisolated func withConnection<Answer: Sendable>(
        preferring connection: ConnectionIdentity?, _ body: @Sendable (any ServerConnection) async throws -> Answer
    ) async throws -> Answer {
        await notePreference(connection)
        return try await body(self)
    }

    private func notePreference(_ connection: ConnectionIdentity?) { preferences.append(connection) }

    nonisolated func withConnection<Answer: Sendable>(
        as login: DatabaseLogin, _ body: @Sendable (any ServerConnection) async throws -> Answer
    ) async throws -> Answer {
        try await body(try await DelegatedView(server: self, login: admit(login)))
    }

    /// What the server says to a login; `nil` means that it lets it in.
    var answerToLogin: @Sendable (DatabaseLogin) -> ServerError? = { _ in nil }
    /// What differs in a snapshot on a caller's connection.
    var delegatedSnapshot: @Sendable (inout ServerObservation) -> Void = { _ in }
    /// As whom each KILL was sent that was not killd's own.
    private(set) var delegatedKills: [ThreadID: String] = [:]

    private func admit(_ login: DatabaseLogin) throws -> DatabaseLogin {
        if let refusal = answerToLogin(login) { throw refusal }
        return login
    }

    fileprivate func noteKills(_ sessions: [SessionIdentity], by login: DatabaseLogin) {
        for session in sessions { delegatedKills[session.id] = login.user }
    }

    func observe(_ scope: ObservationScope) async throws(ServerError) -> ServerObservation {
        await beforeSnapshot(self, scope)
        if let failure { throw failure }
        scopes.append(scope)
        return ServerObservation(
            fingerprint: fingerprint, sessions: sessions, ownThreadIDs: ownThreadIDs,
            missingKillPrivilege: missingKillPrivilege, transactionReading: transactionReadings, lockWaits: lockWaits,
            heldLocks: heldLocks, systemSessions: systemSessions, connectionIDs: connectionIDs, uptime: uptime,
            connection: connection)
    }

    func kill(_ identities: [SessionIdentity]) async -> [KillResponse] {
        await beforeKill(self)
        return identities.map { identity in
            kills.append(identity.id)
            targets.append(identity)
            if let answer = answerToKill(identity.id) { return answer }
            guard let index = sessions.firstIndex(where: { $0.identity.isSameSession(as: identity) }) else {
                return .notFound
            }
            if let held = identity.proxy?.serverSession {
                serverSessions[identity.id]?.removeAll { $0 == held }
                return .accepted(by: .list)
            }
            let session = sessions.remove(at: index)
            if let still = afterKill(session) { sessions.insert(still, at: index) }
            return .accepted(by: .list)
        }
    }

    func present(among identities: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID> {
        if let failureAfterKill { throw failureAfterKill }
        return Set(identities.filter(isPresent).map(\.id))
    }

    private func isPresent(_ identity: SessionIdentity) -> Bool {
        if let held = identity.proxy?.serverSession { return serverSessions[identity.id]?.contains(held) == true }
        return sessions.contains { $0.identity.isSameSession(as: identity) }
    }

    func dying(among sessions: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID> {
        stillDying.intersection(sessions.map(\.id))
    }

    func serverSessions(of session: SessionIdentity) async throws(ServerError) -> [ServerSession]? {
        connectionIDs == nil ? nil : serverSessions[session.id] ?? []
    }

    func transactions() async throws(ServerError) -> TransactionReading {
        if !repeatsTheLastReading { transactionReadings += 1 }
        return TransactionReading(number: transactionReadings, transactions: openTransactions)
    }
}

/// A connection as somebody else than killd, on which nothing but a kill and the snapshot before it is asked for.
private struct DelegatedView: ServerConnection {
    let server: ScriptedServer
    let login: DatabaseLogin

    func observe(_ scope: ObservationScope) async throws(ServerError) -> ServerObservation {
        guard scope == .server else { throw ServerError(.privilegeMissing("PROCESS"), "not asked of a caller") }
        var snapshot = try await server.observe(scope)
        await server.delegatedSnapshot(&snapshot)
        return snapshot
    }

    func kill(_ sessions: [SessionIdentity]) async -> [KillResponse] {
        await server.noteKills(sessions, by: login)
        return await server.kill(sessions)
    }

    func present(among sessions: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID> {
        throw ServerError(.privilegeMissing("PROCESS"), "a caller's list proves nobody's death")
    }

    func transactions() async throws(ServerError) -> TransactionReading {
        throw ServerError(.privilegeMissing("PROCESS"), "a caller's list proves nobody's death")
    }
}

extension Session {
    /// An idle session of `user`, from a port that follows from its id.
    static func idle(
        _ id: UInt32, user: String = "app", command: String = "Sleep", transaction: Transaction? = nil
    ) -> Session {
        Session(
            identity: SessionIdentity(id: .init(id)!, user: user, host: "10.0.0.7:\(40_000 + id)"),
            details: SessionDetails(database: "shop", command: command, seconds: 12, transaction: transaction))
    }
}

extension PinnedSession {
    /// An idle session as Prepare pins it.
    static func idle(_ id: UInt32) -> PinnedSession {
        PinnedSession(
            identity: Session.idle(id).identity, details: PinnedDetails(database: "shop", command: "Sleep", seconds: 12)
        )
    }
}

extension ThreadID: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt32) { self.init(value)! }
}
