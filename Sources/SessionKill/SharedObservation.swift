/// Lets calls that want to look at one server at the same time share a look.
///
/// Nobody is given a look that began before they asked: who comes while one is
/// under way waits for the next, together with all others who came meanwhile.
actor SharedLook<View: Sendable> {
    private let look: @Sendable () async throws -> View
    private var waiting: [CheckedContinuation<View, any Error>] = []
    private var isLooking = false

    init(_ look: @escaping @Sendable () async throws -> View) { self.look = look }

    func observe() async throws -> View {
        try await withCheckedThrowingContinuation { caller in
            waiting.append(caller)
            guard !isLooking else { return }
            isLooking = true
            Task { await lookForThoseWhoWait() }
        }
    }

    private func lookForThoseWhoWait() async {
        while !waiting.isEmpty {
            let callers = waiting
            waiting = []
            let view: Result<View, any Error>
            do {
                view = .success(try await look())
            } catch {
                view = .failure(error)
            }
            for caller in callers { caller.resume(with: view) }
        }
        isLooking = false
    }
}

extension SharedLook<IndexedObservation> {
    init(at server: any DatabaseServer, _ scope: ObservationScope) {
        self.init { IndexedObservation(try await server.observe(scope)) }
    }
}

/// What a look at a server saw, with its sessions by id.
struct IndexedObservation: Sendable {
    let observation: ServerObservation
    let sessions: [ThreadID: Session]
    let waitGraph: WaitGraph

    init(_ observation: ServerObservation) {
        self.observation = observation
        waitGraph = WaitGraph(observation.lockWaits.known)
        sessions = Dictionary(observation.sessions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
