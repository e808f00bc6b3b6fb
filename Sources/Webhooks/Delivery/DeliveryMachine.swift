public import SessionKill

/// Decides what is sent to one target and when, and what becomes of messages that were not taken.
///
/// It waits for nothing: whoever carries out its actions tells it what came of the last of them.
public struct DeliveryMachine: Sendable {
    public enum Event: Sendable {
        /// Time has passed, or there is something new.
        case woken
        /// The answer to ``Action/read(limit:)``.
        case found([OutboxMessage])
        /// The answer to ``Action/check(_:)``, by the number of the message.
        case checked([Int64: Standing])
        /// The answer to ``Action/send(_:)``.
        case answered(DeliveryResult)
        /// The outbox could not be read or written.
        case storeFailed
    }

    /// Whether there is somebody who wants to know.
    public enum Standing: Sendable {
        case wanted
        /// It asks for a decision that was made, or for which it is too late.
        case decided
        /// It is of a plan that nobody asked for, such as those of tasks.
        case untold
    }

    public enum Action: Hashable, Sendable {
        case settle(OutboxMessage, OutboxSettlement, Fate)
        case read(limit: Int)
        case check([OutboxMessage])
        /// One message, or several in one.
        case send([OutboxMessage])
        case wait(until: UnixTime)
        /// Until the next message is due, or there is something new.
        case waitForMessages
        /// Until the end: the receiver is no more.
        case rest
    }

    /// What becomes of a message, for who counts.
    public enum Fate: String, Hashable, Sendable, CaseIterable {
        case delivered
        /// To be tried again.
        case failed
        /// The receiver will not take it.
        case refused
        /// It was tried as often as messages are.
        case gaveUp = "gave-up"
        /// Nobody needs it any more.
        case dropped
        /// The target does not want to be told of it; not counted.
        case unwanted
    }

    private enum Phase: Sendable {
        case idle
        case reading
        case checking([OutboxMessage], due: [OutboxMessage])
        case sending([OutboxMessage], due: [OutboxMessage])
    }

    private let kinds: Set<AuditEvent.Kind>
    private let pause: Int
    private let mostSingle: Int
    private let random: @Sendable () -> Double
    private var phase = Phase.idle
    /// Nothing is sent before.
    private var pausedUntil = UnixTime(milliseconds: .min)
    /// Connections that failed since the last that did not.
    private var failedConnections = 0
    /// Whether the receiver said that it is no more.
    public private(set) var isOff = false
    /// Why the last attempt did not deliver; nil if it did.
    public private(set) var problem: DeliveryProblem?

    /// How many messages are looked at at once where several may be folded into one.
    static let batch = 100
    /// And where each is sent by itself.
    private static let shortBatch = 10
    private static let mostFolded = 50
    /// Seconds before anything is sent to a receiver that answered with an error, or tried on a store that failed.
    private static let shortRest = 5
    /// The most seconds between two attempts to connect to a receiver that is away.
    private static let longestRest = 60
    /// Where a receiver that has too much to do does not say for how long.
    private static let usualBusyRest = 30

    /// - Parameter random: from 0 to 1.
    public init(for target: WebhookTarget, random: @escaping @Sendable () -> Double) {
        kinds = Set(AuditEvent.Kind.allCases.filter { Notice.Kind(rawValue: $0.rawValue).map(target.wants) ?? false })
        pause = target.format.pause
        mostSingle = target.format.mostSingle
        self.random = random
    }

    /// - Returns: what is to be done, in this order; the answer to the last is the next event.
    public mutating func handle(_ event: Event, at time: UnixTime) -> [Action] {
        switch (event, phase) {
        case (.woken, .idle): return proceed(at: time)
        case (.found(let messages), .reading): return choose(messages)
        case (.checked(let standings), .checking(let messages, let due)):
            return send(messages, due: due, standings)
        case (.answered(let result), .sending(let messages, let due)):
            let actions = settle(messages, due: due, result, at: time)
            phase = .idle
            return actions + proceed(at: time)
        case (.storeFailed, _):
            phase = .idle
            pausedUntil = max(pausedUntil, time.after(seconds: Double(Self.shortRest)))
            return proceed(at: time)
        // An answer that was not asked for.
        default:
            phase = .idle
            return proceed(at: time)
        }
    }

