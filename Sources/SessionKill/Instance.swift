/// A server as the configuration knows it.
public struct Instance: Sendable {
    public let id: InstanceID
    public let server: any DatabaseServer
    public let protectedUsers: Set<String>
    /// Whether plans keep a digest only of the statements that sessions run.
    public let hidesStatements: Bool
    let fingerprints: SharedLook<IndexedObservation>
    let lists: SharedLook<IndexedObservation>
    let pictures: SharedLook<IndexedObservation>
    private let listings: SharedLook<SessionList>

    public init(
        id: InstanceID, server: any DatabaseServer, protectedUsers: Set<String>, hidesStatements: Bool = false
    ) {
        self.id = id
        self.server = server
        self.protectedUsers = protectedUsers
        self.hidesStatements = hidesStatements
        fingerprints = SharedLook(at: server, .server)
        lists = SharedLook(at: server, .sessions)
        pictures = SharedLook(at: server, .locks)
        listings = SharedLook { try await server.list() }
    }

    /// The server and its sessions as they are now; calls at the same time share a look.
    public func observe() async throws -> ServerObservation { try await lists.observe().observation }

    /// Its sessions with their open transactions; calls at the same time share a look.
    public func list() async throws -> SessionList { try await listings.observe() }

    func protectionRules(_ observation: ServerObservation) -> ProtectionRules {
        ProtectionRules(protectedUsers: protectedUsers, ownThreadIDs: observation.ownThreadIDs)
    }
}
