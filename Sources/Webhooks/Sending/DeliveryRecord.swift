public import SessionKill
import Synchronization

/// What came of the messages to one target since killd started, for metrics, log and probes.
final class DeliveryRecord: Sendable {
    struct Figures: Sendable {
        var counts: [DeliveryMachine.Fate: UInt64] = [:]
        var problem: DeliveryProblem?
        /// Since when nothing was delivered.
        var failingSince: UnixTime?
        var isOff = false
        var storeFails = false
    }

    let target: String
    private let report: @Sendable (WebhookEvent) -> Void
    private let state = Mutex(Figures())

    init(of target: String, report: @escaping @Sendable (WebhookEvent) -> Void) {
        self.target = target
        self.report = report
    }

    var figures: Figures { state.withLock { $0 } }

    func count(_ fate: DeliveryMachine.Fate, of message: OutboxMessage) {
        guard fate != .unwanted else { return }
        state.withLock { $0.counts[fate, default: 0] += 1 }
        if fate == .gaveUp || fate == .refused {
            let problem = state.withLock { $0.problem }
            report(.lost(target: target, entry: message.entry, kind: message.kind, problem))
        }
    }

    /// Tells of changes only.
    func note(problem: DeliveryProblem?, isOff: Bool, at time: UnixTime) {
        let events = state.withLock { figures -> [WebhookEvent] in
            var events: [WebhookEvent] = []
            if let problem, figures.problem != problem { events.append(.failing(target: target, problem)) }
            if problem == nil, figures.problem != nil { events.append(.recovered(target: target)) }
            if isOff, !figures.isOff { events.append(.switchedOff(target: target)) }
            figures.failingSince = problem == nil ? nil : figures.failingSince ?? time
            figures.problem = problem
            figures.isOff = isOff
            figures.storeFails = false
            return events
        }
        for event in events { report(event) }
    }

    func noteStoreFailure(_ error: StoreError) {
        let isNew = state.withLock { figures in
            defer { figures.storeFails = true }
            return !figures.storeFails
        }
        if isNew { report(.storeFailed(target: target, error)) }
    }
}

/// What is worth a line in the log.
public enum WebhookEvent: Sendable {
    case failing(target: String, DeliveryProblem)
    case recovered(target: String)
    /// Its receiver is no more.
    case switchedOff(target: String)
    /// A message will not be delivered.
    case lost(target: String, entry: Int64, kind: AuditEvent.Kind, DeliveryProblem?)
    /// The outbox could not be read or written.
    case storeFailed(target: String, StoreError)
}

/// How it stands with the messages to one target.
public struct WebhookStanding: Hashable, Sendable {
    public let target: String
    public let counts: [DeliveryMachine.Fate: UInt64]
    /// How many messages are still to be delivered; nil if the store cannot tell.
    public let waiting: Int?
    /// Why the last attempt delivered nothing; nil if it did, or there was none.
    public let problem: DeliveryProblem?
    public let failingSince: UnixTime?
    public let isOff: Bool

    public init(
        target: String, counts: [DeliveryMachine.Fate: UInt64], waiting: Int?, problem: DeliveryProblem?,
        failingSince: UnixTime?, isOff: Bool
    ) {
        self.target = target
        self.counts = counts
        self.waiting = waiting
        self.problem = problem
        self.failingSince = failingSince
        self.isOff = isOff
    }
}
