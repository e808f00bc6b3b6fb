import SessionKill

/// Which connections of a pool are opened, handed out, checked and closed, and who waits for one.
///
/// A pure value: it is told what happened and when, and answers what is to be done. To it connections and requests are
/// numbers; ``MySQLServer`` has what they stand for, and does what it is told.
///
/// What always holds:
/// - At most ``limit`` connections are open or about to be, and one more while it is to replace another.
/// - A connection that is free goes to the request that has waited longest; nobody waits while one is idle.
/// - A connection that is lost is handed to nobody, and each request is answered once.
/// - Whoever waits can count on something: a connection in use, a check, or an opening.
struct ConnectionPoolMachine: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// The most connections, and the most delegated logins besides.
    let limit: Int

    /// The connections that nobody uses; the one that was used last is at the end.
    private(set) var idle: [ConnectionID] = []
    private(set) var leased: Set<ConnectionID> = []
    private(set) var checks: [ConnectionID: Check] = [:]
    private(set) var openings: Set<ConnectionID> = []
    private(set) var replacement: Replacement?
    private(set) var line = WaitingLine()
    private(set) var delegatedLogins = 0
    private(set) var delegatedLine = WaitingLine()
    private(set) var isClosed = false
    /// Why a connection in use was lost, until one comes back that is not.
    private var lastLoss: ServerError?
    /// Why no address gave one connection more than there were.
    private var rejection: (error: ServerError, until: Instant)?
    /// Whether a connection is to be there once the checks are done.
    private var isKeepingAlive = false
    private var lastNumber = 0

    /// For how long no other connection is tried after one could not be opened.
    static let pauseAfterRejection = Duration.seconds(1)

    init(limit: Int) { self.limit = max(1, limit) }

    var connectionCount: Int { idle.count + leased.count + checks.count }
    var openingCount: Int { openings.count + (replacement == nil ? 0 : 1) }

    private var hasOthers: Bool { connectionCount > 0 || openingCount > 0 }

    private func mayOpen(at time: Instant) -> Bool {
        guard !isClosed, connectionCount + openingCount < limit else { return false }
        return !hasOthers || rejection.map { $0.until <= time } ?? true
    }

    /// How many of those who wait can count on a connection that is on its way.
    private var expected: Int { openings.count + checks.values.count { $0.request == nil } }

    private mutating func nextNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }
}

// MARK: Requests

extension ConnectionPoolMachine {
    /// - Parameter connection: the one to hand out if it is idle.
    mutating func request(
        for purpose: Purpose, preferring connection: ConnectionID? = nil, until deadline: Instant, at time: Instant
    ) -> (id: RequestID, actions: [Action]) {
        let entry = WaitingLine.Entry(id: RequestID(number: nextNumber()), purpose: purpose, deadline: deadline)
        return (entry.id, actions(for: entry, preferring: connection, at: time))
    }

    private mutating func actions(
        for entry: WaitingLine.Entry, preferring preferred: ConnectionID?, at time: Instant
    ) -> [Action] {
        guard !isClosed else { return [.respond(entry.id, .failure(.closed))] }
        if entry.purpose == .delegatedLogin {
            guard delegatedLogins == limit else {
                delegatedLogins += 1
                return [.respond(entry.id, .admitted)]
            }
            delegatedLine.insert(entry)
            return [.wakeUp(entry.id, at: entry.deadline)]
        }
        if let preferred, let index = idle.firstIndex(of: preferred) { idle.append(idle.remove(at: index)) }
        guard let connection = idle.popLast() else { return wait(entry) + settle(at: time) }
        return [hand(connection, to: entry)]
    }

    /// Ends the wait of a request that nobody wants answered any more.
    mutating func cancel(_ request: RequestID, at time: Instant) -> [Action] {
        let canceled: [Action] = [.respond(request, .failure(.cancelled))]
        if line.remove(request) != nil || delegatedLine.remove(request) != nil { return canceled + settle(at: time) }
        guard let connection = checks.first(where: { $1.request?.id == request })?.key else { return [] }
        checks[connection] = Check()
        return canceled + settle(at: time)
    }

    mutating func deadlineReached(at time: Instant) -> [Action] { settle(at: time) }

    private mutating func wait(_ entry: WaitingLine.Entry) -> [Action] {
        line.insert(entry)
        return [.wakeUp(entry.id, at: entry.deadline)]
    }

    private mutating func hand(_ connection: ConnectionID, to entry: WaitingLine.Entry) -> Action {
        guard entry.purpose == .snapshot else {
            checks[connection] = Check(request: entry)
            return .check(connection, for: entry.id)
        }
        leased.insert(connection)
        return .respond(entry.id, .connection(connection))
    }

    /// Gives a free connection to whoever has waited longest.
    ///
    /// - Parameter isFresh: whether it has just shown that it is alive.
    private mutating func offer(_ connection: ConnectionID, isFresh: Bool) -> [Action] {
        guard let first = line.removeFirst() else {
            lastLoss = nil
            idle.append(connection)
            return []
        }
        guard isFresh else { return [hand(connection, to: first)] }
        leased.insert(connection)
        return [.respond(first.id, .connection(connection))]
    }
}

// MARK: Connections

