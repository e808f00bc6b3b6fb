/// A server as the configuration knows it.
public struct Instance: Sendable {
    public let id: InstanceID
    public let server: any DatabaseServer
    public let protectedUsers: Set<String>
    /// Whether plans keep a digest only of the statements that sessions run.
    public let hidesStatements: Bool
    let fingerprints: SharedObservation
    let lists: SharedObservation
    let pictures: SharedObservation

    public init(
        id: InstanceID, server: any DatabaseServer, protectedUsers: Set<String>, hidesStatements: Bool = false
    ) {
        self.id = id
        self.server = server
        self.protectedUsers = protectedUsers
        self.hidesStatements = hidesStatements
        fingerprints = SharedObservation(of: server, .server)
        lists = SharedObservation(of: server, .sessions)
        pictures = SharedObservation(of: server, .locks)
    }

    /// The server and its sessions as they are now; calls at the same time share a look.
    public func observe() async throws -> ServerObservation { try await lists.observe().observation }

    func protectionRules(_ observation: ServerObservation) -> ProtectionRules {
        ProtectionRules(
            protectedUsers: protectedUsers, ownThreadIDs: observation.ownThreadIDs,
            systemSessions: observation.systemSessions)
    }
}
