import ActionDispatch
import DASAPI
import DBbrainAPI
import MySQLSessions
import RateLimiting
import SessionKill
import Synchronization

/// What one reading of the configuration makes of killd: all that a reload replaces.
///
/// A request keeps the setup that it began with until it is answered, and that
/// keeps the servers of its instances. So the connections to a server that the
/// next setup lacks close when the last request that might use them is done.
struct Setup: Sendable {
    let configuration: Configuration
    let dispatcher: Dispatcher
    /// `nil` where the configuration has no `das`.
    let dasDispatcher: DASDispatcher?
    /// Of all setups that killd has had: no request is taken twice.
    let nonces: SeenNonces
    /// In the order of the configuration. Several may be on one server.
    let instances: [(id: String, server: ProbedServer)]
    /// The same, as the engine knows them.
    let managedInstances: [Instance]

    /// - Parameters:
    ///   - engine: with any settings.
    ///   - before: servers that are configured as they were there are taken over,
    ///     with their connections.
    ///   - nonces: those of `before`.
    ///   - now: Unix time in seconds.
    /// - Throws: ``ConfigurationError``.
    init(
        _ configuration: Configuration, engine: KillEngine, tasks: KillTaskRunner, replacing before: Setup?,
        nonces: SeenNonces, now: @escaping @Sendable () -> Int64,
        record: @escaping @Sendable (AnsweredRequest) -> Void,
        recordDAS: @escaping @Sendable (AnsweredDASRequest) -> Void
    ) throws(ConfigurationError) {
        self.configuration = configuration
        // Instances on one server share its connections, so that none takes the other's for a stranger's.
        var known: [MySQLServerConfiguration: ProbedServer] = [:]
        for (_, probed) in before?.instances ?? [] { known[probed.server.configuration] = probed }
        var instances: [(id: String, server: ProbedServer)] = []
        var managed: [ManagedInstance] = []
        for instance in configuration.instances {
            let probed = known[instance.server] ?? ProbedServer(MySQLServer(instance.server))
            known[instance.server] = probed
            instances.append((instance.id, probed))
            managed.append(
                ManagedInstance(
                    instance: Instance(
                        id: InstanceID(rawValue: instance.id), server: probed.server,
                        protectedUsers: instance.protectedUsers, hidesStatements: instance.statements == .hidden),
                    product: instance.product, region: instance.region, name: instance.name,
                    address: instance.server.address.hostAndPort))
        }
        self.instances = instances
        managedInstances = managed.map(\.instance)

        guard let limiter = RateLimiter<Dispatcher.RateKey>(limit: configuration.requestsPerSecond) else {
            throw ConfigurationError("requestsPerSecond", "expected a whole number from 1 to 1000000")
        }
        dispatcher = Dispatcher(
            actions: DBbrain(
                engine: engine.with(KillEngine.Settings(configuration)), tasks: tasks, instances: managed,
                maximumThreads: configuration.maximumThreads
            ).actions,
            accounts: configuration.accounts, limiter: limiter,
            settings: .init(
                signedHosts: configuration.signedHosts, regions: Set(configuration.instances.map(\.region)),
                messages: configuration.messages),
            clock: .init(now: now, monotonic: { ContinuousClock.now }), record: record)
        self.nonces = nonces
        dasDispatcher = try configuration.dasListen.map { _ throws(ConfigurationError) in
            guard let limiter = RateLimiter<DASDispatcher.RateKey>(limit: configuration.requestsPerSecond) else {
                throw ConfigurationError("requestsPerSecond", "expected a whole number from 1 to 1000000")
            }
            return DASDispatcher(
                actions: [], accounts: configuration.accounts, limiter: limiter, nonces: nonces,
                clock: .init(now: now, monotonic: { ContinuousClock.now }), record: recordDAS)
        }
    }

    /// The servers that `before` does not have, each once.
    func servers(notIn before: Setup?) -> [(id: String, server: MySQLServer)] {
        var known = Set((before?.instances ?? []).map { ObjectIdentifier($0.server.server) })
        return instances.filter { known.insert(ObjectIdentifier($0.server.server)).inserted }
            .map { ($0.id, $0.server.server) }
    }
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

extension KillEngine.Settings {
    init(_ configuration: Configuration) {
        self.init(
            planLifetime: configuration.planLifetime, killWait: .seconds(configuration.killWait),
            maximumStatementBytes: configuration.maximumStatementBytes)
    }
}
