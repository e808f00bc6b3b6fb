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

extension DAS {
    /// The instance that a request names, if its account may see it.
    ///
    /// One that is not configured and one that is not allowed are rejected
    /// alike, so that nobody learns which ids exist.
    func instance(_ id: String, for call: DASCall) throws(DASError) -> DASInstance {
        guard id.canBeName, call.account.maySee(instance: id),
            let instance = instances[InstanceID(rawValue: id)]
        else { throw .invalidParameters(.unknownInstance) }
        return instance
    }
}

extension DASCall {
    /// Who calls, as tasks name them.
    var accountName: AccountName { AccountName(rawValue: account.name) }
}
