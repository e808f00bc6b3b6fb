import Accounts
import SessionKill
import Text

/// DAS's actions over the configured instances.
public struct DAS: Sendable {
    let tasks: SessionTaskRunner
    let listings: SessionListings
    let instances: [InstanceID: DASInstance]
    /// Ids that one task may name.
    let maximumThreads: Int

    public init(
        tasks: SessionTaskRunner, listings: SessionListings, instances: [DASInstance], maximumThreads: Int
    ) {
        self.tasks = tasks
        self.listings = listings
        self.instances = Dictionary(instances.map { ($0.instance.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.maximumThreads = maximumThreads
    }

    /// The actions that killd serves.
    public var actions: [any DASAction] {
        [
            CreateKillInstanceSessionTask(das: self), CreateKillInstanceSessionTaskWithMaintainUser(das: self),
            KillInstanceAllSession(das: self), GetKillInstanceSessionTaskResult(das: self),
            GetMySQLAllSessionAsync(das: self),
        ]
    }
}

/// An instance as DAS knows it.
public struct DASInstance: Sendable {
    /// The database server at the instance's own address.
    public let instance: Instance
    /// The servers of a cluster, in the order of the configuration; none for a
    /// single server.
    public let nodes: [Instance]
    /// Whether somebody must agree before anything is killed. By this API nobody
    /// can, so its tasks are rejected.
    public let needsApproval: Bool

    public init(instance: Instance, nodes: [Instance], needsApproval: Bool) {
        self.instance = instance
        self.nodes = nodes
        self.needsApproval = needsApproval
    }
}

extension DAS {
    /// The instance that a request names, if its account may see it.
    ///
    /// One that is not configured and one that is not allowed are rejected
    /// alike, so that nobody learns which ids exist.
    func instance(_ id: String, for call: DASCall) throws(DASError) -> DASInstance {
        guard id.utf8.count <= 128, call.account.maySee(instance: id),
            let instance = instances[InstanceID(rawValue: id)]
        else { throw .invalidParameters(.unknownInstance) }
        return instance
    }
}

extension DASInstance {
    /// The server that a request names: the instance's own address without a node.
    func server(_ node: String?) throws(DASError) -> Instance {
        guard let node else { return instance }
        guard let found = nodes.first(where: { $0.node?.rawValue.isSame(as: node) == true }) else {
            throw .invalidParameters(.unknownNode)
        }
        return found
    }

    /// The servers on which all sessions are to end: every node, if the request
    /// names none.
    func allServers(_ node: String?) throws(DASError) -> [Instance] {
        guard node == nil, !nodes.isEmpty else { return [try server(node)] }
        return nodes
    }
}
