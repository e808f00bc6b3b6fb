import SeededRandom
import SessionKill

@testable import MySQLSessions

/// A pool with callers, a server and a clock, all driven by one generator; it keeps its own account of what the pool
/// was told and answered, and compares.
struct PoolSimulation {
    typealias Machine = ConnectionPoolMachine

    private var pool: Machine
    private var generator: SplitMix64
    private var now = ContinuousClock.now

    private struct Request {
        let purpose: Machine.Purpose
        let deadline: Machine.Instant
        /// Whether a connection has been set aside for it and is being checked.
        var isServed = false
    }

    /// Not answered yet.
    private var requests: [Machine.RequestID: Request] = [:]
    private var allRequests: [Machine.RequestID] = []
    private var openings: Set<Machine.ConnectionID> = []
    private var open: Set<Machine.ConnectionID> = []
    private var leased: Set<Machine.ConnectionID> = []
    private var checks: [Machine.ConnectionID: Machine.RequestID?] = [:]
    private var lost: Set<Machine.ConnectionID> = []
    private var admitted = 0
    private var lastError: ServerError?
    private var cancelled: Machine.RequestID?
    private var isClosed = false

    /// The first promise that was not kept.
    private(set) var broken: String?
    private(set) var trace: [String] = []

    init(seed: UInt64) {
        generator = SplitMix64(seed: seed)
        pool = Machine(limit: Int.random(in: 1...4, using: &generator))
    }

    private mutating func require(_ condition: Bool, _ promise: String) {
        if !condition, broken == nil { broken = promise }
    }

    private mutating func any(_ connections: some Sequence<Machine.ConnectionID>) -> Machine.ConnectionID? {
        // In an order that does not depend on hashes.
        connections.sorted { $0.number < $1.number }.randomElement(using: &generator)
    }

    // MARK: Events

