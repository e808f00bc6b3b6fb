import SessionKill

/// A server whose sessions and faults a seed decides.
///
/// It carries out what ``ScriptedServerState`` decides: hands out connections, and waits where that says so, by the
/// clock that it is given.
public actor ScriptedServer: DatabaseServer {
    /// At a moment, for who keeps scenes and brings them back.
    public private(set) var state: ScriptedServerState
    private let clock: KillEngine.Clock
    /// The connections of killd's account that somebody has.
    private var inUse: Set<UInt64> = []
    private var lines: [Line: WaitingLine] = [.killd: WaitingLine(), .delegated: WaitingLine()]

    private enum Line { case killd, delegated }

    /// As the clients of real servers have them.
    enum Deadline {
        static let connect = Duration.seconds(5)
        static let readWrite = Duration.seconds(10)
        static let freeConnection = Duration.seconds(10)
    }

    /// The scene's beginning.
    ///
    /// - Parameter name: by which the servers of a scene are told apart, such as `pc-1/pi-1`.
    public init(_ script: Seed.Server, name: String, clock: KillEngine.Clock) {
        self.init(ScriptedServerState(script, name: name, at: clock.now()), clock: clock)
    }

    /// A scene that was kept. The connections that killd had are closed: nobody has them any more.
    public init(_ state: ScriptedServerState, clock: KillEngine.Clock) {
        self.state = state
        self.clock = clock
        self.state.disconnectAll()
    }

    /// The sessions as a list would show them now, without that anybody has looked.
    public func sessions() -> [Session] { state.sessions(at: clock.now()) }

    // MARK: As a database server

    public func withConnection<Value: Sendable>(
        preferring connection: ConnectionIdentity?, _ body: @Sendable (any ServerConnection) async throws -> Value
    ) async throws -> Value {
        state.fire(.commit, at: clock.now())
        let number = try await take(preferring: connection?.number)
        defer { giveBack(number) }
        return try await body(ScriptedConnection(server: self, number: number))
    }

    public func withConnection<Value: Sendable>(
        as login: DatabaseLogin, _ body: @Sendable (any ServerConnection) async throws -> Value
    ) async throws -> Value {
        try await enter(.delegated)
        defer { leave(.delegated) }
        let number = try await connect(as: login)
        defer { state.disconnect(number) }
        return try await body(ScriptedConnection(server: self, number: number))
    }

    public func observe(_ scope: ObservationScope) async throws -> ServerObservation {
        do throws(ServerError) {
            return try await observeOnce(scope)
        } catch {
            guard error.reason == .connectionLost || error.reason == .resultTooLarge else { throw error }
        }
        return try await observeOnce(scope)
    }

    /// As real ones are listed: without what it takes further queries to find out.
    public func list() async throws -> SessionList {
        let observation = try await observe(.transactions)
        let sessions = observation.sessions.map { session in
            var session = session
            session.identity.performanceSchemaThreadID = nil
            session.details.preparedXA = .absent
            return session
        }
        return SessionList(sessions: sessions, ownThreadIDs: observation.ownThreadIDs)
    }

    private func observeOnce(_ scope: ObservationScope) async throws(ServerError) -> ServerObservation {
        let number = try await take()
        defer { giveBack(number) }
        return try await observe(scope, on: number)
    }

    // MARK: Connections

    private func take(preferring preferred: UInt64? = nil) async throws(ServerError) -> UInt64 {
        try await enter(.killd)
        let free = state.idleConnections(besides: inUse)
        if let number = free.first(where: { $0 == preferred }) ?? free.last {
            inUse.insert(number)
            return number
        }
        do throws(ServerError) {
            let number = try await connect(as: nil)
            inUse.insert(number)
            return number
        } catch {
            leave(.killd)
            throw error
        }
    }

    private func giveBack(_ number: UInt64) {
        inUse.remove(number)
        leave(.killd)
    }

    private func connect(as login: DatabaseLogin?) async throws(ServerError) -> UInt64 {
        guard await waitForSign(within: Deadline.connect) else { throw .timedOutConnecting(to: state) }
        return try state.connect(as: login, at: clock.now())
    }

    private func enter(_ line: Line) async throws(ServerError) {
        guard lines[line]?.enter() == false else { return }
        let number = lines[line]?.nextNumber() ?? 0
        let timer = Task { [clock] in
            try await clock.sleep(Deadline.freeConnection)
            giveUp(number, in: line)
        }
        let hasPlace = await withCheckedContinuation { lines[line]?.add($0, number) ?? $0.resume(returning: false) }
        timer.cancel()
        guard hasPlace else {
            throw ServerError(
                .timedOut, "all \(WaitingLine.places) connections stayed busy until the deadline")
        }
    }

    private func leave(_ line: Line) { lines[line]?.leave() }

    private func giveUp(_ number: Int, in line: Line) { lines[line]?.giveUp(number) }

    // MARK: Calls

    func observe(_ scope: ObservationScope, on number: UInt64) async throws(ServerError) -> ServerObservation {
        try await requireSign(on: number)
        return try state.observe(scope, on: number, at: clock.now())
    }

    func present(among sessions: [SessionIdentity], on number: UInt64) async throws(ServerError) -> Set<ThreadID> {
        try await requireSign(on: number)
        return try state.present(among: sessions, on: number, at: clock.now())
    }

    func transactions(on number: UInt64) async throws(ServerError) -> TransactionReading {
        try await requireSign(on: number)
        return try state.transactions(on: number, at: clock.now())
    }

    func serverSessions(
        of session: SessionIdentity, on number: UInt64
    ) async throws(ServerError) -> [ServerSession]? {
        try await requireSign(on: number)
        return try state.serverSessions(of: session, on: number, at: clock.now())
    }

    func kill(_ sessions: [SessionIdentity], on number: UInt64) async -> [KillResponse] {
        state.fire(.beforeKill, on: number, at: clock.now())
        guard state.isOpen(number) else { return sessions.map { _ in .notSent } }
        // Sent, but nobody knows what became of it.
        guard (try? await requireSign(on: number)) != nil else { return sessions.map { _ in .lost } }
        let responses = state.kill(sessions, on: number, at: clock.now())
        state.fire(.afterKill, on: number, at: clock.now())
        guard (try? await requireSign(on: number)) != nil, state.isOpen(number) else {
            return sessions.map { _ in .lost }
        }
        return responses
    }

    /// Waits for as long as the server answers nothing. After the deadline the connection is of no more use.
    private func requireSign(on number: UInt64) async throws(ServerError) {
        guard await waitForSign(within: Deadline.readWrite) else {
            state.disconnect(number)
            throw .timedOut
        }
    }

    private func waitForSign(within limit: Duration) async -> Bool {
        let now = clock.now()
        switch state.silence(at: now) {
        case .none: return true
        case .until(let end):
            let rest = Duration.milliseconds(end.milliseconds(since: now))
            guard (try? await clock.sleep(min(rest, limit))) != nil else { return false }
            return rest <= limit
        case .forever:
            try? await clock.sleep(limit)
            return false
        }
    }
}

extension ScriptedServerState {
    /// killd's connections that nobody has, the oldest first.
    fileprivate func idleConnections(besides inUse: Set<UInt64>) -> [UInt64] {
        connections.values.filter { !$0.isDelegated && !inUse.contains($0.number) }.map(\.number).sorted()
    }
}
