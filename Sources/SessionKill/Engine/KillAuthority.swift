/// Who may have sessions ended where, by the configuration of now.
///
/// What waits, in a queue or for a connection, may outlive the configuration
/// that it began with.
public struct KillAuthority: Sendable {
    /// As what a plan is carried out.
    public enum Purpose: Hashable, Sendable {
        /// Somebody commits a plan.
        case commit
        case killTask
        case sessionTask
    }

    public struct Request: Hashable, Sendable {
        /// Who asked.
        public let account: AccountName
        public let purpose: Purpose
        public let target: SessionTaskTarget
    }

    private let decide: @Sendable (Request) -> Result<Instance, KillObstacle>

    /// - Parameter decide: the instance as it is configured now, or why nobody may
    ///   be killed there.
    public init(_ decide: @escaping @Sendable (Request) -> Result<Instance, KillObstacle>) { self.decide = decide }

    func instance(for request: Request) throws(KillObstacle) -> Instance { try decide(request).get() }
}

/// Why the configuration of now does not let a KILL be sent.
public enum KillObstacle: Error, Hashable, Sendable, CaseIterable {
    case instanceNotConfigured
    /// Its address or the account of killd is another one.
    case anotherServer
    case accountNotConfigured
    case notPermitted
}

extension KillObstacle: CustomStringConvertible {
    /// The reason in a sentence.
    public var description: String {
        switch self {
        case .instanceNotConfigured: "the instance is not configured any more"
        case .anotherServer: "the server of the instance is configured in another way now"
        case .accountNotConfigured: "the account that asked for it is not configured any more"
        case .notPermitted: "the account that asked for it may not do so on the instance any more"
        }
    }
}
