import StandInKeys
import Accounts
import DBbrainAPI
import HTTPServer
import RequestSigning
import SQLiteStore
import ScriptedServers
import ServedAPIs
import SessionKill

/// A killd of its own over scripted servers: with accounts, plans, clock, limits and faults that no other has.
///
/// A world is never changed into another: a reset makes a new one in its place, and the requests that the old one is
/// answering it answers to their end.
public final class World: Sendable {
    public let name: WorldName
    /// What it was made of.
    public let seed: Seed
    public let clock: WorldClock
    public let store: SQLiteStore
    /// By instance, or `INSTANCE/NODE`.
    public let servers: [String: ScriptedServer]
    public let faults: Faults
    public let requests: RequestLog
    public let apis: APIs
    private let lasting: LastingParts
    private let retention: Task<Void, any Error>

    /// What a world begins as.
    public struct Beginning: Sendable {
        public var seed: Seed
        /// Of an earlier world, by instance, or `INSTANCE/NODE`; what is missing begins as the seed says.
        public var servers: [String: ScriptedServerState]
        /// ``SQLiteStore/serialized()`` of an earlier world; nil for a store with nothing in it.
        public var store: [UInt8]?
        /// What its clock is set to; nil for the machine's time.
        public var time: UnixTime?
        /// Whether its clock stands there.
        public var isStopped: Bool

        public init(
            _ seed: Seed, servers: [String: ScriptedServerState] = [:], store: [UInt8]? = nil, time: UnixTime? = nil,
            isStopped: Bool = false
        ) {
            self.isStopped = isStopped
            self.seed = seed
            self.servers = servers
            self.store = store
            self.time = time
        }
    }

    /// - Parameters:
    ///   - loose: what is not checked.
    ///   - stores: where its store is.
    /// - Throws: `StoreError`, or ``WorldClockError`` for a beginning at a time that no world has.
    init(
        _ name: WorldName, from beginning: Beginning, loose: Set<LooseCheck>, in stores: MemoryStores
    ) async throws {
        let clock = WorldClock()
        if beginning.isStopped { clock.stop() }
        if let time = beginning.time { try clock.set(to: time) }
        let store =
            if let backup = beginning.store {
                try await stores.open(backup, at: clock.now)
            } else {
                try await stores.open(at: clock.now)
            }
        // As in killd: whoever sets the clock back gives no plan more time.
        let time = ProcessClock(
            wall: { clock.now }, monotonic: { clock.elapsed }, floor: try await store.newestTime())
        let engineClock = KillEngine.Clock(now: time.now, sleep: { try await clock.sleep(for: $0) })
        let lasting = LastingParts(
            plans: store, tasks: store, settings: .usual, clock: engineClock, start: .none, reports: .none
        )
        let faults = Faults(
            actions: [.dbbrain: lasting.dbbrainActions, .das: lasting.dasActions],
            sleep: { try await clock.sleep(for: $0) })

        var servers: [String: ScriptedServer] = [:]
        var instances: [ServedInstance] = []
        for seed in beginning.seed.instances {
            func instance(_ node: Seed.Node?) -> Instance {
                let place = seed.id + (node.map { "/\($0.id)" } ?? "")
                let server =
                    beginning.servers[place].map { ScriptedServer($0, clock: engineClock) }
                    ?? ScriptedServer(node?.server ?? seed.server, name: place, clock: engineClock)
                servers[place] = server
                return Instance(
                    id: InstanceID(rawValue: seed.id), node: node.map { NodeID(rawValue: $0.id) }, server: server,
                    protectedUsers: seed.protectedUsers, hidesStatements: seed.hidesStatements,
                    approvals: seed.approvals,
                    clock: .init(now: { clock.monotonic }, sleep: { try await clock.sleep(for: $0) }))
            }
            let managed = ManagedInstance(
                instance: instance(nil), product: Product(rawValue: seed.product.rawValue) ?? .mysql,
                region: seed.region, name: seed.name,
                address: (seed.server.hostname, UInt16(clamping: seed.server.port)))
            instances.append(ServedInstance(managed: managed, nodes: seed.nodes.map { instance($0) }))
        }

        var settings = APIs.Settings(engine: .usual, signatureChecks: SignatureChecks(without: loose))
        if loose.contains(.rateLimit) { settings.requestsPerSecond = World.unlimitedRate }
        let apis = APIs(
            accounts: Account.all(of: name, beginning.seed), instances: instances, over: lasting,
            settings: settings, clock: clock.ofRequests,
            interceptors: .init(ofDBbrain: faults.interceptor, ofDAS: faults.dasInterceptor),
            records: .init(ofDBbrain: { RequestLog.note($0) }, ofDAS: { RequestLog.note($0) }))
        guard let apis else { throw WorldError.notMade(name, cause: "its rate limit is none") }
        lasting.engine.replace(apis.authority)
        try await lasting.sessionTasks.load()
        try await lasting.tasks.load(apis.managedInstances, obstacle: apis.obstacle)
        await lasting.tasks.start()
        let targets = apis.instancesByTarget
        await lasting.sessionTasks.start { targets[$0] }

        self.name = name
        seed = beginning.seed
        self.clock = clock
        self.store = store
        self.servers = servers
        self.faults = faults
        requests = RequestLog(now: { clock.now })
        self.apis = apis
        self.lasting = lasting
        retention = Task {
            while true {
                try await clock.sleep(for: .seconds(3_600))
                // What fails is tried again.
                try? await World.purge(store, at: clock.now)
            }
        }
    }

    private static let unlimitedRate = 1_000_000
    private static let planRetention = 90

    private static func purge(_ store: SQLiteStore, at now: UnixTime) async throws(StoreError) {
        try await store.purge(endedOrExpiredBefore: now.advanced(bySeconds: -planRetention * 86_400), at: now)
        try await store.purgeSessionTasks(endedBefore: now.advanced(bySeconds: -SessionTask.retention), at: now)
    }

    func answer(_ request: HTTPRequest, at api: CloudAPI) -> PendingResponse {
        requests.observing(request, at: api) { request in
            switch api {
            case .dbbrain: apis.answer(request)
            case .das: apis.answerDAS(request)
            }
        }
    }

    /// Ends what goes on by itself. What is being answered is answered to its end: nobody waits for a clock that stands
    /// still.
    func end() {
        retention.cancel()
        lasting.engine.endWaiting()
        clock.resume()
        Task { [lasting] in
            await lasting.tasks.stop(within: .zero)
            await lasting.sessionTasks.stop(within: .zero)
        }
    }

    deinit { retention.cancel() }
}

extension Account {
    /// Those of a world.
    fileprivate static func all(of world: WorldName, _ seed: Seed) -> [Account] {
        seed.accounts.enumerated().map { index, account in
            Account(
                name: account.name, person: account.person, uin: String(100_000_000_001 + index),
                secretID: StandInKey(world: world, account: account.name).id, secretKey: Secret(StandInKey.secretKey),
                token: account.token.map { Secret($0) }, permissions: account.permissions,
                instances: [InstancePattern("*")].compactMap(\.self))
        }
    }
}
