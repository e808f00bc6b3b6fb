/// Why what a Prepare names cannot be planned.
public enum PreparationError: Error, Hashable, Sendable {
    /// No session of the proxy has a connection with this id: it may be one of
    /// another proxy, or none.
    case unknownConnectionID(ThreadID)
    /// Nothing would tell this session from another one at Commit.
    case notPinnable(ThreadID)
    /// There is no proxy that could end a single connection to a database server.
    case serverSessionsUnsupported
    /// The session has no connection to a database server with this number.
    case unknownServerSession(UInt64, of: ThreadID)
    /// Two connections of one session: a plan ends one at most.
    case sessionNamedTwice(ThreadID)
}

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

    func requirePinnable(_ ids: [ThreadID]) throws(PreparationError) {
        for id in ids {
            guard sessions[id]?.identity.isPinnable != false else { throw .notPinnable(id) }
        }
    }
}

extension KillEngine {
    /// Pins one connection to a database server of each session named, and
    /// stores them as a plan. The sessions themselves are to live on.
    ///
    /// - Throws: ``PreparationError``, and as ``prepare(_:on:for:recordHistory:)``.
    public func prepare(
        endOf names: [ServerSessionName], on instance: Instance, for account: String, recordHistory: Bool
    ) async throws -> KillPlan {
        // On one connection: numbers of another proxy would be other people's.
        let (snapshot, found) = try await instance.server.withConnection { connection in
            let snapshot = IndexedObservation(try await connection.observe(recordHistory ? .locks : .sessions))
            try snapshot.observation.requireKillPrivilege()
            guard snapshot.observation.connectionIDs != nil else { throw PreparationError.serverSessionsUnsupported }
            return (snapshot, try await Self.serverSessions(names, in: snapshot, over: connection))
        }
        return try await store(
            found.order, from: snapshot, on: instance, for: account, task: nil, recordHistory: recordHistory,
            serverSessions: found.sessions)
    }

    private typealias Found = (order: [ThreadID], sessions: [ThreadID: ServerSession])

    private static func serverSessions(
        _ names: [ServerSessionName], in snapshot: IndexedObservation, over connection: any ServerConnection
    ) async throws -> Found {
        var found: Found = ([], [:])
        for name in names {
            let id = try snapshot.session(named: name.thread)
            if let before = found.sessions[id] {
                guard before.id == name.serverSession else { throw PreparationError.sessionNamedTwice(id) }
                continue
            }
            try snapshot.requirePinnable([id])
            let unknown = PreparationError.unknownServerSession(name.serverSession, of: name.thread)
            guard let session = snapshot.sessions[id] else { throw unknown }
            guard let held = try await connection.serverSessions(of: session.identity) else {
                throw PreparationError.serverSessionsUnsupported
            }
            guard let serverSession = held.first(where: { $0.id == name.serverSession }) else { throw unknown }
            found.order.append(id)
            found.sessions[id] = serverSession
        }
        return found
    }
}
