import ActionDispatch
import DBbrainAPI
import FoundationEssentials
import HTTPServer
import MySQLSessions
import RateLimiting
import SQLiteStore
import SessionKill
import TencentCloudErrors

/// killd's rooms, wired together by a configuration.
final class Service: Sendable {
    private let http: HTTPServer
    private let store: SQLiteStore
    private let tasks: KillTaskRunner
    private let servers: [(id: String, server: MySQLServer)]
    private let retention: Int
    private let log: Log

    /// Opens the store and binds the address; nobody is answered yet.
    ///
    /// - Throws: `StoreError` or `ListenError`.
    init(_ configuration: Configuration, log: Log) async throws {
        self.log = log
        retention = configuration.planRetention
        store = try await SQLiteStore.open(path: configuration.store, at: Self.now())

        let clock = KillEngine.Clock(now: Self.now, sleep: { try await Task.sleep(for: $0) })
        let engine = KillEngine(
            store: store,
            settings: .init(
                planLifetime: configuration.planLifetime, killWait: .seconds(configuration.killWait),
                maximumStatementBytes: configuration.maximumStatementBytes),
            clock: clock)
        var servers: [(id: String, server: MySQLServer)] = []
        var instances: [ManagedInstance] = []
        // Instances on one server share its connections, so that none takes the other's for a stranger's.
        var known: [MySQLServerConfiguration: MySQLServer] = [:]
        for instance in configuration.instances {
            let server = known[instance.server] ?? MySQLServer(instance.server)
            known[instance.server] = server
            servers.append((instance.id, server))
            instances.append(
                ManagedInstance(
                    instance: Instance(
                        id: InstanceID(rawValue: instance.id), server: server,
                        protectedUsers: instance.protectedUsers, hidesStatements: instance.statements == .hidden),
                    product: instance.product, region: instance.region))
        }
        self.servers = servers
        tasks = KillTaskRunner(engine: engine, store: store, clock: clock, report: { log.task($0) })
        try await tasks.load(instances.map(\.instance)) { $0.obstacle(among: configuration.accounts) }

        guard let limiter = RateLimiter<Dispatcher.RateKey>(limit: configuration.requestsPerSecond) else {
            throw ConfigurationError("requestsPerSecond", "expected a whole number from 1 to 1000000")
        }
        let dispatcher = Dispatcher(
            actions: DBbrain(
                engine: engine, tasks: tasks, instances: instances, maximumThreads: configuration.maximumThreads
            ).actions,
            accounts: configuration.accounts, limiter: limiter,
            settings: .init(
                signedHosts: configuration.signedHosts, regions: Set(configuration.instances.map(\.region))),
            clock: .init(now: { Self.now().milliseconds / 1_000 }, monotonic: { ContinuousClock.now }),
            record: { log.request($0) })
        http = try HTTPServer(
            listen: configuration.listen, handler: { dispatcher.answer($0) }, observer: { log.event($0) })
    }

    /// Where clients reach the server.
    var endpoint: String { "http://\(http.boundAddress)" }

    func start() throws {
        try http.start()
        Task { [tasks] in await tasks.start() }
        for (id, server) in servers {
            Task { [log] in await Self.meet(server, id, log) }
        }
        Task { [weak self] in
            while let self {
                await self.purge()
                try await Task.sleep(for: .seconds(3_600))
            }
        }
    }

    /// Finishes what is in flight, for at most `duration`, and closes the store.
    func stop(within duration: Duration) async {
        async let end: Void = tasks.stop(within: duration)
        await http.drain(within: duration)
        await end
        for (_, server) in servers { await server.close() }
        do {
            try await store.close()
        } catch {
            log.error("closing the store failed", [("cause", error.description)])
        }
    }

    private static func now() -> UnixTime {
        UnixTime(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)))
    }

    /// Opens the connection that is kept for the day the server is full, and
    /// says early what would make a Commit fail.
    private static func meet(_ server: MySQLServer, _ id: String, _ log: Log) async {
        do {
            try await server.start()
        } catch {
            // It is tried again with every use; the check below says what is wrong.
        }
        for finding in await server.check() where finding.severity != .information {
            log.warning("an instance needs attention", [("instance", id), ("finding", finding.description)])
        }
    }

    private func purge() async {
        let time = Self.now().advanced(bySeconds: -retention * 86_400)
        do {
            let count = try await store.purge(endedOrExpiredBefore: time)
            if count > 0 { log.info("old plans deleted", [("count", String(count))]) }
        } catch {
            log.error("deleting old plans failed", [("cause", error.description)])
        }
    }
}

extension Log {
    fileprivate func request(_ request: AnsweredRequest) {
        let fields: [(key: String, value: String)] = [
            ("requestId", request.requestID), ("action", request.action ?? ""), ("account", request.account ?? ""),
            ("client", request.remoteAddress), ("code", request.code?.rawValue ?? "OK"),
            ("milliseconds", String(request.duration.milliseconds)),
        ]
        if let cause = request.cause {
            error("request failed", fields + [("cause", "\(cause)")])
        } else {
            info("request", fields)
        }
    }

    fileprivate func event(_ event: HTTPServerEvent) {
        switch event {
        case .refused(let error, let address):
            info("HTTP request refused", [("client", address), ("reason", "\(error)")])
        case .acceptingPaused(let reason): warning("accepting connections paused", [("reason", reason)])
        case .failed(let reason): error("HTTP server failed", [("reason", reason)])
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }
}
