import ActionDispatch
import AuditTrail
import FoundationEssentials
import HTTPServer
import MySQLSessions
import SQLiteStore
import ServedAPIs
import SessionKill
import TLS
import Text

/// killd's modules, wired together by a configuration.
final class Service: Sendable {
    private let http: HTTPServer
    private let das: HTTPServer?
    private let operations: HTTPServer?
    private let isSecure: Bool
    private let store: SQLiteStore
    private let lasting: LastingParts
    private let current: CurrentSetup
    private let readiness: Readiness
    private let metrics: ServiceMetrics
    private let heads: HeadsFile?
    private let webhooks: ServiceWebhooks
    private let now: @Sendable () -> UnixTime
    private let log: Log

    /// Opens the store and binds the addresses; nobody is answered yet.
    ///
    /// - Parameter acceptsRollback: whether it goes on with a store that is older than the file of `auditHeads`.
    /// - Throws: `StoreError`, or ``ConfigurationError`` for an address where it
    ///   cannot listen.
    init(_ configuration: Configuration, acceptsRollback: Bool = false, log: Log) async throws {
        self.log = log
        log.level = configuration.logLevel
        let heads = try configuration.auditHeads.map { path throws(ConfigurationError) in
            try HeadsFile(path, log: log)
        }
        try heads?.start()
        let store = try await SQLiteStore.open(
            path: configuration.store, at: Self.wallTime(), knowing: heads?.last, acceptsRollback: acceptsRollback
        ) { entries, store in
            for entry in entries { log.audit(entry) }
            guard let heads, let last = entries.last else { return }
            heads.take(
                KnownHead(
                    sequence: last.sequence, hash: last.hash, store: store,
                    place: KnownHead.Place(file: heads.path, line: 0)))
        }
        self.heads = heads
        let metrics = ServiceMetrics()
        let time = try await Self.processClock(notBehind: store, log)
        let clock = KillEngine.Clock(now: time.now, sleep: { try await Task.sleep(for: $0) })
        let webhooks = try await ServiceWebhooks(store, now: time.now, wallTime: Self.wallTime, log: log)
        let lasting = LastingParts(
            plans: ObservedStore(
                store: store, metrics: metrics, changed: { webhooks.wake() },
                requireWitness: { () throws(StoreError) in try heads?.requireWritable() }),
            tasks: store, settings: KillEngine.Settings(configuration), clock: clock,
            start: .init(
                ofRequests: time.now().milliseconds / 1_000, ofDecisions: Self.wallTime().milliseconds / 1_000),
            reports: .init(
                ofTasks: { log.task($0) }, ofSessionTasks: { log.sessionTask($0) },
                ofListings: { place, error in log.listingFailed(at: place, error) }))
        let setup = try Self.setUp(configuration, lasting, replacing: nil, metrics: metrics, log: log)
        do throws(StoreError) {
            try await store.append(
                .configured(AuditedConfiguration(configuration, at: .start)), at: Self.wallTime())
        } catch {
            // As long as nothing can be stored nobody is killed either.
            log.error("the audit does not tell of this configuration", [("cause", error.description)])
        }
        lasting.engine.replace(setup.apis.authority)
        try await lasting.sessionTasks.load()
        try await lasting.tasks.load(setup.apis.managedInstances, obstacle: setup.apis.obstacle)
        let current = CurrentSetup(setup)
        let readiness = Readiness(
            store: Probe {
                try heads?.requireWritable()
                try await store.checkWritable()
            },
            instances: { current.setup.instances.map { ($0.id, $0.server.probe) } },
            webhooks: { await webhooks.standings() })

        var limits = HTTPLimits()
        limits.keepAliveTimeout = .seconds(configuration.keepAlive)
        limits.allowsSlashBehindHost = true
        let memory = Self.memory(of: configuration, limits)
        http = try Self.listening(as: "listen") { () throws(ListenError) in
            try HTTPServer(
                listen: configuration.listen, limits: limits, memory: memory, tls: configuration.tls,
                trustedProxies: configuration.trustedProxies,
                handler: { metrics.observing(current.setup.apis.answer($0)) },
                allowance: { current.setup.apis.allowance(of: $0) },
                rejection: { current.setup.apis.refusal(of: $0, head: $1) },
                observer: { event in
                    metrics.count(event, of: .api)
                    if case .failed(let reason) = event { readiness.noteFailure(reason) }
                    log.event(event, of: .api)
                })
        }
        das = try configuration.dasListen.map { address in
            try Self.listening(as: "das.listen") { () throws(ListenError) in
                try HTTPServer(
                    listen: address, limits: limits, memory: memory, tls: configuration.tls,
                    trustedProxies: configuration.trustedProxies,
                    handler: { metrics.observing(current.setup.apis.answerDAS($0)) },
                    allowance: { current.setup.apis.allowanceDAS(of: $0) },
                    rejection: { error, _ in APIs.refusalDAS(of: error) },
                    observer: { event in
                        metrics.count(event, of: .das)
                        if case .failed(let reason) = event { readiness.noteFailure(reason) }
                        log.event(event, of: .das)
                    })
            }
        }
        let pages = OperationsPages(readiness: readiness, metrics: metrics)
        operations = try configuration.operationsListen.map { address in
            try Self.listening(as: "operations.listen") { () throws(ListenError) in
                try HTTPServer(
                    listen: address, limits: OperationsPages.limits, memory: memory, handler: { pages.answer($0) },
                    observer: { event in
                        metrics.count(event, of: .operations)
                        log.event(event, of: .operations)
                    })
            }
        }
        self.lasting = lasting
        isSecure = configuration.tls != nil
        Self.warn(of: configuration, log)
        self.store = store
        self.webhooks = webhooks
        now = time.now
        self.metrics = metrics
        self.current = current
        self.readiness = readiness
    }

