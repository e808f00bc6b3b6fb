import SessionKill

/// A connection to an ODP while somebody has it.
struct ProxyServerConnection: ServerConnection {
    let connection: MySQLConnection
    let login: ProxyLogin
    let server: MySQLServer
    /// Whether KILLs may be sent over other connections besides.
    let mayHaveHelpers: Bool

    func observe(_ scope: ObservationScope) async throws(ServerError) -> ServerObservation {
        let snapshot = try await connection.observeProxy(login, scope)
        // Asked for afterwards, so that a connection opened meanwhile is among them.
        let ownThreadIDs = await server.allThreadIDs
        return ServerObservation(
            fingerprint: snapshot.fingerprint, sessions: snapshot.sessions, ownThreadIDs: ownThreadIDs,
            missingKillPrivilege: login.missingKillPrivilege, seesAllSessions: login.seesAllSessions,
            systemSessions: snapshot.systemSessions,
            connectionIDs: snapshot.connectionIDs)
    }

    func present(among sessions: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID> {
        try await connection.presentOnProxy(sessions, login)
    }

    func dying(among sessions: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID> {
        try await connection.dyingOnProxy(sessions, login)
    }

    func serverSessions(of session: SessionIdentity) async throws(ServerError) -> [ServerSession]? {
        try await connection.serverSessions(of: session)
    }

    /// No transactions: OceanBase does not tell how far a rollback has come.
    func transactions() async throws(ServerError) -> TransactionReading {
        TransactionReading(number: 0, transactions: [])
    }

    /// How many sessions are worth a connection of their own, which takes three round trips to open.
    private static let sessionsPerConnection = 8
    /// The most connections that help to kill. An ODP has room for 8,192 clients by default (`client_max_connections`).
    /// Of 15, 19, 23 and 31 this took the least time for 500 sessions 2 ms away:
    /// each has to list them all first.
    private static let mostHelpers = 23

    /// One statement for each session, over several connections where there are
    /// many.
    ///
    /// An ODP takes one command in a packet: of several statements none is a
    /// command to it, the whole goes to a database server, which does not know
    /// them (`stmt_count_` > 1 is `OBPROXY_T_MULTI_STMT`, ob_proxy_parser.y of
    /// obproxy 4.3.1). Nor can commands be sent ahead of the answers: when one is
    /// done, the ODP throws away all that it has received by then (`consume_all`
    /// in `ObMysqlSM::state_execute_internal_cmd`).
    func kill(_ sessions: [SessionIdentity]) async -> [KillResponse] {
        let queue = KillQueue(sessions, sparing: await server.allThreadIDs)
        let listing = Task { try? await connection.provenSessions(of: login) }
        let helpers = mayHaveHelpers ? min(Self.mostHelpers, sessions.count / Self.sessionsPerConnection) : 0
        await withTaskGroup(of: Void.self) { group in
            // They are being opened while this connection still reads its list.
            for _ in 0..<helpers {
                group.addTask { await help(with: queue) { await listing.value?[connection.threadID]?.identity } }
            }
            if let list = await listing.value { await connection.kill(from: queue, login, knowing: list) }
        }
        return queue.responses
    }

    /// On a connection of its own. If that cannot be had, or leads to another
    /// ODP, its share is left to the others.
    private func help(with queue: KillQueue, besides sentinel: @Sendable () async -> SessionIdentity?) async {
        guard let helper = try? await server.openHelper(of: login) else { return }
        if let sentinel = await sentinel() { await helper.kill(from: queue, login, besides: sentinel) }
        await server.closeHelper(helper)
    }
}
