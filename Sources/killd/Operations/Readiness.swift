import Synchronization
import Webhooks

/// The state of what killd needs for its work, for whoever decides if requests go to it.
final class Readiness: Sendable {
    /// The body of `GET /readyz`.
    struct Report: Encodable, Sendable {
        enum Status: String, Encodable, Sendable {
            case ready
            /// Some instances cannot be reached; for the others it does its work.
            case degraded
            case notReady = "not-ready"
            /// It finishes what is in flight and then ends.
            case draining
        }

        struct Part: Encodable, Sendable {
            /// Of an instance.
            var id: String?
            var works: Bool
            /// Why it does not, in words.
            var problem: String?

            init(id: String? = nil, _ finding: Probe.Finding) {
                self.id = id
                switch finding {
                case .works: works = true
                case .fails(let reason):
                    works = false
                    problem = reason
                }
            }
        }

        let status: Status
        let store: Part
        let instances: [Part]
        /// Absent if there are none. Whether they work makes nobody unready: they tell of what is done without them.
        let webhooks: [Part]?
        /// For metrics, which tell more of them.
        let standings: [WebhookStanding]

        private enum CodingKeys: String, CodingKey { case status, store, instances, webhooks }

        /// One unreachable instance of several does not make killd unfit: that a
        /// server is in trouble is when people need killd, for that one and for
        /// the others.
        init(isDraining: Bool, store: Part, instances: [Part], webhooks: [WebhookStanding] = []) {
            self.store = store
            self.instances = instances
            self.webhooks = webhooks.isEmpty ? nil : webhooks.map { Part(id: $0.target, $0.finding) }
            standings = webhooks
            status =
                if isDraining {
                    .draining
                } else if !store.works || !instances.contains(where: \.works) {
                    .notReady
                } else {
                    instances.allSatisfy(\.works) ? .ready : .degraded
                }
        }

        var isReady: Bool { status == .ready || status == .degraded }
    }

    private let store: Probe
    private let instances: @Sendable () -> [(id: String, probe: Probe)]
    private let webhooks: @Sendable () async -> [WebhookStanding]
    private let draining = Atomic(false)
    private let failure = Mutex<String?>(nil)

    /// - Parameters:
    ///   - instances: those of now.
    ///   - webhooks: how it stands with them now.
    init(
        store: Probe, instances: @escaping @Sendable () -> [(id: String, probe: Probe)],
        webhooks: @escaping @Sendable () async -> [WebhookStanding] = { [] }
    ) {
        self.store = store
        self.instances = instances
        self.webhooks = webhooks
    }

    func beginDraining() { draining.store(true, ordering: .relaxed) }

    /// The API's listener cannot go on, for this reason.
    func noteFailure(_ reason: String) { failure.withLock { $0 = reason } }

    /// Why the process is of no use any more and should be started again.
    var fatalProblem: String? { failure.withLock { $0 } }

    func report() async -> Report {
        // All probed together, so that the slowest alone decides how long it takes.
        async let storeFinding = store.finding()
        let findings = instances().map { instance in (instance.id, Task { await instance.probe.finding() }) }
        var parts: [Report.Part] = []
        for (id, finding) in findings { parts.append(Report.Part(id: id, await finding.value)) }
        return await Report(
            isDraining: draining.load(ordering: .relaxed), store: Report.Part(storeFinding), instances: parts,
            webhooks: webhooks())
    }
}

extension WebhookStanding {
    fileprivate var finding: Probe.Finding {
        if isOff { return .fails("the receiver is no more (410); it is off until the next reload") }
        guard let problem else { return .works }
        return .fails("\(problem); \(waiting.map(String.init) ?? "an unknown number of") message(s) wait")
    }
}
