import SessionKill

/// A connection of the pool while somebody has it.
struct PooledConnection: ServerConnection {
    let connection: MySQLConnection
    let server: MySQLServer

    func observe(_ scope: ObservationScope) async throws(ServerError) -> ServerObservation {
        let snapshot = try await connection.observe(scope, server.readings)
        // Asked for afterwards, so that a connection opened meanwhile is among them.
        let ownThreadIDs = await server.allThreadIDs
        return ServerObservation(
            fingerprint: snapshot.fingerprint, sessions: snapshot.sessions, ownThreadIDs: ownThreadIDs,
            missingKillPrivilege: connection.rights.missingKillPrivilege,
            seesAllSessions: connection.rights.seesAllSessions, transactionReading: snapshot.transactionReading,
            lockWaits: snapshot.lockWaits, heldLocks: snapshot.heldLocks, uptime: snapshot.uptime,
            connection: snapshot.connection)
    }

    func kill(_ sessions: [SessionIdentity]) async -> [KillResponse] { await connection.kill(sessions) }

    func present(among sessions: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID> {
        try await connection.present(among: sessions)
    }

    func dying(among sessions: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID> {
        try await connection.dying(among: sessions)
    }

    func transactions() async throws(ServerError) -> TransactionReading {
        try await connection.transactions(server.readings)
    }
}
