/// Something that killd depends on, looked at when somebody asks.
///
/// However many ask and however often, there is one look at a time and none
/// within a second after the last; and nobody waits for one longer than a probe
/// may take.
actor Probe {
    enum Finding: Hashable, Sendable {
        case works
        /// Why not, in words.
        case fails(String)
    }

    struct Clock: Sendable {
        var now: @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
        var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    }

    /// How long a finding is good for.
    static let validity = Duration.seconds(1)
    /// How long who asks waits for a look: kubelet gives a probe one second.
    static let patience = Duration.milliseconds(500)

    private let look: @Sendable () async throws -> Void
    private let clock: Clock
    private var last: (finding: Finding, at: ContinuousClock.Instant)?
    /// When the look that is under way began.
    private var lookingSince: ContinuousClock.Instant?
    private var waiting: [CheckedContinuation<Finding, Never>] = []

    /// - Parameter look: throws what keeps the thing from working.
    init(clock: Clock = Clock(), _ look: @escaping @Sendable () async throws -> Void) {
        self.clock = clock
        self.look = look
    }

    /// What the last look found, if that was within a second, or what the next
    /// one finds.
    func finding() async -> Finding {
        let now = clock.now()
        if let lookingSince {
            guard lookingSince.duration(to: now) < Self.patience else { return overdue(lookingSince) }
        } else {
            if let last, last.at.duration(to: now) < Self.validity { return last.finding }
            begin(at: now)
        }
        return await withCheckedContinuation { waiting.append($0) }
    }

    private func begin(at now: ContinuousClock.Instant) {
        lookingSince = now
        Task {
            do {
                try await look()
                end(.works)
            } catch {
                end(.fails("\(error)"))
            }
        }
        Task {
            try await clock.sleep(Self.patience)
            // Another look may be under way by now.
            if lookingSince == now { answer(overdue(now)) }
        }
    }

    private func end(_ finding: Finding) {
        last = (finding, clock.now())
        lookingSince = nil
        answer(finding)
    }

    private func answer(_ finding: Finding) {
        let callers = waiting
        waiting = []
        for caller in callers { caller.resume(returning: finding) }
    }

    private func overdue(_ since: ContinuousClock.Instant) -> Finding {
        .fails("no answer for \(max(Self.patience, since.duration(to: clock.now())).milliseconds) ms")
    }
}

extension Duration {
    /// Rounded down.
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