    mutating func step() {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<30: request()
        case 30..<45: endOpening(succeeds: Int.random(in: 0..<10, using: &generator) < 6)
        case 45..<60: endCheck(isAlive: Int.random(in: 0..<10, using: &generator) < 8)
        case 60..<80: release(isUsable: Int.random(in: 0..<10, using: &generator) < 8)
        case 80..<84: endDelegatedLogin()
        case 84..<89: cancel()
        case 89..<95: pass(.milliseconds(Int.random(in: 0...3_000, using: &generator)))
        case 95..<97: happened("keep alive", pool.keepAlive(at: now))
        case 97..<99: happened("check all that are idle", pool.checkAllIdle())
        default: if Int.random(in: 0..<10, using: &generator) == 0 { close() }
        }
    }

    private mutating func request() {
        let purposes: [Machine.Purpose] = [.work, .work, .snapshot, .snapshot, .probe, .delegatedLogin]
        let purpose = purposes.randomElement(using: &generator) ?? .work
        let deadline = now + .milliseconds(Int.random(in: 0...10_000, using: &generator))
        let preferred = Bool.random(using: &generator) ? any(open) : nil
        let isIdle = preferred.map(pool.idle.contains) ?? false
        let (id, actions) = pool.request(for: purpose, preferring: preferred, until: deadline, at: now)
        if isIdle, let preferred, purpose != .delegatedLogin {
            let isHandedOut = [.check(preferred, for: id), .respond(id, .connection(preferred))].contains(actions.first)
            require(isHandedOut, "whoever wishes for a connection that is idle gets it")
        }
        require(requests[id] == nil && !allRequests.contains(id), "a request has an id of its own")
        requests[id] = Request(purpose: purpose, deadline: deadline)
        allRequests.append(id)
        happened("request \(id.number) for \(purpose), preferring \(preferred?.number ?? 0)", actions)
    }

    private mutating func endOpening(succeeds: Bool) {
        guard let connection = any(openings) else { return }
        openings.remove(connection)
        if succeeds {
            open.insert(connection)
            return happened("opened \(connection.number)", pool.opened(connection, at: now))
        }
        let errors = [
            ServerError(.unreachable, "nobody listens"), ServerError(.tooManyConnections, code: 1_040, "full"),
            ServerError(.loginRefused, code: 1_045, "access denied"),
        ]
        let error = errors.randomElement(using: &generator) ?? errors[0]
        lastError = error
        happened("not opened \(connection.number): \(error)", pool.openingFailed(connection, error, at: now))
    }

    private mutating func endCheck(isAlive: Bool) {
        guard let connection = any(checks.keys), let request = checks.removeValue(forKey: connection) else { return }
        if !isAlive {
            lost.insert(connection)
            if let request { requests[request]?.isServed = false }
        }
        happened(
            "checked \(connection.number): \(isAlive)", pool.checked(connection, isAlive: isAlive, at: now),
            checkedFor: request)
    }

    private mutating func release(isUsable: Bool) {
        guard let connection = any(leased) else { return }
        leased.remove(connection)
        if !isUsable { lost.insert(connection) }
        let condition: Machine.Condition =
            !isUsable
            ? .lost(ServerError(.connectionLost, "it broke"))
            : Int.random(in: 0..<5, using: &generator) == 0 ? .large : .usable
        happened("released \(connection.number): \(condition)", pool.released(connection, condition, at: now))
    }

    private mutating func endDelegatedLogin() {
        guard admitted > 0 else { return }
        admitted -= 1
        happened("a delegated login ended", pool.delegatedLoginEnded())
    }

    /// Of any request, also of one that was answered.
    private mutating func cancel() {
        guard let request = allRequests.randomElement(using: &generator) else { return }
        cancelled = request
        if let connection = checks.first(where: { $0.value == request })?.key { checks[connection] = .some(nil) }
        happened("cancel \(request.number)", pool.cancel(request, at: now))
        require(requests[request] == nil, "who is cancelled is answered")
        cancelled = nil
    }

    private mutating func pass(_ time: Duration) {
        now += time
        for request in requests.filter({ $0.value.deadline <= now }).keys.sorted() where requests[request] != nil {
            happened("the deadline of \(request.number)", pool.deadlineReached(at: now))
        }
        let overdue = pool.line.entries.filter { $0.deadline <= now }
        require(
            overdue.count <= pool.openings.count + pool.checks.count,
            "nobody waits beyond the deadline but for a connection that is on its way")
        require(pool.delegatedLine.entries.allSatisfy { $0.deadline > now }, "a delegated login waits no longer")
    }

    private mutating func close() {
        isClosed = true
        happened("close", pool.close())
    }

    /// Brings everything that is under way to its end: whoever waits is answered then.
    mutating func drain() {
        for _ in 0..<1_000 where broken == nil {
            if openings.isEmpty, checks.isEmpty, leased.isEmpty, admitted == 0 { break }
            endOpening(succeeds: true)
            endCheck(isAlive: true)
            release(isUsable: true)
            endDelegatedLogin()
        }
        require(requests.isEmpty, "whoever waits is answered: \(requests.keys.map(\.number))")
        close()
        require(open.isEmpty, "whatever was opened is closed in the end")
    }

    // MARK: What the pool says

    private mutating func happened(
        _ event: String, _ actions: [Machine.Action], checkedFor request: Machine.RequestID? = nil
    ) {
        trace.append("\(event) -> \(actions)")
        for action in actions { apply(action, checkedFor: request) }
        compare()
    }

    private mutating func apply(_ action: Machine.Action, checkedFor checkedRequest: Machine.RequestID?) {
        switch action {
        case .open(let connection):
            require(!open.contains(connection), "a connection is opened once")
            require(openings.insert(connection).inserted, "a connection is opened once")
        case .check(let connection, for: let request):
            requireIsFree(connection)
            if let request {
                requireIsNext(request)
                requests[request]?.isServed = true
            }
            checks[connection] = .some(request)
        case .close(let connection):
            require(!leased.contains(connection), "no connection is closed while somebody has it")
            require(open.remove(connection) != nil, "a connection is closed once")
        case .forgetLargeRow, .wakeUp: break
        case .respond(let request, let response):
            guard let asked = requests[request] else { return require(false, "each request is answered once") }
            apply(response, to: request, asked, checkedFor: checkedRequest)
            requests[request] = nil
        }
    }

    private mutating func apply(
        _ response: Machine.Response, to request: Machine.RequestID, _ asked: Request,
        checkedFor checkedRequest: Machine.RequestID?
    ) {
        switch response {
        case .connection(let connection):
            require(asked.purpose != .delegatedLogin, "a delegated login gets no connection of the pool")
            requireIsFree(connection)
            if request != checkedRequest { requireIsNext(request) }
            leased.insert(connection)
        case .admitted:
            require(asked.purpose == .delegatedLogin, "only delegated logins are admitted")
            requireIsNext(request)
            admitted += 1
        case .allInUse:
            require(asked.purpose == .probe, "only a probe does without a connection")
            require(pool.idle.isEmpty, "a probe gets a connection that is free")
        case .failure(.closed): require(isClosed, "only a closed pool says so")
        case .failure(.cancelled): require(request == cancelled, "only who was cancelled hears so")
        case .failure(.busy): require(asked.deadline <= now, "nobody gives up before the deadline")
        case .failure(.notOpened(let error)): require(error == lastError, "the error is the one that there was")
        }
    }

    private mutating func requireIsFree(_ connection: Machine.ConnectionID) {
        require(open.contains(connection), "a connection that is handed out is open")
        require(!lost.contains(connection), "a lost connection is handed to nobody")
        require(!leased.contains(connection) && checks[connection] == nil, "a connection is handed to one at a time")
    }

    /// Those who wait are served in the order in which they came.
    private mutating func requireIsNext(_ request: Machine.RequestID) {
        let isDelegated = requests[request]?.purpose == .delegatedLogin
        let waiting = requests.filter { !$0.value.isServed && ($0.value.purpose == .delegatedLogin) == isDelegated }
        require(waiting.keys.min() == request, "\(request.number) came before those who waited longer")
    }

    private mutating func compare() {
        let free = open.subtracting(leased).subtracting(checks.keys)
        require(Set(pool.idle) == free && pool.idle.count == free.count, "what nobody uses is idle")
        require(pool.leased == leased && Set(pool.checks.keys) == Set(checks.keys), "what is in use is known")
        require(open.count <= pool.limit, "there are no more connections than the limit")
        let most = pool.limit + (pool.replacement == nil ? 0 : 1)
        require(open.count + openings.count <= most || isClosed, "no more are opened than the limit")
        require(admitted <= pool.limit, "there are no more delegated logins than the limit")
        let waiting = requests.filter { !$0.value.isServed }
        let (delegated, others) = (
            waiting.filter { $0.value.purpose == .delegatedLogin }.keys.sorted(),
            waiting.filter { $0.value.purpose != .delegatedLogin }.keys.sorted()
        )
        require(pool.line.entries.map(\.id) == others, "whoever is not answered waits, in the order of arrival")
        require(pool.delegatedLine.entries.map(\.id) == delegated, "whoever is not answered waits")
        require(others.isEmpty || free.isEmpty, "nobody waits while a connection is idle")
        require(delegated.isEmpty || admitted == pool.limit, "no delegated login waits needlessly")
        require(
            others.isEmpty || !leased.isEmpty || !checks.isEmpty || !openings.isEmpty,
            "whoever waits can count on something")
        require(!isClosed || others.isEmpty && delegated.isEmpty && free.isEmpty, "a closed pool keeps nothing")
    }
}