    /// Names the key that is to be changed if nobody can listen there.
    private static func listening(
        as key: String, _ bind: () throws(ListenError) -> HTTPServer
    ) throws(ConfigurationError) -> HTTPServer {
        do throws(ListenError) {
            return try bind()
        } catch {
            throw ConfigurationError(key, error.description)
        }
    }

    private var boundAddresses: [ListenAddress] { [http, das, operations].compactMap { $0?.boundAddress } }

    /// Where clients reach the server.
    var endpoint: String { "\(isSecure ? "https" : "http")://\(http.boundAddress)" }
    /// Where clients of Alibaba DAS reach it.
    var dasEndpoint: String? { das.map { "\(isSecure ? "https" : "http")://\($0.boundAddress)" } }
    /// Where probes and metrics are answered.
    var operationsEndpoint: String? { operations.map { "http://\($0.boundAddress)" } }

    private static func warn(of configuration: Configuration, _ log: Log) {
        for warning in configuration.tls?.warnings ?? [] {
            log.warning("the TLS certificate needs attention", [("finding", warning)])
        }
        for file in configuration.exposedFiles {
            log.warning("a file is not for its owner only", [("file", file.path), ("finding", file.finding)])
        }
        for finding in configuration.findings {
            log.warning("the configuration needs attention", [("key", finding.key), ("finding", finding.text)])
        }
    }

    func start() throws {
        try http.start()
        try das?.start()
        try operations?.start()
        Task { [lasting] in await lasting.tasks.start() }
        Task { [lasting, current] in
            let instances = current.setup.apis.instancesByTarget
            await lasting.sessionTasks.start { instances[$0] }
        }
        meet(current.setup.servers(notIn: nil))
        Task { [webhooks, current] in
            await webhooks.replace(current.setup.configuration.webhooks, listening: boundAddresses)
        }
        Task { [weak self] in
            while let self {
                await self.storeFindings()
                self.metrics.countExpired(await self.webhooks.keepUp(at: self.now()))
                try await Task.sleep(for: .seconds(5))
            }
        }
        Task { [weak self] in
            while let self {
                await self.purge()
                try await Task.sleep(for: .seconds(3_600))
            }
        }
    }

