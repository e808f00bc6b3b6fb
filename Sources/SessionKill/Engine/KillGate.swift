import Synchronization

/// Lets those KILLs pass that the configuration of now permits.
///
/// Whoever replaces the configuration and waits for ``settle()`` knows that no
/// KILL is on its way any more that the new one forbids.
final class KillGate: Sendable {
    private struct Passage {
        let isPermitted: @Sendable (KillAuthority?) -> Bool
    }

    private struct State {
        /// `nil` if nothing ever changes.
        var authority: KillAuthority?
        var passages: [Int: Passage] = [:]
        var count = 0
        /// Who waits for the end of a passage.
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// Who may do what, by the configuration of now; `nil` if there is none.
    var authority: KillAuthority? { state.withLock(\.authority) }

    func replace(by authority: KillAuthority) { state.withLock { $0.authority = authority } }

    /// The instance as it is configured now; `begun` if nothing ever changes.
    func instance(for request: KillAuthority.Request, begun: Instance) throws(KillObstacle) -> Instance {
        try Self.instance(for: request, begun: begun, state.withLock(\.authority))
    }

    private static func instance(
        for request: KillAuthority.Request, begun: Instance, _ authority: KillAuthority?
    ) throws(KillObstacle) -> Instance {
        try authority?.instance(for: request) ?? begun
    }

    /// Whom of `sessions` the configuration of now lets be killed, and who is
    /// protected by it.
    struct Permitted: Sendable {
        var sessions: [Session] = []
        var spared: [ThreadID: Protection] = [:]

        init(
            _ sessions: [Session], in observation: ServerObservation, for request: KillAuthority.Request,
            on begun: Instance, _ authority: KillAuthority?
        ) throws(KillObstacle) {
            let instance = try KillGate.instance(for: request, begun: begun, authority)
            // The connection leads to the server that was configured when it was taken.
            guard instance.hasSameServer(as: begun) else { throw .anotherServer }
            let rules = instance.protectionRules(observation)
            for session in sessions {
                if let protection = rules.protection(of: session) {
                    spared[session.id] = protection
                } else {
                    self.sessions.append(session)
                }
            }
        }
    }

    /// Decides and has `kill` done with those that are left.
    ///
    /// - Throws: if nobody may be killed; `kill` was not called then.
    func pass<Value: Sendable>(
        _ sessions: [Session], in observation: ServerObservation, for request: KillAuthority.Request,
        on instance: Instance, _ kill: @Sendable ([Session]) async -> Value
    ) async throws(KillObstacle) -> (permitted: Permitted, value: Value) {
        let decision = state.withLock { state -> Result<(Permitted, Int), KillObstacle> in
            do throws(KillObstacle) {
                let permitted = try Permitted(sessions, in: observation, for: request, on: instance, state.authority)
                state.count += 1
                let sent = permitted.sessions
                state.passages[state.count] = Passage(isPermitted: { authority in
                    let now = try? Permitted(sent, in: observation, for: request, on: instance, authority)
                    return now?.sessions.count == sent.count
                })
                return .success((permitted, state.count))
            } catch {
                return .failure(error)
            }
        }
        let (permitted, number) = try decision.get()
        let value = await kill(permitted.sessions)
        let waiting = state.withLock { state in
            state.passages[number] = nil
            defer { state.waiting = [:] }
            return state.waiting
        }
        for caller in waiting.values { caller.resume() }
        return (permitted, value)
    }

    /// Returns when no KILL is on its way that the configuration of now forbids, or
    /// when it is cancelled.
    func settle() async {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        while !Task.isCancelled, isForbiddingWhatPasses {
            await withTaskCancellationHandler {
                await withCheckedContinuation { caller in
                    let isOver = state.withLock { state in
                        let isOver = Task.isCancelled || !Self.forbidsWhatPasses(state)
                        if !isOver { state.waiting[number] = caller }
                        return isOver
                    }
                    if isOver { caller.resume() }
                }
            } onCancel: {
                state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
            }
        }
    }

    private var isForbiddingWhatPasses: Bool { state.withLock { Self.forbidsWhatPasses($0) } }

    private static func forbidsWhatPasses(_ state: State) -> Bool {
        state.passages.values.contains { !$0.isPermitted(state.authority) }
    }
}

extension KillEngine {
    /// Takes over what another configuration permits: from now on it is asked
    /// before each KILL, also of what began before.
    public func replace(_ authority: KillAuthority) {
        gate.replace(by: authority)
        changes.noteAll()
    }

    /// Returns when no KILL is on its way that the configuration of now forbids.
    ///
    /// - Parameter limit: after so long, those that a server has not answered yet
    ///   are not waited for any more.
    public func settle(within limit: Duration) async {
        let settling = Task { await gate.settle() }
        let timer = Task {
            try await clock.sleep(limit)
            settling.cancel()
        }
        await settling.value
        timer.cancel()
    }
}
