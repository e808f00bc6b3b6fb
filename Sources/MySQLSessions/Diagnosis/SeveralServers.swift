import SessionKill

extension MySQLServer {
    /// Whether another connection leads to another server, as behind a load
    /// balancer that gives each new connection to the next one.
    func severalServers(besides connection: MySQLConnection) async throws(ServerError) -> [MySQLFinding] {
        let first = try await connection.observe(.server, readings).fingerprint
        for _ in 0..<Self.connectionsToCompare {
            // A server that lets no more in is not found out about.
            guard let other = try? await openHelper() else { return [] }
            let snapshot: MySQLConnection.Snapshot
            do throws(ServerError) {
                snapshot = try await other.observe(.server, readings)
                await closeHelper(other)
            } catch {
                await closeHelper(other)
                throw error
            }
            guard first.difference(from: snapshot.fingerprint) != nil else { continue }
            // One that was started again meanwhile has ended the connections of before.
            _ = try await connection.observe(.server, readings)
            return [.severalServers(at: configuration.address, first, snapshot.fingerprint)]
        }
        return []
    }

    private static let connectionsToCompare = 2
}

extension MySQLFinding {
    fileprivate static func severalServers(
        at address: MySQLAddress, _ one: ServerFingerprint, _ other: ServerFingerprint
    ) -> MySQLFinding {
        MySQLFinding(
            severity: .problem, subject: .severalServers,
            description: """
                several servers answer at \(address): \(one.name), and \(other.name). A session is known to one of \
                them only, so that plans become stale, or name sessions of the other; configure each server by its own \
                address as an instance, such as "host": "\(one.hostname)", "port": \(one.port)
                """)
    }
}

extension ServerFingerprint {
    fileprivate var name: String { "\(hostname):\(port)" + (uniqueID.map { " (\($0))" } ?? "") }
}
