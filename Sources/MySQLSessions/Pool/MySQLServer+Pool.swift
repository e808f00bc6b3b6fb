import CMySQL
import SessionKill

/// A connection of the pool while somebody has it.
struct Lease: Sendable {
    let id: ConnectionPoolMachine.ConnectionID
    let connection: MySQLConnection
}

extension MySQLServer {
    /// Whoever waits for the response to a request.
    struct PendingRequest {
        let continuation: CheckedContinuation<ConnectionPoolMachine.Response, Never>
        var timer: Task<Void, any Error>?
    }

    /// - Throws: ``ServerError``, or `CancellationError`.
    func acquire(
        for purpose: ConnectionPoolMachine.Purpose = .work, preferring connection: ConnectionIdentity? = nil
    ) async throws -> Lease {
        let preferred = connection.flatMap { connection in
            connections.first { $0.value.number == connection.number }?.key
        }
        guard let lease = try lease(by: await response(to: purpose, preferring: preferred)) else {
            throw Self.closedError
        }
        return lease
    }

    /// A connection to find out by if the server can be used; `nil` while all are in use and do well.
    ///
    /// - Throws: ``ServerError``, also one that a connection was lost with, or `CancellationError`.
    func acquireToProbe() async throws -> Lease? { try lease(by: await response(to: .probe)) }

    /// Waits until one more delegated login may be opened.
    ///
    /// - Throws: ``ServerError``, or `CancellationError`.
    func admitDelegatedLogin() async throws { _ = try lease(by: await response(to: .delegatedLogin)) }

    private func lease(by response: ConnectionPoolMachine.Response) throws -> Lease? {
        switch response {
        case .connection(let id): return connections[id].map { Lease(id: id, connection: $0) }
        case .admitted, .allInUse(lastLoss: nil): return nil
        case .allInUse(let lastLoss?): throw lastLoss
        case .failure(.cancelled): throw CancellationError()
        case .failure(.closed): throw Self.closedError
        case .failure(.notOpened(let error)): throw error
        case .failure(.busy(let connections, let rejection?)):
            throw ServerError(
                rejection.reason, code: rejection.code,
                "the \(connections) connections there are stayed busy until the deadline, and no other could be "
                    + "opened: \(rejection.description)")
        case .failure(.busy(_, rejection: nil)):
            throw ServerError(.timedOut, "all \(pool.limit) connections stayed busy until the deadline")
        }
    }

    private func response(
        to purpose: ConnectionPoolMachine.Purpose, preferring preferred: ConnectionPoolMachine.ConnectionID? = nil
    ) async -> ConnectionPoolMachine.Response {
        let now = ContinuousClock.now
        let deadline = now + configuration.deadlines.freeConnection
        let (request, actions) = pool.request(for: purpose, preferring: preferred, until: deadline, at: now)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                pendingRequests[request] = PendingRequest(continuation: continuation)
                perform(actions)
            }
        } onCancel: {
            Task { await self.cancel(request) }
        }
    }

    private func cancel(_ request: ConnectionPoolMachine.RequestID) { perform(pool.cancel(request, at: .now)) }

    func release(_ lease: Lease) async {
        // A connection keeps the privileges of its login: after the GRANT, a new one is needed.
        if lease.connection.missingPrivilege != nil { await lease.connection.close() }
        let condition: ConnectionPoolMachine.Condition =
            switch await lease.connection.condition {
            case .usable: .usable
            case .large: .large
            case .lost:
                .lost(
                    ServerError(
                        .connectionLost, "a connection to \(configuration.address) broke, or did not answer in time"))
            }
        let actions = pool.released(lease.id, condition, at: .now)
        if pool.isClosed { await finish(actions) } else { perform(actions) }
    }

    // MARK: Actions

    /// Begins all of `actions`.
    ///
    /// - Returns: what is still under way of them, with what follows from it.
    @discardableResult
    func perform(_ actions: [ConnectionPoolMachine.Action]) -> [Task<Void, Never>] {
        actions.compactMap { action in
            switch action {
            case .open(let id): return Task { await self.open(id) }
            case .check(let id, for: _):
                return connections[id].map { connection in Task { await self.check(id, connection) } }
            case .close(let id):
                return connections.removeValue(forKey: id).map { connection in
                    Task {
                        if await connection.closeAndTellIfLarge() { cmysql_return_free_memory() }
                    }
                }
            case .forgetLargeRow(let id):
                return connections[id].map { connection in Task { await connection.forgetLargeRow() } }
            case .respond(let request, let response):
                let pending = pendingRequests.removeValue(forKey: request)
                pending?.timer?.cancel()
                pending?.continuation.resume(returning: response)
            case .wakeUp(let request, at: let time):
                pendingRequests[request]?.timer?.cancel()
                pendingRequests[request]?.timer = Task {
                    try await Task.sleep(until: time)
                    perform(pool.deadlineReached(at: max(time, .now)))
                }
            }
            return nil
        }
    }

    /// Performs `actions`, and returns when they are done and what follows from them.
    func finish(_ actions: [ConnectionPoolMachine.Action]) async {
        for task in perform(actions) { await task.value }
    }

    private func open(_ id: ConnectionPoolMachine.ConnectionID) async {
        let actions: [ConnectionPoolMachine.Action]
        do throws(ServerError) {
            connections[id] = try await connect()
            actions = pool.opened(id, at: .now)
        } catch {
            actions = pool.openingFailed(id, error, at: .now)
        }
        await finish(actions)
    }

    private func check(_ id: ConnectionPoolMachine.ConnectionID, _ connection: MySQLConnection) async {
        let isAlive = await connection.isAlive(within: configuration.deadlines.check)
        await finish(pool.checked(id, isAlive: isAlive, at: .now))
    }
}

extension MySQLConnection {
    /// Whether the server is still there.
    fileprivate func isAlive(within limit: Duration) -> Bool {
        let response = run("DO 0", within: limit)
        guard response.failure == nil else {
            close()
            return false
        }
        return true
    }

    fileprivate enum Condition { case usable, large, lost }

    fileprivate var condition: Condition { isLost ? .lost : holdsLargeRow ? .large : .usable }

    fileprivate func closeAndTellIfLarge() -> Bool {
        defer { close() }
        return holdsLargeRow
    }
}
