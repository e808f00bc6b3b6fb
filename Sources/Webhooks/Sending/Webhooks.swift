public import HTTPServer
import SessionKill
import Synchronization

/// All targets, each with what delivers to it.
///
/// What is to be told lies in the store from the moment it happened, so neither a crash nor a stop loses any of it.
public final class Webhooks: Sendable {
    private struct Running: Sendable {
        let sender: WebhookSender
        /// Ends with the sender's run.
        let task: Task<Void, Never>
    }

    private let sources: WebhookSources
    private let limits: WebhookExchange.Limits
    private let listeners: @Sendable () -> [ListenAddress]
    private let report: @Sendable (WebhookEvent) -> Void
    private let running = Mutex<[Running]>([])

    /// - Parameters:
    ///   - listeners: where killd itself listens now.
    ///   - report: takes what is worth a line in the log.
    public init(
        from sources: WebhookSources, limits: WebhookExchange.Limits = WebhookExchange.Limits(),
        listeners: @escaping @Sendable () -> [ListenAddress],
        report: @escaping @Sendable (WebhookEvent) -> Void
    ) {
        self.sources = sources
        self.limits = limits
        self.listeners = listeners
        self.report = report
    }

    /// Delivers to these targets from now on, and to no other. What waited for one of the same name waits on.
    ///
    /// - Throws: if the store cannot be written, or the system has no room for a thread; nothing has changed then.
    public func replace(_ targets: [WebhookTarget], publicURL: String?) async throws {
        let before = running.withLock { $0 }
        let senders = try targets.map { target in
            let exchange = WebhookExchange(to: target, limits: limits, listeners: listeners)
            // The counts go on.
            let record = before.first { $0.sender.record.target == target.name }?.sender.record
            return try WebhookSender(
                to: target, from: sources, publicURL: publicURL,
                record: record ?? DeliveryRecord(of: target.name, report: report),
                deliver: { exchange.deliver($0, at: $1) })
        }
        try await sources.outbox.setOutboxTargets(targets.map(\.name))
        for earlier in before { earlier.sender.stop() }
        running.withLock { running in
            running = senders.map { sender in
                // A message that is on its way is not sent a second time beside it.
                let earlier = before.first { $0.sender.record.target == sender.record.target }?.task
                return Running(
                    sender: sender,
                    task: Task {
                        await earlier?.value
                        await sender.run()
                    })
            }
        }
    }

    /// There may be something new to tell.
    public func wake() { running.withLock { for one in $0 { one.sender.wake() } } }

    /// Whether anybody is told of anything.
    public var isEmpty: Bool { running.withLock(\.isEmpty) }

    public func standings() async -> [WebhookStanding] {
        let records = running.withLock { $0.map(\.sender.record) }
        guard !records.isEmpty else { return [] }
        let waiting = try? await sources.outbox.waitingMessages()
        return records.map { record in
            let figures = record.figures
            return WebhookStanding(
                target: record.target, counts: figures.counts, waiting: waiting.map { $0[record.target] ?? 0 },
                problem: figures.problem, failingSince: figures.failingSince, isOff: figures.isOff)
        }
    }

    /// Lets what is being delivered come to its end, for so long at most. What is left waits in the store.
    public func stop(within limit: Duration) async {
        let all = running.withLock { running in
            defer { running = [] }
            return running
        }
        for one in all { one.sender.stop() }
        let end = WakeSignal()
        Task {
            for one in all { await one.task.value }
            end.wake()
        }
        if !all.isEmpty { await end.wait(atMost: limit) }
    }
}
