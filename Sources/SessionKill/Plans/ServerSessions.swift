/// A session of a proxy, of which one connection to a database server is to end.
public struct ServerSessionName: Hashable, Sendable {
    public let thread: ThreadID
    /// `ss_id`.
    public let serverSession: UInt64

    public init(thread: ThreadID, serverSession: UInt64) {
        self.thread = thread
        self.serverSession = serverSession
    }
}

extension IndexedObservation {
    /// The session that has an id, or a connection with that id.
    ///
    /// An id that nobody has stays as it is and will be pinned as absent; but
    /// not one that can only be a connection's, whose session may live on behind
    /// another proxy.
    func session(named id: ThreadID) throws(PreparationError) -> ThreadID {
        guard sessions[id] == nil, let connectionIDs = observation.connectionIDs else { return id }
        if let session = connectionIDs[id] { return session }
        // ODP numbers sessions with 31 bits, and database servers their connections with the 32nd bit set.
        guard id.rawValue <= Int32.max else { throw .unknownConnectionID(id) }
        return id
    }

    /// The connections that are named, by their sessions' ids.
    ///
    /// - Parameter connection: the one that this was observed on: numbers of another proxy would be other people's.
    /// - Throws: ``PreparationError`` or ``ServerError``.
    func serverSessions(
        _ names: [ServerSessionName], over connection: any ServerConnection
    ) async throws -> [(thread: ThreadID, serverSession: ServerSession)] {
        guard observation.connectionIDs != nil else { throw PreparationError.serverSessionsUnsupported }
        var found: [(thread: ThreadID, serverSession: ServerSession)] = []
        for name in names {
            let id = try session(named: name.thread)
            if let before = found.first(where: { $0.thread == id }) {
                guard before.serverSession.id == name.serverSession else {
                    throw PreparationError.sessionNamedTwice(id)
                }
                continue
            }
            let unknown = PreparationError.unknownServerSession(name.serverSession, of: name.thread)
            guard let session = sessions[id] else { throw unknown }
            guard session.identity.isPinnable else { throw PreparationError.notPinnable(id) }
            guard let held = try await connection.serverSessions(of: session.identity) else {
                throw PreparationError.serverSessionsUnsupported
            }
            guard let serverSession = held.first(where: { $0.id == name.serverSession }) else { throw unknown }
            found.append((id, serverSession))
        }
        return found
    }
}
