import Synchronization

/// Something that is probed when somebody asks, and what was seen last.
///
/// However many ask and however often, there is one probe at a time and none
/// within a second after the last; and nobody waits for one longer than a probe
/// may take.
public final class RecentProbe<View: Sendable>: Sendable {
    public struct Clock: Sendable {
        let now: @Sendable () -> ContinuousClock.Instant
        let sleep: @Sendable (Duration) async throws -> Void

        public init(
            now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now },
            sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
        ) {
            self.now = now
            self.sleep = sleep
        }
    }

    private struct State {
        var last: (view: View, at: ContinuousClock.Instant)?
        /// When the probe that is under way began.
        var probingSince: ContinuousClock.Instant?
        var waiting: [CheckedContinuation<View, Never>] = []
    }

    private let state = Mutex(State())
    private let clock: Clock
    /// How long a view is good for.
    private let validity = Duration.seconds(1)
    /// How long a probe may take.
    private let timeout: Duration
    private let snapshot: @Sendable () async -> View
    private let overdue: @Sendable (Duration) -> View

    /// - Parameters:
    ///   - overdue: what there is to say of a probe that has gone on for so long.
    public init(
        clock: Clock = Clock(), timeout: Duration, overdue: @escaping @Sendable (Duration) -> View,
        _ snapshot: @escaping @Sendable () async -> View
    ) {
        self.clock = clock
        self.timeout = timeout
        self.overdue = overdue
        self.snapshot = snapshot
    }

    /// What is to be said without waiting; `nil` if that takes a probe.
    public var known: View? {
        let now = clock.now()
        return state.withLock { known($0, at: now) }
    }

    /// What was seen last, if that was within a second, or what the next probe sees.
    public func view() async -> View {
        await withCheckedContinuation { caller in
            let now = clock.now()
            let (view, isFirst) = state.withLock { state -> (View?, Bool) in
                if let view = known(state, at: now) { return (view, false) }
                state.waiting.append(caller)
                guard state.probingSince == nil else { return (nil, false) }
                state.probingSince = now
                return (nil, true)
            }
            if let view { caller.resume(returning: view) }
            if isFirst { begin(at: now) }
        }
    }

    private func known(_ state: State, at now: ContinuousClock.Instant) -> View? {
        if let since = state.probingSince {
            let duration = since.duration(to: now)
            return duration < timeout ? nil : overdue(duration)
        }
        guard let last = state.last, last.at.duration(to: now) < validity else { return nil }
        return last.view
    }

    private func begin(at start: ContinuousClock.Instant) {
        let timer = Task {
            do { try await clock.sleep(timeout) } catch { return }
            giveUp(lookSince: start)
        }
        Task {
            end(await snapshot())
            timer.cancel()
        }
    }

    private func end(_ view: View) {
        let now = clock.now()
        let callers = state.withLock { state in
            state.last = (view, now)
            state.probingSince = nil
            defer { state.waiting = [] }
            return state.waiting
        }
        for caller in callers { caller.resume(returning: view) }
    }

    /// The probe goes on, and whoever comes before it ends is told so at once.
    private func giveUp(lookSince start: ContinuousClock.Instant) {
        let now = clock.now()
        let callers = state.withLock { state in
            // Another probe may be under way by now.
            guard state.probingSince == start else { return [] as [CheckedContinuation<View, Never>] }
            defer { state.waiting = [] }
            return state.waiting
        }
        let view = overdue(max(timeout, start.duration(to: now)))
        for caller in callers { caller.resume(returning: view) }
    }
}