    /// Reads the configuration again and takes it over, wholly or not at all.
    ///
    /// What is being answered ends with what it began with, but for the KILLs:
    /// none is sent any more that the new configuration forbids, and those that
    /// were sent are answered when this returns, unless a server is silent.
    /// Commits in progress stay shared with those that come later. Rate limits
    /// count afresh.
    ///
    /// - Throws: ``ConfigurationError`` for the first thing that is wrong, or
    ///   that cannot change while killd runs; nothing has changed then.
    func reload(file: String) async throws(ConfigurationError) {
        do {
            let configuration = try Configuration(file: file)
            try await takeOver(configuration)
            metrics.countReload(done: true)
            // Told by the level of before or of now, or a change of the level could not be seen.
            if log.writes(.info) {
                log.info("configuration reloaded", [("file", file)])
                log.level = configuration.logLevel
            } else {
                log.level = configuration.logLevel
                log.info("configuration reloaded", [("file", file)])
            }
        } catch {
            metrics.countReload(done: false)
            log.error("configuration not reloaded; nothing was changed", [("cause", error.description)])
            throw error
        }
    }

    /// How long a reload waits for servers to answer KILLs that were sent before and that it forbids.
    private static let settlingTime = Duration.seconds(2)

    /// - Throws: as ``reload(file:)``.
    func takeOver(_ configuration: Configuration) async throws(ConfigurationError) {
        let before = current.setup
        try configuration.requireUnchangedPlaces(since: before.configuration)
        let next = try Self.setUp(configuration, lasting, replacing: before, metrics: metrics, log: log)
        do throws(StoreError) {
            // Who has to agree does not change without a trace.
            try await store.append(
                .configured(AuditedConfiguration(configuration, at: .reload)), at: Self.wallTime())
        } catch {
            throw ConfigurationError("the change cannot be recorded in the audit: \(error.description)")
        }
        // From here on nothing fails: the files of TLS were read with the configuration.
        if let tls = configuration.tls {
            http.replaceTLS(tls)
            das?.replaceTLS(tls)
        }
        Self.warn(of: configuration, log)
        lasting.engine.replace(next.apis.authority)
        current.replace(by: next)
        let engine = lasting.engine.with(KillEngine.Settings(configuration))
        await lasting.sessionTasks.replace(engine)
        await lasting.tasks.replace(engine, next.apis.managedInstances, obstacle: next.apis.obstacle)
        await webhooks.replace(configuration.webhooks)
        await lasting.engine.settle(within: Self.settlingTime)
        meet(next.servers(notIn: before))
    }

    /// Finishes what is in flight, for at most `duration`, and closes the store.
    func stop(within duration: Duration) async {
        readiness.beginDraining()
        lasting.engine.endWaiting()
        async let end: Void = lasting.tasks.stop(within: duration)
        async let dasEnd: Void? = das?.drain(within: duration)
        async let sessionTasksEnd: Void = lasting.sessionTasks.stop(within: duration)
        await http.drain(within: duration)
        _ = await dasEnd
        await end
        await sessionTasksEnd
        await storeFindings()
        // After all that there may be to tell; what is left waits in the store.
        await webhooks.stop(within: Self.settlingTime)
        for (_, probed) in current.setup.instances { await probed.server.close() }
        do {
            try await store.close()
        } catch {
            log.error("closing the store failed", [("cause", error.description)])
        }
        heads?.flush()
        // Last, so that whoever probes is told of the draining.
        await operations?.drain(within: .seconds(1))
    }

    private static func setUp(
        _ configuration: Configuration, _ lasting: LastingParts, replacing before: Setup?, metrics: ServiceMetrics,
        log: Log
    ) throws(ConfigurationError) -> Setup {
        try Setup(
            configuration, lasting, replacing: before, now: { Self.wallTime().milliseconds / 1_000 },
            records: .init(
                ofDBbrain: { request in
                    metrics.count(request)
                    log.request(request)
                },
                ofDAS: { request in
                    metrics.count(request)
                    log.request(request)
                }))
    }

