/// Lets calls that want to look at one server at the same time share a look.
///
/// Nobody is given a look that began before they asked: who comes while one is
/// under way waits for the next, together with all others who came meanwhile.
actor SharedObservation {
    private let server: any DatabaseServer
    private let scope: ObservationScope
    private var waiting: [CheckedContinuation<IndexedObservation, any Error>] = []
    private var isLooking = false

    init(of server: any DatabaseServer, _ scope: ObservationScope) {
        self.server = server
        self.scope = scope
    }

    func observe() async throws -> IndexedObservation {
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
            let look: Result<IndexedObservation, any Error>
            do {
                look = .success(IndexedObservation(try await server.observe(scope)))
            } catch {
                look = .failure(error)
            }
            for caller in callers { caller.resume(with: look) }
        }
        isLooking = false
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
