import SessionKill

/// A MySQL or MariaDB server behind a few connections, opened when needed and kept.
///
/// One of them is there from ``start()`` on and is kept alive for the day the
/// server is full (error 1040) and lets nobody else in. Who lacks a connection
/// then, or an account that may have few, waits for one of those there are.
///
/// Which connections there are and who gets them, a ``ConnectionPoolMachine`` decides.
public actor MySQLServer: DatabaseServer {
    public nonisolated let configuration: MySQLServerConfiguration
    nonisolated let readings = ServerReadings()

    var pool: ConnectionPoolMachine
    var connections: [ConnectionPoolMachine.ConnectionID: MySQLConnection] = [:]
    var pendingRequests: [ConnectionPoolMachine.RequestID: PendingRequest] = [:]
    private var keepAlive: Task<Void, Never>?
    /// The ids of connections on which delegated logins are in use.
    private var delegatedThreadIDs: Set<ThreadID> = []
    /// The ids of connections that are open for as long as a plan's sessions are killed.
    private var helperThreadIDs: Set<ThreadID> = []
    /// What the server's own address answered in place of a connection. While that is recent, the administrative
    /// address is tried first: a stalled server would take its time to refuse each.
    var ordinaryRefusal: AddressRefusal?

    /// Middleboxes forget idle connections after a few minutes.
    private static let keepAlivePause = Duration.seconds(30)

    /// - Parameter connectionLimit: how many connections there are at most, and how
    ///   many delegated logins besides; at least 1.
    public init(_ configuration: MySQLServerConfiguration, connectionLimit: Int = 4) {
        self.configuration = configuration
        pool = ConnectionPoolMachine(limit: connectionLimit)
    }

    deinit { keepAlive?.cancel() }

    /// Opens the first connection and keeps it alive until ``close()``.
    ///
    /// - Throws: ``ServerError`` if the server cannot be reached now; it is tried
    ///   again with every keep-alive and every use.
    public func start() async throws(ServerError) {
        if keepAlive == nil {
            keepAlive = Task { [weak self] in
                while true {
                    // Throws when the task is cancelled.
                    do { try await Task.sleep(for: Self.keepAlivePause) } catch { return }
                    await self?.verifyIdleConnections()
                }
            }
        }
        guard connections.isEmpty else { return }
        let lease: Lease
        do {
            lease = try await acquire(for: .snapshot)
        } catch {
            throw error as? ServerError ?? ServerError(.other, "nobody waits for the first connection any more")
        }
        // It stays, whatever its account lacks.
        perform(pool.released(lease.id, .usable, at: .now))
    }

    /// Closes the connections; those in use when they come back.
    public func close() async {
        keepAlive?.cancel()
        await finish(pool.close())
    }

    public func withConnection<Value: Sendable>(
        preferring connection: ConnectionIdentity?, _ body: @Sendable (any ServerConnection) async throws -> Value
    ) async throws -> Value {
        let lease = try await acquire(preferring: connection)
        do {
            let result = try await body(session(on: lease.connection))
            await release(lease)
            return result
        } catch {
            await release(lease)
            throw error
        }
    }

    public func withConnection<Value: Sendable>(
        as login: DatabaseLogin, _ body: @Sendable (any ServerConnection) async throws -> Value
    ) async throws -> Value {
        try await admitDelegatedLogin()
        defer { perform(pool.delegatedLoginEnded()) }
        let connection = try await connect(as: login)
        delegatedThreadIDs.insert(connection.threadID)
        defer { delegatedThreadIDs.remove(connection.threadID) }
        do {
            let result = try await body(session(on: connection, isDelegated: true))
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// All connections to the server that are of this process.
    var allThreadIDs: Set<ThreadID> { ownThreadIDs.union(delegatedThreadIDs).union(helperThreadIDs) }

    /// The ids of the connections that are kept.
    var ownThreadIDs: Set<ThreadID> { Set(connections.values.map(\.threadID)) }

    private nonisolated func session(
        on connection: MySQLConnection, isDelegated: Bool = false
    ) -> any ServerConnection {
        switch connection.dialect {
        case .mysql: PooledConnection(connection: connection, server: self)
        case .oceanBaseODP(let login):
            // Others to kill with would be logged in as killd.
            ProxyServerConnection(connection: connection, login: login, server: self, mayHaveHelpers: !isDelegated)
        }
    }

    public func observe(_ scope: ObservationScope) async throws -> ServerObservation {
        try await snapshot { connection throws(ServerError) in
            try await self.session(on: connection).observe(scope)
        }
    }

    public func list() async throws -> SessionList {
        guard configuration.kind == .mysql else {
            let observation = try await observe(.transactions)
            return SessionList(sessions: observation.sessions, ownThreadIDs: observation.ownThreadIDs)
        }
        let sessions = try await snapshot { connection throws(ServerError) in
            try await connection.list(self.readings)
        }
        // Asked for afterwards, so that a connection opened meanwhile is among them.
        return SessionList(sessions: sessions, ownThreadIDs: allThreadIDs)
    }

    private func snapshot<View: Sendable>(
        _ body: @Sendable (MySQLConnection) async throws(ServerError) -> View
    ) async throws -> View {
        let lease = try await acquire(for: .snapshot)
        do throws(ServerError) {
            return try await use(lease, body)
        } catch {
            // A list that was too large is asked for again with the beginnings of statements only.
            // A server that did not answer in time may do so at its administrative address.
            let mayAnswerElsewhere = error.reason == .timedOut && configuration.adminAddress != nil
            guard mayAnswerElsewhere || error.reason == .connectionLost || error.reason == .resultTooLarge
            else { throw error }
        }
        // It may have been lost long ago, and the others with it: the next is asked whether it is alive.
        perform(pool.checkAllIdle())
        return try await use(acquire(), body)
    }

    /// Does `body` on a connection and gives it back.
    private func use<View: Sendable>(
        _ lease: Lease, _ body: @Sendable (MySQLConnection) async throws(ServerError) -> View
    ) async throws(ServerError) -> View {
        do throws(ServerError) {
            let view = try await body(lease.connection)
            await release(lease)
            return view
        } catch {
            await release(lease)
            throw error
        }
    }

    /// Finds out whether the server answers and gives killd's account the rights
    /// that it needs, in one round trip on a connection that is free; one is
    /// opened if there is none.
    ///
    /// While all are in use nothing is asked: it is what their users heard from
    /// the server last.
    ///
    /// - Throws: ``ServerError``.
    public func checkUsable() async throws {
        guard let lease = try await acquireToProbe() else { return }
        let missing = lease.connection.missingPrivilege
        await release(lease)
        if let missing {
            throw ServerError(.privilegeMissing(missing), "killd's account lacks the privilege \(missing)")
        }
    }

    /// What the keep-alive does.
    func verifyIdleConnections() async { await finish(pool.keepAlive(at: .now)) }

    /// Opens a connection besides those that are kept, for as long as some work takes.
    func openHelper(of login: ProxyLogin? = nil) async throws(ServerError) -> MySQLConnection {
        guard !pool.isClosed else { throw Self.closedError }
        let connection = try await MySQLConnection.open(configuration, helping: login)
        helperThreadIDs.insert(connection.threadID)
        return connection
    }

    func closeHelper(_ connection: MySQLConnection) async {
        await connection.close()
        helperThreadIDs.remove(connection.threadID)
    }

    static let closedError = ServerError(.other, "killd is closing its connections")
}
