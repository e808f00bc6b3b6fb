import SessionKill
import Text

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
