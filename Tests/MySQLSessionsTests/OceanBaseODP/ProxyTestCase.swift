import MySQLSessions
import ODPDouble
import SessionKill
import XCTest

extension ODPDouble {
    /// How killd reaches it.
    func configuration(
        kind: ServerKind = .oceanBaseODP, user: String = "root@sys", port: UInt16? = nil
    ) -> MySQLServerConfiguration {
        MySQLServerConfiguration(
            kind: kind, address: .tcp(host: "127.0.0.1", port: port ?? self.port, tls: .preferred), user: user,
            password: DatabasePassword("any"))
    }

    /// Runs `body` with killd's connections to it.
    func withServer<Answer>(
        user: String = "root@sys", port: UInt16? = nil, _ body: (MySQLServer) async throws -> Answer
    ) async throws -> Answer {
        let server = MySQLServer(configuration(user: user, port: port))
        let answer = try await body(server)
        await server.close()
        return answer
    }
}

extension ServerObservation {
    func session(_ id: ThreadID) throws -> Session { try XCTUnwrap(sessions.first { $0.id == id }) }

    /// Their identities, in the order of the ids.
    func identities(_ ids: [ThreadID]) throws -> [SessionIdentity] { try ids.map { try session($0).identity } }
}
