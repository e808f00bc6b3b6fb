import CMySQL
import SessionKill

/// A MySQL or MariaDB server behind a few connections, opened when needed and kept.
///
/// One of them is there from ``start()`` on and is kept alive for the day the
/// server is full (error 1040) and lets nobody else in. Who lacks a connection
/// then, or an account that may have few, waits for one of those there are.
public actor MySQLServer: DatabaseServer {
    public nonisolated let configuration: MySQLServerConfiguration
    private let connectionLimit: Int

    private var idle: [MySQLConnection] = []
    private(set) var ownThreadIDs: Set<ThreadID> = []
    private var opening = 0
    private var isClosed = false
    private var isRenewing = false
    private var keepAlive: Task<Void, Never>?
    private var queues: [Line: WaitingQueue] = [:]
    /// Connections on which others than killd's account are logged in, also those being opened.
    private var callersConnections = 0
    private var callersThreadIDs: Set<ThreadID> = []
    /// Why a connection in use was lost, until one comes back that is not.
    private var lastLoss: ServerError?
    /// Of connections that are open for as long as a plan's sessions are killed.
    private var helperThreadIDs: Set<ThreadID> = []
    nonisolated let readings = ServerReadings()
    /// What the server's own address answered in place of a connection. While that is recent, the administrative
    /// address is tried first: a stalled server would take its time to refuse each.
    private var ordinaryRefusal: Refusal?
    /// Why no address gave one connection more than there were.
    private var refusal: Refusal?

    private struct Refusal {
        let error: ServerError
        let until: ContinuousClock.Instant

        var isRecent: Bool { ContinuousClock.now < until }
    }

    private static let pauseOfOrdinaryAddress = Duration.seconds(30)
    private static let pauseAfterRefusal = Duration.seconds(1)

    /// Who waits for a connection.
    private enum Line: CaseIterable { case killd, callers }

    /// Middleboxes forget idle connections after a few minutes.
    private static let keepAlivePause = Duration.seconds(30)

    /// - Parameter connectionLimit: how many connections there are at most, and how
    ///   many besides on which callers are logged in.
    public init(_ configuration: MySQLServerConfiguration, connectionLimit: Int = 4) {
        self.configuration = configuration
        self.connectionLimit = max(1, connectionLimit)
    }

    deinit { keepAlive?.cancel() }

    /// Opens the first connection and keeps it alive until ``close()``.
    ///
    /// - Throws: ``ServerError`` if the server cannot be reached now; it is tried
    ///   again with every keep-alive and every use.
    public func start() async throws(ServerError) {
        if keepAlive == nil {
            keepAlive = Task { [weak self] in
                while true {
                    // Throws when the task is cancelled.
                    do { try await Task.sleep(for: Self.keepAlivePause) } catch { return }
                    await self?.verifyIdleConnections()
                }
            }
        }
        guard ownThreadIDs.isEmpty else { return }
        put(back: try await open())
    }

    /// Closes the connections; those in use when they come back.
    public func close() async {
        isClosed = true
        keepAlive?.cancel()
        for line in Line.allCases { queues[line]?.failAll(Self.closedError) }
        for connection in idle {
            ownThreadIDs.remove(connection.threadID)
            await connection.close()
        }
        idle = []
    }

    public func withConnection<Answer: Sendable>(
        _ body: @Sendable (any ServerConnection) async throws -> Answer
    ) async throws -> Answer {
        let connection = try await acquire()
        do {
            let answer = try await body(session(on: connection))
            await release(connection)
            return answer
        } catch {
            await release(connection)
            throw error
        }
    }

    public func withConnection<Answer: Sendable>(
        as login: DatabaseLogin, _ body: @Sendable (any ServerConnection) async throws -> Answer
    ) async throws -> Answer {
        let deadline = ContinuousClock.now + configuration.deadlines.freeConnection
        while callersConnections >= connectionLimit { try await wait(in: .callers, until: deadline) }
        guard !isClosed else { throw Self.closedError }
        callersConnections += 1
        defer {
            callersConnections -= 1
            queues[.callers]?.wakeFirst()
        }
        let connection = try await MySQLConnection.open(configuration, as: login)
        callersThreadIDs.insert(connection.threadID)
        defer { callersThreadIDs.remove(connection.threadID) }
        do {
            let answer = try await body(session(on: connection, isCallers: true))
            await connection.close()
            return answer
        } catch {
            await connection.close()
            throw error
        }
    }

    /// All connections to the server that are of this process.
    var allThreadIDs: Set<ThreadID> { ownThreadIDs.union(callersThreadIDs).union(helperThreadIDs) }

    private nonisolated func session(
        on connection: MySQLConnection, isCallers: Bool = false
    ) -> any ServerConnection {
        switch connection.dialect {
        case .mysql: PooledConnection(connection: connection, server: self)
        case .oceanBaseODP(let login):
            // Others to kill with would be logged in as killd.
            ProxyServerConnection(connection: connection, login: login, server: self, mayHaveHelpers: !isCallers)
        }
    }

    public func observe(_ scope: ObservationScope) async throws -> ServerObservation {
        try await snapshot { connection throws(ServerError) in
            try await self.session(on: connection).observe(scope)
        }
    }

    public func list() async throws -> SessionList {
        guard configuration.kind == .mysql else {
            let observation = try await observe(.transactions)
            return SessionList(sessions: observation.sessions, ownThreadIDs: observation.ownThreadIDs)
        }
        let sessions = try await snapshot { connection throws(ServerError) in
            try await connection.list(self.readings)
        }
        // Asked for afterwards, so that a connection opened meanwhile is among them.
        return SessionList(sessions: sessions, ownThreadIDs: allThreadIDs)
    }

    private func snapshot<View: Sendable>(
        _ body: @Sendable (MySQLConnection) async throws(ServerError) -> View
    ) async throws -> View {
        let connection = try await acquire(asking: false)
        do throws(ServerError) {
            let view = try await body(connection)
            await release(connection)
            return view
        } catch {
            await release(connection)
            // A list that was too large is asked for again with the beginnings of statements only.
            // A server that did not answer in time may do so at its administrative address.
            let mayAnswerElsewhere = error.reason == .timedOut && configuration.adminAddress != nil
            guard mayAnswerElsewhere || error.reason == .connectionLost || error.reason == .answerTooLarge
            else { throw error }
        }
        // It may have been lost long ago, and the others with it: the next is asked whether it is alive.
        await verifyAllIdleConnections()
        let other = try await acquire()
        do throws(ServerError) {
            let view = try await body(other)
            await release(other)
            return view
        } catch {
            await release(other)
            throw error
        }
    }

    /// Finds out whether the server answers and gives killd's account the rights
    /// that it needs, in one round trip on a connection that is free; one is
    /// opened if there is none.
    ///
    /// While all are in use nothing is asked: it is what their users heard from
    /// the server last.
    ///
    /// - Throws: ``ServerError``.
    public func checkUsable() async throws {
        let deadline = ContinuousClock.now + configuration.deadlines.freeConnection
        // Right after the start the first one is on its way.
        while opening > 0, ownThreadIDs.isEmpty { try await wait(in: .killd, until: deadline) }
        guard !idle.isEmpty || mayOpen else {
            if let lastLoss { throw lastLoss }
            return
        }
        let connection = try await acquire()
        let missing = connection.missingPrivilege
        await release(connection)
        if let missing {
            throw ServerError(.privilegeMissing(missing), "killd's account lacks the privilege \(missing)")
        }
    }

    /// Opens a connection besides those that are kept, for as long as some work takes.
    func openHelper(of login: ProxyLogin? = nil) async throws(ServerError) -> MySQLConnection {
        guard !isClosed else { throw Self.closedError }
        let connection = try await MySQLConnection.open(configuration, helping: login)
        helperThreadIDs.insert(connection.threadID)
        return connection
    }

    func closeHelper(_ connection: MySQLConnection) async {
        await connection.close()
        helperThreadIDs.remove(connection.threadID)
    }

    // MARK: Connections

    /// - Parameter asking: whether an idle connection is asked first if the
    ///   server is still there, which takes a round trip.
    func acquire(asking: Bool = true) async throws -> MySQLConnection {
        let deadline = ContinuousClock.now + configuration.deadlines.freeConnection
        while true {
            guard !isClosed else { throw Self.closedError }
            if let connection = idle.popLast() {
                if !asking { return connection }
                if await connection.answers(within: configuration.deadlines.check) { return connection }
                drop(connection)
                // The server was restarted, or the network forgot them all.
                await verifyAllIdleConnections()
                continue
            }
            if mayOpen {
                do throws(ServerError) {
                    return try await open()
                } catch {
                    // One of those that are open, or about to be, will come free.
                    guard error.isOfAddress, hasOthers else { throw error }
                    if !idle.isEmpty { continue }
                }
            }
            try await wait(in: .killd, until: deadline)
        }
    }

    /// Why the administrative address serves at present.
    var refusalOfOrdinaryAddress: ServerError? { ordinaryRefusal?.error }

    private var hasOthers: Bool { !ownThreadIDs.isEmpty || opening > 0 }

    private var mayOpen: Bool {
        guard ownThreadIDs.count + opening < connectionLimit else { return false }
        return !hasOthers || refusal?.isRecent != true
    }

    func release(_ connection: MySQLConnection) async {
        // A connection keeps the privileges of its login: after the GRANT, a new one is needed.
        if connection.missingPrivilege != nil { await connection.close() }
        if await connection.isLost {
            lastLoss = ServerError(
                .connectionLost, "a connection to \(configuration.address) broke, or did not answer in time")
            drop(connection)
        } else if isClosed {
            drop(connection)
            await connection.close()
        } else {
            put(back: connection)
            // Nobody waits for this.
            if await connection.holdsLargeRow, !isRenewing { Task { await renew(connection) } }
        }
    }

    /// Takes another connection in the place of one for which the client library holds much memory.
    ///
    /// The other one first: a server that has become full lets nobody else in. Meanwhile the one there is serves.
    private func renew(_ connection: MySQLConnection) async {
        isRenewing = true
        defer { isRenewing = false }
        guard let other = try? await open() else { return await connection.forgetLargeRow() }
        guard !isClosed, let index = idle.firstIndex(where: { $0 === connection }) else {
            // In use: it is tried again when it comes back.
            drop(other)
            return await other.close()
        }
        idle.remove(at: index)
        put(back: other)
        drop(connection)
        await connection.close()
        cmysql_return_free_memory()
    }

    private func put(back connection: MySQLConnection) {
        lastLoss = nil
        idle.append(connection)
        queues[.killd]?.wakeFirst()
    }

    private func drop(_ connection: MySQLConnection) {
        ownThreadIDs.remove(connection.threadID)
        queues[.killd]?.wakeFirst()
    }

    private func open() async throws(ServerError) -> MySQLConnection {
        opening += 1
        defer { opening -= 1 }
        do throws(ServerError) {
            let connection = try await connect()
            refusal = nil
            ownThreadIDs.insert(connection.threadID)
            return connection
        } catch {
            if error.isOfAddress { refusal = Refusal(error: error, until: .now + Self.pauseAfterRefusal) }
            queues[.killd]?.wakeFirst()
            throw error
        }
    }

    private func connect() async throws(ServerError) -> MySQLConnection {
        guard let adminAddress = configuration.adminAddress else {
            return try await MySQLConnection.open(configuration)
        }
        var adminError: ServerError?
        if let known = ordinaryRefusal, known.isRecent {
            do throws(ServerError) {
                return try await MySQLConnection.open(configuration, at: adminAddress)
            } catch {
                // It has few places, and killd may have them all.
                if error.reason == .tooManyConnections { throw known.error.besides(error) }
                adminError = error
            }
        }
        do throws(ServerError) {
            let connection = try await MySQLConnection.open(configuration)
            ordinaryRefusal = nil
            return connection
        } catch {
            guard error.isOfAddress else { throw error }
            ordinaryRefusal = Refusal(error: error, until: .now + Self.pauseOfOrdinaryAddress)
            if let adminError { throw error.besides(adminError) }
            do throws(ServerError) {
                return try await MySQLConnection.open(configuration, at: adminAddress)
            } catch let adminError {
                throw error.besides(adminError)
            }
        }
    }

    /// What the keep-alive does.
    func verifyIdleConnections() async {
        // From the front: the one at the back is the next to be used.
        for _ in idle.indices where !idle.isEmpty {
            let connection = idle.removeFirst()
            if await connection.answers(within: configuration.deadlines.check) {
                put(back: connection)
            } else {
                drop(connection)
            }
        }
        // If the server is away now, the next keep-alive or use tries again.
        if ownThreadIDs.isEmpty, opening == 0, !isClosed, let connection = try? await open() {
            put(back: connection)
        }
    }

    /// Asks all at once, so that it takes no longer where several do not answer.
    private func verifyAllIdleConnections() async {
        let limit = configuration.deadlines.check
        let asked = idle
        idle = []
        await withTaskGroup(of: (MySQLConnection, Bool).self) { group in
            for connection in asked { group.addTask { (connection, await connection.answers(within: limit)) } }
            for await (connection, isAlive) in group {
                if isAlive { put(back: connection) } else { drop(connection) }
            }
        }
    }

    private func wait(in line: Line, until deadline: ContinuousClock.Instant) async throws {
        let ticket = queues[line, default: WaitingQueue()].ticket()
        let timer = Task {
            try await Task.sleep(until: deadline)
            giveUp(ticket, in: line, busy(line))
        }
        defer { timer.cancel() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                queues[line]?.wait(ticket, continuation)
                if Task.isCancelled { giveUp(ticket, in: line, CancellationError()) }
            }
        } onCancel: {
            Task { await self.giveUp(ticket, in: line, CancellationError()) }
        }
    }

    private func giveUp(_ ticket: WaitingQueue.Ticket, in line: Line, _ error: any Error) {
        queues[line]?.fail(ticket, error)
    }

    private func busy(_ line: Line) -> ServerError {
        if line == .killd, let refusal, ownThreadIDs.count < connectionLimit {
            return ServerError(
                refusal.error.reason, code: refusal.error.code,
                "the \(ownThreadIDs.count) connections there are stayed busy until the deadline, and no other could be "
                    + "opened: \(refusal.error.description)")
        }
        return ServerError(.timedOut, "all \(connectionLimit) connections stayed busy until the deadline")
    }

    private static let closedError = ServerError(.other, "killd is closing its connections")
}

extension ServerError {
    /// Whether another address of the same server, or another connection, may do: it is not killd's account that was
    /// refused, nor what answered.
    fileprivate var isOfAddress: Bool {
        switch reason {
        case .unreachable, .tooManyConnections, .connectionLost, .timedOut, .other: true
        // Comes in place of the greeting.
        case .loginRefused: code == ErrorNumber.hostIsBlocked
        case .tlsUnavailable, .privilegeMissing, .behindProxy, .unexpectedKind, .startedMomentsAgo, .answerTooLarge:
            false
        }
    }

    /// The same, with what the administrative address answered.
    fileprivate func besides(_ adminError: ServerError) -> ServerError {
        ServerError(reason, code: code, "\(description); \(adminError.description)")
    }
}

extension MySQLConnection {
    /// Whether the server is still there.
    fileprivate func answers(within limit: Duration) -> Bool {
        let answer = run("DO 0", within: limit)
        guard answer.failure == nil else {
            close()
            return false
        }
        return true
    }
}
