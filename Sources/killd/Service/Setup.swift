import Accounts
import ActionDispatch
import DASAPI
import DBbrainAPI
import HTTPServer
import MySQLSessions
import RateLimiting
import RequestDispatch
import RequestSigning
import SessionKill
import Synchronization
import Text

/// The part of killd that a reload replaces, as one reading of the configuration makes it.
///
/// A request keeps the setup that it began with until it is answered, and that
/// keeps the servers of its instances. So the connections to a server that the
/// next setup lacks close when the last request that might use them is done.
struct Setup: Sendable {
    let configuration: Configuration
    let dispatcher: Dispatcher
    let dasDispatcher: DASDispatcher
    /// In the order of the configuration, each followed by its nodes
    /// (`pc-1/pi-1`). Several may be on one server.
    let instances: [(id: String, server: ProbedServer)]
    /// The instances at their own addresses, as the engine knows them.
    let managedInstances: [Instance]
    /// The same by target, and the nodes.
    let instancesByTarget: [SessionTaskTarget: Instance]

    /// - Parameters:
    ///   - before: servers that are configured as they were there are taken over,
    ///     with their connections.
    ///   - now: Unix time in seconds.
    /// - Throws: ``ConfigurationError``.
    init(
        _ configuration: Configuration, _ lasting: LastingParts, replacing before: Setup?,
        now: @escaping @Sendable () -> Int64, record: @escaping @Sendable (ExchangeRecord<ActionRejection>) -> Void,
        recordDAS: @escaping @Sendable (ExchangeRecord<DASError>) -> Void
    ) throws(ConfigurationError) {
        self.configuration = configuration
        // Instances on one server share its connections, so that none takes the other's for a stranger's.
        var known: [MySQLServerConfiguration: ProbedServer] = [:]
        for (_, probed) in before?.instances ?? [] { known[probed.server.configuration] = probed }
        func probed(_ server: MySQLServerConfiguration) -> ProbedServer {
            let probed = known[server] ?? ProbedServer(MySQLServer(server))
            known[server] = probed
            return probed
        }
        var instances: [(id: String, server: ProbedServer)] = []
        var managed: [ManagedInstance] = []
        var ofDAS: [DASInstance] = []
        var instancesByTarget: [SessionTaskTarget: Instance] = [:]
        for configured in configuration.instances {
            func instance(_ node: NodeID?, on server: MySQLServerConfiguration) -> Instance {
                let probed = probed(server)
                instances.append((configured.id + (node.map { "/" + $0.rawValue } ?? ""), probed))
                let instance = Instance(
                    id: InstanceID(rawValue: configured.id), node: node, server: probed.server,
                    protectedUsers: configured.protectedUsers, hidesStatements: configured.statements == .hidden,
                    approvals: configured.approvals)
                instancesByTarget[instance.target] = instance
                return instance
            }
            let primary = instance(nil, on: configured.server)
            managed.append(
                ManagedInstance(
                    instance: primary, product: configured.product, region: configured.region, name: configured.name,
                    address: configured.server.address.hostAndPort))
            ofDAS.append(
                DASInstance(
                    instance: primary,
                    nodes: configured.nodes.map { instance(NodeID(rawValue: $0.id), on: $0.server) },
                    needsApproval: configured.approvals.asks))
        }
        self.instances = instances
        self.instancesByTarget = instancesByTarget
        managedInstances = managed.map(\.instance)

        guard let limiter = RateLimiter<Dispatcher.RateKey>(limit: configuration.requestsPerSecond),
            let dasLimiter = RateLimiter<DASDispatcher.RateKey>(limit: configuration.requestsPerSecond)
        else { throw ConfigurationError("requestsPerSecond", "expected a whole number from 1 to 1000000") }
        dispatcher = Dispatcher(
            actions: DBbrain(
                engine: lasting.engine.with(KillEngine.Settings(configuration)), tasks: lasting.tasks,
                instances: managed, maximumThreads: configuration.maximumThreads
            ).actions,
            accounts: configuration.accounts, limiter: limiter, usedSignatures: lasting.usedSignatures,
            settings: .init(
                signedHosts: ServerNames(configuration.signedHosts, ports: configuration.listen.signedPorts),
                regions: Set(configuration.instances.map(\.region)),
                messages: configuration.messages, maximumThreads: configuration.maximumThreads),
            clock: .init(now: now, monotonic: { ContinuousClock.now }), record: record)
        dasDispatcher = DASDispatcher(
            actions: DAS(
                tasks: lasting.sessionTasks, listings: lasting.listings, instances: ofDAS,
                maximumThreads: configuration.maximumThreads
            ).actions,
            accounts: configuration.accounts, limiter: dasLimiter, nonces: lasting.nonces,
            clock: .init(now: now, monotonic: { ContinuousClock.now }), maximumThreads: configuration.maximumThreads,
            signedHosts: ServerNames(
                configuration.signedHosts, ports: configuration.dasListen?.signedPorts ?? []),
            record: recordDAS)
    }