    /// As the system tells it, and whoever may set it.
    private static func wallTime() -> UnixTime {
        UnixTime(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)))
    }

    /// The clock that all deadlines go by.
    private static func processClock(notBehind store: SQLiteStore, _ log: Log) async throws -> ProcessClock {
        let newest = try await store.newestTime()
        let wall = wallTime()
        if let newest, newest > wall.advanced(bySeconds: 60) {
            log.warning(
                "the clock is behind the newest time in the store; deadlines go by the latter",
                [("clock", text(of: wall)), ("newest", text(of: newest))])
        }
        let start = ContinuousClock.now
        return ProcessClock(wall: wallTime, monotonic: { start.duration(to: .now) }, floor: newest)
    }

    private static func text(of time: UnixTime) -> String {
        Date(timeIntervalSince1970: Double(time.milliseconds) / 1_000).formatted(.iso8601)
    }

    /// Opens the connections that are kept for the day a server is full, and
    /// says early what would make a Commit fail.
    private func meet(_ servers: [(id: String, server: MySQLServer)]) {
        for (id, server) in servers {
            Task { [log] in
                do {
                    try await server.start()
                } catch {
                    // It is tried again with every use; the check below says what is wrong.
                }
                for finding in await server.check() where finding.severity != .information {
                    log.warning("an instance needs attention", [("instance", id), ("finding", finding.description)])
                }
            }
        }
    }

    /// What Commits saw and could not store, as long as the disk is full.
    private func storeFindings() async {
        do {
            try await lasting.engine.storeFindings()
        } catch {
            // Whoever committed was told; it is tried again.
        }
    }

    /// One bound for the clients of all listeners.
    private static func memory(of configuration: Configuration, _ limits: HTTPLimits) -> HTTPMemory {
        HTTPMemory(
            bytes: configuration.requestMemory * 1_048_576,
            connections: limits.connections * (configuration.dasListen == nil ? 1 : 2)
                + (configuration.operationsListen == nil ? 0 : OperationsPages.limits.connections))
    }

    private func purge() async {
        let retention = current.setup.configuration.planRetention
        // By the wall clock, which is never ahead of the other: what is deleted cannot be had back.
        let now = Self.wallTime()
        do {
            let count = try await store.purge(
                endedOrExpiredBefore: now.advanced(bySeconds: -retention * 86_400), at: now)
            if count > 0 { log.info("old plans deleted", [("count", String(count))]) }
            try await store.purgeSessionTasks(endedBefore: now.advanced(bySeconds: -SessionTask.retention), at: now)
            if let days = current.setup.configuration.auditRetention {
                let dropped = try await store.dropPayloads(before: now.advanced(bySeconds: -days * 86_400), at: now)
                if dropped > 0 { log.info("old payloads of the audit dropped", [("count", String(dropped))]) }
            }
        } catch {
            log.error("deleting old plans failed", [("cause", error.description)])
        }
    }
}

extension Configuration {
    /// - Throws: if something that is bound, locked or dealt out for as long as killd
    ///   runs is another one than before.
    fileprivate func requireUnchangedPlaces(since before: Configuration) throws(ConfigurationError) {
        let places = [
            ("listen", before.listen.description, listen.description),
            ("das.listen", before.dasListen.place, dasListen.place),
            ("operations.listen", before.operationsListen.place, operationsListen.place),
            ("store", before.store, store), ("auditHeads", before.auditHeads ?? "none", auditHeads ?? "none"),
            ("tls", before.tls.place, tls.place),
            ("trustedProxies", before.trustedProxies.place, trustedProxies.place),
            ("requestMemoryMiB", String(before.requestMemory), String(requestMemory)),
            ("keepAliveSeconds", String(before.keepAlive), String(keepAlive)),
        ]
        for (key, old, new) in places where !old.isSame(as: new) {
            throw ConfigurationError(
                key, "cannot change while killd runs: it is \(old), the file says \(new); restart killd for that")
        }
    }
}

extension TrustedProxies? {
    fileprivate var place: String {
        map { "\($0.networks.map(\.description).joined(separator: ", ")) by \($0.way.rawValue)" } ?? "none"
    }
}

extension TLSServerContext? {
    fileprivate var place: String { self == nil ? "off" : "on" }
}

extension ListenAddress? {
    fileprivate var place: String { map(\.description) ?? "nowhere" }
}