extension ConnectionPoolMachine {
    mutating func opened(_ connection: ConnectionID, at time: Instant) -> [Action] {
        let replaced = replacement?.new == connection ? replacement?.old : nil
        if replaced != nil { replacement = nil } else { openings.remove(connection) }
        rejection = nil
        guard !isClosed else { return [.close(connection)] }
        guard let replaced else { return offer(connection, isFresh: true) + settle(at: time) }
        if let index = idle.firstIndex(of: replaced) {
            idle.remove(at: index)
            return [.close(replaced)] + offer(connection, isFresh: true) + settle(at: time)
        }
        // In use: it is tried again when it comes back.
        guard !line.isEmpty, connectionCount + openingCount < limit else {
            return [.close(connection)] + settle(at: time)
        }
        return offer(connection, isFresh: true) + settle(at: time)
    }

    mutating func openingFailed(_ connection: ConnectionID, _ error: ServerError, at time: Instant) -> [Action] {
        if error.isOfAddress { rejection = (error, time.advanced(by: Self.pauseAfterRejection)) }
        if let failed = replacement, failed.new == connection {
            replacement = nil
            return [.forgetLargeRow(failed.old)] + settle(at: time)
        }
        openings.remove(connection)
        // One of those that are open, or about to be, will come free.
        if error.isOfAddress, hasOthers { return settle(at: time) }
        guard let first = line.removeFirst() else { return settle(at: time) }
        return [.respond(first.id, .failure(.notOpened(error)))] + settle(at: time)
    }

    mutating func checked(_ connection: ConnectionID, isAlive: Bool, at time: Instant) -> [Action] {
        guard let check = checks.removeValue(forKey: connection) else { return [] }
        guard isAlive else { return lost(connection, for: check.request) + settle(at: time) }
        if let request = check.request {
            leased.insert(connection)
            return [.respond(request.id, .connection(connection))]
        }
        guard !isClosed else { return [.close(connection)] }
        return offer(connection, isFresh: true) + settle(at: time)
    }

    private mutating func lost(_ connection: ConnectionID, for request: WaitingLine.Entry?) -> [Action] {
        guard let request else { return [.close(connection)] }
        guard !isClosed else { return [.close(connection), .respond(request.id, .failure(.closed))] }
        // The server was restarted, or the network forgot them all.
        return [.close(connection)] + wait(request) + checkAllIdle()
    }

    /// - Parameter condition: how it is, now that whoever had it gives it back.
    mutating func released(_ connection: ConnectionID, _ condition: Condition, at time: Instant) -> [Action] {
        guard leased.remove(connection) != nil else { return [] }
        if case .lost(let error) = condition {
            lastLoss = error
            return [.close(connection)] + settle(at: time)
        }
        guard !isClosed else { return [.close(connection)] }
        lastLoss = nil
        var actions = offer(connection, isFresh: false)
        // The other one first: a server that has become full lets nobody else in. Meanwhile the one there is serves.
        if condition == .large, replacement == nil, idle.contains(connection) {
            let new = ConnectionID(number: nextNumber())
            replacement = Replacement(old: connection, new: new)
            actions.append(.open(new))
        }
        return actions
    }

    mutating func delegatedLoginEnded() -> [Action] {
        guard let first = delegatedLine.removeFirst() else {
            delegatedLogins -= 1
            return []
        }
        return [.respond(first.id, .admitted)]
    }

    /// Has all that are idle asked if they are alive, and a connection opened if there is none then.
    mutating func keepAlive(at time: Instant) -> [Action] {
        guard !isClosed else { return [] }
        isKeepingAlive = true
        return checkAllIdle() + settle(at: time)
    }

    /// Has all that are idle asked if they are alive, at once, so that it takes no longer where several do not answer.
    mutating func checkAllIdle() -> [Action] {
        let connections = idle
        idle = []
        for connection in connections { checks[connection] = Check() }
        return connections.map { .check($0, for: nil) }
    }

    /// Closes the pool; the connections in use are closed when they come back.
    mutating func close() -> [Action] {
        isClosed = true
        let waiting = line.removeAll() + delegatedLine.removeAll()
        let connections = idle
        idle = []
        return waiting.map { .respond($0.id, .failure(.closed)) } + connections.map { .close($0) }
    }

    /// What follows for those who wait, after anything has happened.
    private mutating func settle(at time: Instant) -> [Action] {
        var actions: [Action] = []
        let rejection = connectionCount < limit ? rejection?.error : nil
        for entry in line.removeOverdue(at: time, behind: expected) {
            actions.append(.respond(entry.id, .failure(.busy(connections: connectionCount, rejection: rejection))))
        }
        for entry in delegatedLine.removeOverdue(at: time, behind: 0) {
            actions.append(.respond(entry.id, .failure(.busy(connections: limit, rejection: nil))))
        }
        // Right after the start the first connection is on its way.
        let firstIsOnItsWay = connectionCount == 0 && openingCount > 0
        if !firstIsOnItsWay {
            if mayOpen(at: time) {
                line.makeProbesWork()
            } else {
                for entry in line.removeProbes() { actions.append(.respond(entry.id, .allInUse(lastLoss: lastLoss))) }
            }
        }
        while line.workCount > expected, mayOpen(at: time) { actions.append(open()) }
        if isKeepingAlive, checks.values.allSatisfy({ $0.request != nil }) {
            isKeepingAlive = false
            // If the server is away now, the next keep-alive or use tries again.
            if !hasOthers, !isClosed { actions.append(open()) }
        }
        return actions
    }

    private mutating func open() -> Action {
        let connection = ConnectionID(number: nextNumber())
        openings.insert(connection)
        return .open(connection)
    }
}
