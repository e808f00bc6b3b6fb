import RequestSigning
import DedicatedThread
import HTTPServer
import SQLiteStore
import ScriptedServers
import Synchronization

/// A killd over scripted servers, for tests of its clients: the listeners of both APIs, the worlds behind them, and
/// the listener by which tests have a say.
public final class StandInServer: Sendable {
    public let worlds: Worlds
    private let stores: MemoryStores
    private let dbbrain: HTTPServer
    private let das: HTTPServer
    private let control: HTTPServer

    public struct Settings: Sendable {
        /// What each world begins with.
        public var seed: Seed
        public var loose: Set<LooseCheck>
        public var listen: ListenAddress
        public var dasListen: ListenAddress
        /// Of the control listener, which is on the loopback interface whatever the others are on.
        public var controlPort: UInt16
        /// Of the program.
        public var version: String

        public init(
            seed: Seed, loose: Set<LooseCheck> = [], listen: ListenAddress, dasListen: ListenAddress,
            controlPort: UInt16 = 0, version: String
        ) {
            self.controlPort = controlPort
            self.version = version
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
        let places = Places()
        func listening(_ address: ListenAddress, _ api: CloudAPI) throws(ListenError) -> HTTPServer {
            try HTTPServer(
                listen: address, limits: limits,
                handler: { request in
                    ControlPages.rejectElsewhere(request, control: places.control).map { .immediate($0) }
                        ?? reception.answer(request, at: api)
                },
                allowance: { reception.allowance(of: $0, at: api) },
                rejection: { Reception.refusal(of: $0, head: $1, at: api) })
        }
        dbbrain = try listening(settings.listen, .dbbrain)
        das = try listening(settings.dasListen, .das)
        let pages = ControlPages(
            worlds, version: settings.version,
            elsewhere: "DBbrain is answered at http://\(dbbrain.boundAddress), DAS at http://\(das.boundAddress)")
        control = try HTTPServer(
            listen: ListenAddress(host: "127.0.0.1", port: settings.controlPort), limits: ControlPages.limits,
            handler: pages.answer)
        places.control = "http://\(control.boundAddress)"
        self.worlds = worlds
        self.stores = stores
    }

    public var endpoint: String { "http://\(dbbrain.boundAddress)" }
    public var dasEndpoint: String { "http://\(das.boundAddress)" }
    public var controlEndpoint: String { "http://\(control.boundAddress)" }

    /// Begins to answer.
    public func start() throws(ThreadCreationError) {
        try dbbrain.start()
        try das.start()
        try control.start()
        // What the first world is a copy of takes longer than all else: it is made while nobody waits for it.
        Task { [stores] in try await stores.prepare(at: WorldClock().now) }
    }
}

/// The addresses that one listener tells of another, known once all are bound.
private final class Places: Sendable {
    private let text = Mutex("")

    var control: String {
        get { text.withLock { $0 } }
        set { text.withLock { $0 = newValue } }
    }
}