    private mutating func proceed(at time: UnixTime) -> [Action] {
        if isOff { return [.rest] }
        if time < pausedUntil { return [.wait(until: pausedUntil)] }
        return read()
    }

    private mutating func read() -> [Action] {
        phase = .reading
        return [.read(limit: mostSingle == .max ? Self.shortBatch : Self.batch)]
    }

    private mutating func choose(_ messages: [OutboxMessage]) -> [Action] {
        let unwanted = messages.filter { !kinds.contains($0.kind) }
        let dropped = unwanted.map { Action.settle($0, .dropped, .unwanted) }
        let due = messages.filter { kinds.contains($0.kind) }
        guard !due.isEmpty else {
            if !dropped.isEmpty { return dropped + read() }
            phase = .idle
            return [.waitForMessages]
        }
        let inOrder = due.filter { $0.kind == .brokeGlass } + due.filter { $0.kind != .brokeGlass }
        let chosen = Array(inOrder.prefix(due.count > mostSingle ? Self.mostFolded : 1))
        phase = .checking(chosen, due: due)
        return dropped + [.check(chosen)]
    }

    private mutating func send(
        _ messages: [OutboxMessage], due: [OutboxMessage], _ standings: [Int64: Standing]
    ) -> [Action] {
        var actions: [Action] = []
        var wanted: [OutboxMessage] = []
        for message in messages {
            switch standings[message.id] {
            case .wanted: wanted.append(message)
            case .decided: actions.append(.settle(message, .dropped, .dropped))
            case .untold, nil: actions.append(.settle(message, .dropped, .unwanted))
            }
        }
        guard !wanted.isEmpty else { return actions + read() }
        let settled = Set(messages.map(\.id)).subtracting(wanted.map(\.id))
        phase = .sending(wanted, due: due.filter { !settled.contains($0.id) })
        return actions + [.send(wanted)]
    }

    private mutating func settle(
        _ messages: [OutboxMessage], due: [OutboxMessage], _ result: DeliveryResult, at time: UnixTime
    ) -> [Action] {
        var rest = pause
        problem = nil
        defer { pausedUntil = time.after(seconds: Double(rest)) }
        if case .failed(let cause) = result, cause.isOfConnection {
            failedConnections += 1
            problem = cause
            rest = max(pause, min(Self.longestRest, Self.shortRest << min(failedConnections - 1, 8)))
            // What one attempt found holds for all that are due.
            return due.map { postponed($0, at: time) }
        }
        failedConnections = 0
        switch result {
        case .delivered: return messages.map { .settle($0, .delivered, .delivered) }
        case .failed(let cause):
            problem = cause
            rest = max(pause, Self.shortRest)
            return messages.map { postponed($0, at: time) }
        case .busy(let cause, let seconds):
            problem = cause
            rest = max(pause, seconds ?? Self.usualBusyRest)
            return messages.map { postponed($0, at: time, notBefore: time.after(seconds: Double(rest))) }
        case .refused(let cause):
            problem = cause
            return messages.map { .settle($0, .dropped, .refused) }
        case .gone:
            problem = .status(410)
            isOff = true
            return messages.map { .settle($0, .dropped, .refused) }
        }
    }

    private func postponed(
        _ message: OutboxMessage, at time: UnixTime, notBefore: UnixTime = UnixTime(milliseconds: .min)
    ) -> Action {
        guard let next = RetrySchedule.nextAttempt(after: message.attempts + 1, at: time, random: random()) else {
            return .settle(message, .dropped, .gaveUp)
        }
        return .settle(message, .retry(at: max(next, notBefore)), .failed)
    }
}

extension DeliveryProblem {
    /// Whether the receiver was not reached, so that another message would not have been either.
    var isOfConnection: Bool {
        switch self {
        case .connection, .address: true
        case .status, .code, .unknownBody, .redirect, .noAnswer, .unsigned: false
        }
    }
}
