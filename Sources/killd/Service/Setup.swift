import Accounts
import DBbrainAPI
import HTTPServer
import MySQLSessions
import RequestDispatch
import RequestSigning
import ServedAPIs
import SessionKill
import Synchronization

/// The part of killd that a reload replaces, as one reading of the configuration makes it.
///
/// A request keeps the setup that it began with until it is answered, and that
/// keeps the servers of its instances. So the connections to a server that the
/// next setup lacks close when the last request that might use them is done.
struct Setup: Sendable {
    let configuration: Configuration
    let apis: APIs
    /// In the order of the configuration, each followed by its nodes
    /// (`pc-1/pi-1`). Several may be on one server.
    let instances: [(id: String, server: ProbedServer)]

    /// - Parameters:
    ///   - before: servers that are configured as they were there are taken over,
    ///     with their connections.
    ///   - now: Unix time in seconds.
    /// - Throws: ``ConfigurationError``.
    init(
        _ configuration: Configuration, _ lasting: LastingParts, replacing before: Setup?,
        now: @escaping @Sendable () -> Int64, records: APIs.Records
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
        var served: [ServedInstance] = []
        for configured in configuration.instances {
            func instance(_ node: NodeID?, on server: MySQLServerConfiguration) -> Instance {
                let probed = probed(server)
                instances.append((configured.id + (node.map { "/" + $0.rawValue } ?? ""), probed))
                return Instance(
                    id: InstanceID(rawValue: configured.id), node: node, server: probed.server,
                    protectedUsers: configured.protectedUsers, hidesStatements: configured.statements == .hidden,
                    approvals: configured.approvals)
            }
            let managed = ManagedInstance(
                instance: instance(nil, on: configured.server), product: configured.product,
                region: configured.region, name: configured.name, address: configured.server.address.hostAndPort)
            served.append(
                ServedInstance(
                    managed: managed,
                    nodes: configured.nodes.map { instance(NodeID(rawValue: $0.id), on: $0.server) }))
        }
        self.instances = instances

        let apis = APIs(
            accounts: configuration.accounts, instances: served, over: lasting,
            settings: .init(
                engine: KillEngine.Settings(configuration), requestsPerSecond: configuration.requestsPerSecond,
                maximumThreads: configuration.maximumThreads,
                signedHosts: ServerNames(configuration.signedHosts, ports: configuration.listen.signedPorts),
                signedHostsOfDAS: ServerNames(
                    configuration.signedHosts, ports: configuration.dasListen?.signedPorts ?? []),
                messages: configuration.messages),
            clock: .init(now: now, monotonic: { ContinuousClock.now }), records: records)
        guard let apis else {
            throw ConfigurationError("requestsPerSecond", "expected a whole number from 1 to 1000000")
        }
        self.apis = apis
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
