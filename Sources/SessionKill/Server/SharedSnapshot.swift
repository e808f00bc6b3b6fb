/// Lets calls that want a snapshot of one server at the same time share one.
///
/// Nobody is given a snapshot that began before they asked: who comes while one is
/// under way waits for the next, together with all others who came meanwhile.
/// A snapshot that takes long is not waited for: the next then begins beside it.
actor SharedSnapshot<View: Sendable> {
    private let snapshot: @Sendable () async throws -> View
    private let timeout: @Sendable () async throws -> Void
    private var waiting: [CheckedContinuation<View, any Error>] = []
    /// The number of the snapshot that is waited for, and how many there were.
    private var current: Int?
    private var begun = 0
    private var timer: Task<Void, Never>?

    /// - Parameter timeout: returns once whoever came behind a snapshot waited for it long enough.
    init(
        _ snapshot: @escaping @Sendable () async throws -> View,
        timeout: @escaping @Sendable () async throws -> Void = { try await Task.sleep(for: .seconds(1)) }
    ) {
        self.snapshot = snapshot
        self.timeout = timeout
    }

    func observe() async throws -> View {
        try await withCheckedThrowingContinuation { caller in
            waiting.append(caller)
            if current == nil { begin() } else if timer == nil { timeCurrent() }
        }
    }

    private func begin() {
        timer?.cancel()
        timer = nil
        guard !waiting.isEmpty else { return }
        let callers = waiting
        waiting = []
        begun += 1
        current = begun
        Task { [begun] in await resume(callers, bySnapshot: begun) }
    }

    private func resume(_ callers: [CheckedContinuation<View, any Error>], bySnapshot number: Int) async {
        let view: Result<View, any Error>
        do {
            view = .success(try await snapshot())
        } catch {
            view = .failure(error)
        }
        for caller in callers { caller.resume(with: view) }
        leave(number)
    }

    private func timeCurrent() {
        guard let current else { return }
        timer = Task { [timeout] in
            // Throws when the snapshot ended meanwhile.
            do { try await timeout() } catch { return }
            leave(current)
        }
    }

    /// Goes on without waiting for this snapshot any more.
    private func leave(_ number: Int) {
        guard current == number else { return }
        current = nil
        begin()
    }
}

extension SharedSnapshot<IndexedObservation> {
    init(at server: any DatabaseServer, _ scope: ObservationScope) {
        self.init { IndexedObservation(try await server.observe(scope)) }
    }
}

/// What a snapshot of a server shows, with its sessions by id.
struct IndexedObservation: Sendable {
    let observation: ServerObservation
    let sessions: [ThreadID: Session]
    let waitGraph: WaitGraph

    init(_ observation: ServerObservation) {
        self.observation = observation
        waitGraph = WaitGraph(
            observation.lockWaits.known,
            outliving: Set(observation.sessions.lazy.filter { $0.details.preparedXA == .present }.map(\.id)))
        sessions = Dictionary(observation.sessions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
