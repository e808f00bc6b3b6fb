import Accounts
import ActionDispatch
import DASAPI
import DBbrainAPI
import RateLimiting
import RequestDispatch
import RequestSigning
import SessionKill
import TencentCloudErrors
import Text

/// The two APIs over the same instances, for the same accounts.
public struct APIs: Sendable {
    public let dispatcher: Dispatcher
    public let dasDispatcher: DASDispatcher
    /// In the order in which they were handed over.
    public let instances: [ServedInstance]
    private let accounts: [Account]
    let messages: MessageOverrides

    public struct Settings: Sendable {
        public var engine: KillEngine.Settings
        /// Of each account, action and region.
        public var requestsPerSecond: Int
        /// Ids that one request may name.
        public var maximumThreads: Int
        /// Names that clients of DBbrain may have signed as `host`, beside the vendor's and the one that they sent.
        public var signedHosts: ServerNames
        /// The same of clients of DAS.
        public var signedHostsOfDAS: ServerNames
        /// What is said instead of texts of ours.
        public var messages: MessageOverrides
        public var signatureChecks: SignatureChecks

        public init(
            engine: KillEngine.Settings, requestsPerSecond: Int = 20, maximumThreads: Int = 1_000,
            signedHosts: ServerNames = .none, signedHostsOfDAS: ServerNames = .none,
            messages: MessageOverrides = .none, signatureChecks: SignatureChecks = .all
        ) {
            self.engine = engine
            self.requestsPerSecond = requestsPerSecond
            self.maximumThreads = maximumThreads
            self.signedHosts = signedHosts
            self.signedHostsOfDAS = signedHostsOfDAS
            self.messages = messages
            self.signatureChecks = signatureChecks
        }
    }

    /// Whom to tell of each request that was responded to.
    public struct Records: Sendable {
        public var ofDBbrain: @Sendable (ExchangeRecord<ActionRejection>) -> Void
        public var ofDAS: @Sendable (ExchangeRecord<DASError>) -> Void

        public init(
            ofDBbrain: @escaping @Sendable (ExchangeRecord<ActionRejection>) -> Void,
            ofDAS: @escaping @Sendable (ExchangeRecord<DASError>) -> Void
        ) {
            self.ofDBbrain = ofDBbrain
            self.ofDAS = ofDAS
        }
    }

    /// Who is asked once for each call that has passed all gates.
    public struct Interceptors: Sendable {
        public var ofDBbrain: Interceptor<any Error>?
        public var ofDAS: Interceptor<DASError>?

        public static let none = Interceptors(ofDBbrain: nil, ofDAS: nil)

        public init(ofDBbrain: Interceptor<any Error>?, ofDAS: Interceptor<DASError>?) {
            self.ofDBbrain = ofDBbrain
            self.ofDAS = ofDAS
        }
    }

    /// - Parameters:
    ///   - accounts: no two with the same name or `secretID`.
    ///   - instances: no two with the same id.
    ///   - clock: what signatures and rate limits go by.
    /// - Returns: `nil` if `requestsPerSecond` is no number from 1 to 1,000,000.
    public init?(
        accounts: [Account], instances: [ServedInstance], over lasting: LastingParts, settings: Settings,
        clock: RequestClock, interceptors: Interceptors = .none, records: Records
    ) {
        guard let limiter = RateLimiter<Dispatcher.RateKey>(limit: settings.requestsPerSecond),
            let dasLimiter = RateLimiter<DASDispatcher.RateKey>(limit: settings.requestsPerSecond)
        else { return nil }
        self.accounts = accounts
        self.instances = instances
        messages = settings.messages
        dispatcher = Dispatcher(
            actions: DBbrain(
                engine: lasting.engine.with(settings.engine), tasks: lasting.tasks,
                instances: instances.map(\.managed), maximumThreads: settings.maximumThreads
            ).actions,
            accounts: accounts, limiter: limiter, usedSignatures: lasting.usedSignatures,
            settings: .init(
                signedHosts: settings.signedHosts, regions: Set(instances.map(\.managed.region)),
                messages: settings.messages, maximumThreads: settings.maximumThreads,
                signatureChecks: settings.signatureChecks),
            clock: clock, interceptor: interceptors.ofDBbrain, record: records.ofDBbrain)
        dasDispatcher = DASDispatcher(
            actions: DAS(
                tasks: lasting.sessionTasks, listings: lasting.listings, instances: instances.map(\.ofDAS),
                maximumThreads: settings.maximumThreads
            ).actions,
            accounts: accounts, limiter: dasLimiter, nonces: lasting.nonces, clock: clock,
            maximumThreads: settings.maximumThreads, signedHosts: settings.signedHostsOfDAS,
            signatureChecks: settings.signatureChecks, interceptor: interceptors.ofDAS, record: records.ofDAS)
    }

    /// The instances at their own addresses, as the engine knows them.
    public var managedInstances: [Instance] { instances.map(\.managed.instance) }

    /// The same by target, and the nodes.
    public var instancesByTarget: [SessionTaskTarget: Instance] {
        Dictionary(
            instances.flatMap { [$0.managed.instance] + $0.nodes }.map { ($0.target, $0) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Who may have sessions ended where.
    public var authority: KillAuthority { KillAuthority(accounts: accounts, instances: instancesByTarget) }

    /// Why a kill task must not run, if so.
    ///
    /// It has nothing of the APIs: whoever runs tasks keeps it, and the APIs keep that.
    public var obstacle: @Sendable (KillTask) -> KillTaskObstacle? {
        let asking = Set(managedInstances.filter(\.approvals.asks).map(\.id))
        return { [accounts] task in
            task.obstacle(accounts: accounts, isAskedForApprovals: asking.contains(task.instance))
        }
    }
}

extension KillTask {
    /// Why it must not run, if so: what its account may can have changed since it was created, and so can who has to
    /// agree.
    public func obstacle(accounts: [Account], isAskedForApprovals: Bool) -> KillTaskObstacle? {
        guard let account = accounts.first(where: { $0.name.isSame(as: account.rawValue) }) else {
            return .accountNotConfigured
        }
        guard account.may(.rule, on: instance.rawValue) else { return .notPermitted }
        return isAskedForApprovals ? .approvalsNeeded : nil
    }
}

/// An instance as both APIs know it.
public struct ServedInstance: Sendable {
    public let managed: ManagedInstance
    /// The servers of a cluster, which clients of DAS name.
    public let nodes: [Instance]

    public init(managed: ManagedInstance, nodes: [Instance] = []) {
        self.managed = managed
        self.nodes = nodes
    }

    fileprivate var ofDAS: DASInstance {
        DASInstance(instance: managed.instance, nodes: nodes, needsApproval: managed.instance.approvals.asks)
    }
}
