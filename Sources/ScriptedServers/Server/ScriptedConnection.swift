import SessionKill

/// A connection to a scripted server while somebody has it.
struct ScriptedConnection: ServerConnection {
    let server: ScriptedServer
    let number: UInt64

    func observe(_ scope: ObservationScope) async throws(ServerError) -> ServerObservation {
        try await server.observe(scope, on: number)
    }

    func kill(_ sessions: [SessionIdentity]) async -> [KillResponse] { await server.kill(sessions, on: number) }

    func present(among sessions: [SessionIdentity]) async throws(ServerError) -> Set<ThreadID> {
        try await server.present(among: sessions, on: number)
    }

    func serverSessions(of session: SessionIdentity) async throws(ServerError) -> [ServerSession]? {
        try await server.serverSessions(of: session, on: number)
    }

    func transactions() async throws(ServerError) -> TransactionReading {
        try await server.transactions(on: number)
    }
}
