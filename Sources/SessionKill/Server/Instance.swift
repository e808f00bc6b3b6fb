/// A server as the configuration knows it.
public struct Instance: Sendable {
    public let id: InstanceID
    /// The one of its servers that is meant; `nil` for the instance's own address.
    public let node: NodeID?
    public let server: any DatabaseServer
    public let protectedUsers: Set<String>
    /// Whether plans keep a digest only of the statements that sessions run.
    public let hidesStatements: Bool
    /// Who has to agree before sessions are ended.
    public let approvals: ApprovalPolicy
    let recentProbe: RecentProbe<ProbeResult>
    let lists: SharedSnapshot<IndexedObservation>
    let detailedSnapshots: SharedSnapshot<IndexedObservation>
    private let listings: SharedSnapshot<SessionList>

    /// - Parameter clock: what the age of a recent probe goes by.
    public init(
        id: InstanceID, node: NodeID? = nil, server: any DatabaseServer, protectedUsers: Set<String>,
        hidesStatements: Bool = false, approvals: ApprovalPolicy = .none,
        clock: RecentProbe<ProbeResult>.Clock = .init()
    ) {
        self.id = id
        self.node = node
        self.server = server
        self.protectedUsers = protectedUsers
        self.hidesStatements = hidesStatements
        self.approvals = approvals
        recentProbe = RecentProbe(at: server, clock: clock)
        lists = SharedSnapshot(at: server, .sessions)
        detailedSnapshots = SharedSnapshot(at: server, .locks)
        listings = SharedSnapshot { try await server.list() }
    }

    /// The same in a word.
    public var target: SessionTaskTarget { SessionTaskTarget(instance: id, node: node) }

    /// Whether both stand for one server and one way to it: a reload keeps the
    /// servers that are configured as before.
    func hasSameServer(as other: Instance) -> Bool { (server as AnyObject) === (other.server as AnyObject) }

    /// The server and its sessions as they are now; calls at the same time share a snapshot.
    public func observe() async throws -> ServerObservation { try await lists.observe().observation }

    /// Its sessions with their open transactions; calls at the same time share a snapshot.
    public func list() async throws -> SessionList { try await listings.observe() }

    func protectionRules(_ observation: ServerObservation) -> ProtectionRules {
        ProtectionRules(
            protectedUsers: protectedUsers, ownThreadIDs: observation.ownThreadIDs,
            systemSessions: observation.systemSessions)
    }
}