    /// Who may have sessions ended where.
    var authority: KillAuthority {
        let accounts = Dictionary(
            configuration.accounts.map { (ExactText($0.name), $0) }, uniquingKeysWith: { first, _ in first })
        let decide: @Sendable (KillAuthority.Request) -> Result<Instance, KillObstacle> = {
            [instancesByTarget] request in
            guard let instance = instancesByTarget[request.target] else { return .failure(.instanceNotConfigured) }
            guard let account = accounts[ExactText(request.account.rawValue)] else {
                return .failure(.accountNotConfigured)
            }
            let mayKill =
                request.purpose.needs.isSubset(of: account.permissions)
                && account.maySee(instance: request.target.instance.rawValue)
            guard mayKill else { return .failure(.notPermitted) }
            // Only a plan that somebody has seen can be approved.
            return instance.approvals.asks && request.purpose != .commit
                ? .failure(.approvalsNeeded) : .success(instance)
        }
        return KillAuthority(decide, accounts: configuration.accounts.map(KillAuthority.AccountRights.init)) {
            approval, stored in
            let account = accounts[ExactText(approval.caller.account.rawValue)]
            return account.map { approval.isProven(by: $0, of: stored) } ?? false
        }
    }

    /// The servers that `before` does not have, each once.
    func servers(notIn before: Setup?) -> [(id: String, server: MySQLServer)] {
        var known = Set((before?.instances ?? []).map { ObjectIdentifier($0.server.server) })
        return instances.filter { known.insert(ObjectIdentifier($0.server.server)).inserted }
            .map { ($0.id, $0.server.server) }
    }
}

/// The part that outlives a reload, and so is handed from each setup to the next.
struct LastingParts: Sendable {
    /// With the settings of the first configuration.
    let engine: KillEngine
    let tasks: KillTaskRunner
    let sessionTasks: SessionTaskRunner
    let listings: SessionListings
    /// A reload must not let a request be taken twice.
    let nonces: SeenNonces
    let usedSignatures: UsedSignatures
}

/// A server, and what is known of whether it answers.
struct ProbedServer: Sendable {
    let server: MySQLServer
    let probe: Probe

    init(_ server: MySQLServer) {
        self.server = server
        probe = Probe { try await server.checkUsable() }
    }
}

/// The setup of now.
final class CurrentSetup: Sendable {
    private let current: Mutex<Setup>

    init(_ setup: Setup) { current = Mutex(setup) }

    var setup: Setup { current.withLock { $0 } }

    /// Between two requests.
    func replace(by setup: Setup) { current.withLock { $0 = setup } }
}

extension KillAuthority.AccountRights {
    fileprivate init(_ configured: Account) {
        self.init(
            account: AccountName(rawValue: configured.name), person: PersonName(rawValue: configured.person)
        ) { right, instance in
            switch right {
            case .prepare: configured.may(.prepare, on: instance.rawValue)
            case .approve: configured.may(.approve, on: instance.rawValue)
            case .commit: configured.may(.commit, on: instance.rawValue)
            case .breakGlass: configured.may(.breakGlass, on: instance.rawValue)
            }
        }
    }
}

extension KillAuthority.Purpose {
    /// What an account needs that has sessions ended in this way: what the actions ask for that begin it.
    fileprivate var needs: Set<Permission> {
        switch self {
        case .commit: [.commit]
        case .killTask: [.rule]
        case .sessionTask: [.prepare, .commit]
        }
    }
}

extension ListenAddress {
    /// What clients may have signed behind a name without a port: not 0, which stands for a free one.
    fileprivate var signedPorts: [UInt16] { port == 0 ? [] : [port] }
}

extension KillEngine.Settings {
    init(_ configuration: Configuration) {
        self.init(
            planLifetime: configuration.planLifetime, killWait: .seconds(configuration.killWait),
            maximumStatementBytes: configuration.maximumStatementBytes)
    }
}
