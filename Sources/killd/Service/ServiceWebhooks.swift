import HTTPServer
import SQLiteStore
import SessionKill
import Synchronization
import Webhooks

/// The webhooks of a service. A store that cannot be written delays them, and nothing else.
final class ServiceWebhooks: Sendable {
    private let webhooks: Webhooks
    private let listeners: Listeners
    /// What the store could not be told yet.
    private let pending = Mutex<WebhookConfiguration?>(nil)
    private let store: SQLiteStore
    private let log: Log

    /// Where killd listens, known only once it does.
    private final class Listeners: Sendable {
        let addresses = Mutex<[ListenAddress]>([])
    }

    init(
        _ store: SQLiteStore, now: @escaping @Sendable () -> UnixTime, wallTime: @escaping @Sendable () -> UnixTime,
        log: Log
    ) async throws(StoreError) {
        let listeners = Listeners()
        self.listeners = listeners
        webhooks = Webhooks(
            from: WebhookSources(
                name: try await store.auditName(), outbox: store,
                plan: { name throws(StoreError) in try await store.plan(named: name) }, now: now, wallTime: wallTime),
            listeners: { listeners.addresses.withLock { $0 } }, report: { log.webhook($0) })
        self.store = store
        self.log = log
    }

    /// Delivers by this configuration from now on.
    ///
    /// - Parameter listening: where killd itself listens; nil where that has not changed.
    func replace(_ configuration: WebhookConfiguration, listening: [ListenAddress]? = nil) async {
        if let listening { listeners.addresses.withLock { $0 = listening } }
        do {
            try await webhooks.replace(configuration.targets, publicURL: configuration.publicURL)
            pending.withLock { $0 = nil }
        } catch {
            pending.withLock { $0 = configuration }
            log.error("webhooks cannot be set up; it is tried again", [("cause", "\(error)")])
        }
    }

    /// Does what could not be done before, and finds out which plans have expired meanwhile, if anybody is to be told.
    ///
    /// - Returns: how many have.
    func keepUp(at time: UnixTime) async -> Int {
        if let configuration = pending.withLock({ $0 }) { await replace(configuration) }
        guard !webhooks.isEmpty else { return 0 }
        do {
            let expired = try await store.noteExpired(at: time)
            if expired > 0 { webhooks.wake() }
            return expired
        } catch {
            // It is tried again; that the store fails is told by whoever needs it.
            return 0
        }
    }

    /// There may be something new to tell.
    func wake() { webhooks.wake() }

    func standings() async -> [WebhookStanding] { await webhooks.standings() }

    func stop(within duration: Duration) async { await webhooks.stop(within: duration) }
}
