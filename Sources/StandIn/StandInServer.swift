import DedicatedThread
import HTTPServer
import SQLiteStore
import ScriptedServers

/// A killd over scripted servers, for tests of its clients: the listeners of both APIs, and the worlds behind them.
public final class StandInServer: Sendable {
    public let worlds: Worlds
    private let stores: MemoryStores
    private let dbbrain: HTTPServer
    private let das: HTTPServer

    public struct Settings: Sendable {
        /// What each world begins with.
        public var seed: Seed
        public var loose: Set<LooseCheck>
        public var listen: ListenAddress
        public var dasListen: ListenAddress

        public init(
            seed: Seed, loose: Set<LooseCheck> = [], listen: ListenAddress, dasListen: ListenAddress
        ) {
            self.seed = seed
            self.loose = loose
            self.listen = listen
            self.dasListen = dasListen
        }
    }

    /// Binds the addresses; nobody is answered yet.
    ///
    /// - Throws: `ListenError` or `ThreadCreationError`.
    public init(_ settings: Settings) throws {
        let stores = try MemoryStores()
        let worlds = Worlds { name, beginning in
            try await World(
                name, from: beginning ?? World.Beginning(settings.seed), loose: settings.loose, in: stores)
        }
        let reception = Reception(worlds)
        var limits = HTTPLimits()
        limits.allowsSlashBehindHost = true
        func listening(_ address: ListenAddress, _ api: API) throws(ListenError) -> HTTPServer {
            try HTTPServer(
                listen: address, limits: limits, handler: { reception.answer($0, at: api) },
                allowance: { reception.allowance(of: $0, at: api) },
                rejection: { Reception.refusal(of: $0, head: $1, at: api) })
        }
        dbbrain = try listening(settings.listen, .dbbrain)
        das = try listening(settings.dasListen, .das)
        self.worlds = worlds
        self.stores = stores
    }

    public var endpoint: String { "http://\(dbbrain.boundAddress)" }
    public var dasEndpoint: String { "http://\(das.boundAddress)" }

    /// Begins to answer.
    public func start() throws(ThreadCreationError) {
        try dbbrain.start()
        try das.start()
        // What the first world is a copy of takes longer than all else: it is made while nobody waits for it.
        Task { [stores] in try await stores.prepare(at: WorldClock().now) }
    }
}
