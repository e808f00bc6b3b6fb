import HTTPServer
import Metrics
import RequestDispatch
import SessionKill
import Synchronization

/// The counters of what the modules report.
///
/// Every label has a bounded number of values: what clients make up is
/// counted as `other`.
final class ServiceMetrics: Sendable {
    enum StoreWrite: String, Sendable, CaseIterable { case insert, decision, claim, finish }
    enum Listener: String, Sendable, CaseIterable { case api, das, operations }

    struct Answer: Hashable, Sendable {
        let action: String
        let code: String
    }

    struct Refusal: Hashable, Sendable {
        let listener: Listener
        let status: HTTPStatus
    }

    /// The counts up to a moment.
    struct Counts: Sendable {
        var answers = Counter<Answer>()
        var durations = HistogramFamily<String>(bounds: ServiceMetrics.durationBounds)
        var inFlight = 0
        var rateLimited = Counter<String>()
        var plans = Counter<PlanStatus>(startingAtZero: [
            .prepared, .committing, .committed, .stale, .abandoned, .expired,
        ])
        /// Plans that were claimed without the approvals that they needed.
        var brokenGlass = 0
        var kills = Counter<Outcome.Kind>(startingAtZero: Outcome.Kind.allCases)
        var storeWrites = HistogramFamily<StoreWrite>(bounds: ServiceMetrics.durationBounds)
        var storeFailures = Counter<StoreWrite>(startingAtZero: StoreWrite.allCases)
        var openConnections: [Listener: Int] = [:]
        var connections = Counter<Listener>(startingAtZero: Listener.allCases)
        var refusals = Counter<Refusal>()
        var acceptPauses = Counter<Listener>(startingAtZero: Listener.allCases)
        var tlsFailures = Counter<Listener>(startingAtZero: Listener.allCases)
        var turnedAway = Counter<Listener>(startingAtZero: Listener.allCases)
        var reloads = Counter<String>(startingAtZero: ["done", "refused"])
    }

    /// Seconds: from a rejection in a fraction of a millisecond to a Commit that
    /// waits for rollbacks.
    static let durationBounds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    private let state = Mutex(Counts())
    /// Apart, since it changes twice for each request, on different threads.
    private let inFlight = Atomic(0)

    var counts: Counts {
        var counts = state.withLock { $0 }
        counts.inFlight = inFlight.load(ordering: .relaxed)
        return counts
    }

    // MARK: What happened

    /// The same response, counted as in flight while it is being worked out.
    func observing(_ answer: PendingResponse) -> PendingResponse {
        if case .immediate = answer { return answer }
        inFlight.add(1, ordering: .relaxed)
        return countingTheEnd(of: answer)
    }

    private func countingTheEnd(of answer: PendingResponse) -> PendingResponse {
        switch answer {
        case .immediate:
            inFlight.subtract(1, ordering: .relaxed)
            return answer
        case .offloaded(let find): return .offloaded { self.countingTheEnd(of: find()) }
        case .async(let work):
            return .async {
                defer { self.inFlight.subtract(1, ordering: .relaxed) }
                return await work()
            }
        }
    }

    func count(_ request: ExchangeRecord<some RequestRejection>) {
        let action = request.knownAction ?? "other"
        state.withLock { counts in
            counts.answers.increment(Answer(action: action, code: request.rejection?.codeLabel ?? "OK"))
            counts.durations.observe(request.duration.seconds, action)
            // Only who has proved to be a configured account is limited.
            if request.rejection?.isOfRateLimit == true, let account = request.account {
                counts.rateLimited.increment(account)
            }
        }
    }

    func count(_ event: HTTPServerEvent, of listener: Listener) {
        state.withLock { counts in
            switch event {
            case .connectionOpened:
                counts.connections.increment(listener)
                counts.openConnections[listener, default: 0] += 1
            case .connectionClosed: counts.openConnections[listener, default: 0] -= 1
            case .rejected(let error, _):
                counts.refusals.increment(Refusal(listener: listener, status: error.status))
            case .acceptingPaused: counts.acceptPauses.increment(listener)
            case .turnedAway: counts.turnedAway.increment(listener)
            case .tlsFailed: counts.tlsFailures.increment(listener)
            case .failed, .fewerConnections, .preambleRejected: break
            }
        }
    }

    /// A plan came to be in this state.
    func count(_ status: PlanStatus) { state.withLock { $0.plans.increment(status) } }

    /// So many plans were found to have expired.
    func countExpired(_ count: Int) {
        if count > 0 { state.withLock { $0.plans.increment(.expired, by: UInt64(count)) } }
    }

    func countBreakingGlass() { state.withLock { $0.brokenGlass += 1 } }

    func count(_ outcomes: some Collection<Outcome>) {
        guard !outcomes.isEmpty else { return }
        state.withLock { counts in
            for outcome in outcomes { counts.kills.increment(outcome.kind) }
        }
    }

    func count(_ write: StoreWrite, took duration: Duration) {
        state.withLock { $0.storeWrites.observe(duration.seconds, write) }
    }

    func countFailure(of write: StoreWrite) { state.withLock { $0.storeFailures.increment(write) } }

    func countReload(done: Bool) { state.withLock { $0.reloads.increment(done ? "done" : "refused") } }
}

extension Duration {
    fileprivate var seconds: Double { self / .seconds(1) }
}
