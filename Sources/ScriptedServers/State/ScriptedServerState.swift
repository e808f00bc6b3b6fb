import SessionKill

/// A scripted server at a moment: what it shows, and what it answers. It waits for nothing and has no clock.
///
/// It goes on by what it is asked, by the KILLs that it is sent and by the time at which that is.
public struct ScriptedServerState: Hashable, Sendable, Codable {
    let script: Seed.Server
    /// Among the servers of a scene.
    let name: String
    let began: UnixTime
    var process: ServerProcess
    var sessions: [ThreadID: LiveSession] = [:]
    /// Prepared XA transactions whose sessions are gone.
    var leftTransactions: [OpenTransaction] = []
    var faults: [LiveFault]
    /// Of killd, by their numbers.
    var connections: [UInt64: OwnConnection] = [:]
    private var connectionsOpened: UInt64 = 0
    private var processes = 1
    private var failovers = 0
    private var transactionsBegun: UInt64 = 0
    /// How often somebody has read the list.
    var lists = 0
    /// The same, and how often somebody has looked whether sessions are still there.
    var looks = 0
    private(set) var lastReading: Reading?
    private var readings = 0

    struct Reading: Hashable, Sendable, Codable {
        let reading: TransactionReading
        let time: UnixTime
    }

    /// The scene's beginning.
    ///
    /// - Parameter name: by which its servers are told apart, such as `pc-1/pi-1`.
    public init(_ script: Seed.Server, name: String, at now: UnixTime) {
        self.script = script
        self.name = name
        began = now
        faults = script.faults.map { LiveFault($0, at: now) }
        process = ServerProcess(
            script, name: name, number: 0, failover: 0,
            startedAt: now.before(bySeconds: script.uptime), sessions: script.sessions)
        enter(script.sessions, at: now)
    }

    private mutating func enter(_ seeds: [Seed.Session], at now: UnixTime) {
        for seed in seeds {
            sessions[seed.id] = LiveSession(
                seed, performanceSchemaThreadID: process.performanceSchemaThreadID(ofFirst: seed.id),
                transactionID: nextTransactionID(), at: now)
        }
    }

    mutating func nextTransactionID() -> String {
        transactionsBegun &+= 1
        return String(421_300 &+ transactionsBegun)
    }

    // MARK: Processes

    /// Ends the process with all its sessions and connections; another one comes in its place.
    mutating func restart(with seeds: [Seed.Session], asAnotherServer: Bool, at now: UnixTime) {
        if asAnotherServer { failovers &+= 1 }
        process = ServerProcess(
            script, name: name, number: processes, failover: failovers,
            startedAt: asAnotherServer ? now.before(bySeconds: script.uptime) : now, sessions: seeds)
        processes &+= 1
        sessions = [:]
        connections = [:]
        lastReading = nil
        // What is prepared outlives the process, but not the failover to a server that never had it.
        if asAnotherServer { leftTransactions = [] }
        enter(seeds, at: now)
    }

    // MARK: Connections

    /// Opens a connection.
    ///
    /// - Parameter login: in place of killd's account.
    public mutating func connect(as login: DatabaseLogin?, at now: UnixTime) throws(ServerError) -> UInt64 {
        settle(at: now)
        let account = try account(of: login)
        if let refusal = takeRefusal(ofConnecting: true) { throw ServerError(refusal, account.user, self) }
        let id = process.nextThreadID(sparing: Set(sessions.keys).union(connections.values.map(\.threadID)))
        connectionsOpened &+= 1
        connections[connectionsOpened] = OwnConnection(
            number: connectionsOpened, threadID: id,
            performanceSchemaThreadID: process.nextPerformanceSchemaThreadID(), account: account,
            isDelegated: login != nil, draw: process.draw(of: connectionsOpened), lastUsed: now)
        return connectionsOpened
    }

    public mutating func disconnect(_ number: UInt64) { connections[number] = nil }

    /// Those that are left when killd ends.
    public mutating func disconnectAll() { connections = [:] }

    public func isOpen(_ number: UInt64) -> Bool { connections[number] != nil }

    /// As whom a connection is logged in.
    private func account(of login: DatabaseLogin?) throws(ServerError) -> OwnConnection.Account {
        guard let login else {
            let granted = Set(Seed.Privilege.allCases).subtracting(script.lacks)
            return OwnConnection.Account(user: script.kind.ownUser, privileges: granted)
        }
        let user = script.users.first { user in
            guard let known = try? DatabaseLogin(user: user.name, password: DatabasePassword(user.password)) else {
                return false
            }
            return known == login
        }
        guard let user else { throw ServerError(.loginRefused, login.user, self) }
        return OwnConnection.Account(user: user.name, privileges: user.privileges)
    }

    func isOwn(_ id: ThreadID) -> Bool { connections.values.contains { $0.threadID == id } }

    /// The connection on which something is asked.
    mutating func use(_ number: UInt64, at now: UnixTime) throws(ServerError) -> OwnConnection {
        guard let connection = connections[number] else { throw .connectionLost }
        connections[number]?.lastUsed = now
        return connection
    }
}

/// A connection of killd's to a scripted server.
struct OwnConnection: Hashable, Sendable, Codable {
    let number: UInt64
    let threadID: ThreadID
    let performanceSchemaThreadID: UInt64
    let account: Account
    /// Whether somebody else than killd is logged in.
    let isDelegated: Bool
    let draw: String
    var lastUsed: UnixTime

    struct Account: Hashable, Sendable, Codable {
        let user: String
        let privileges: Set<Seed.Privilege>
    }

    /// killd's machine.
    static let address = "10.0.0.2"

    var host: String { "\(Self.address):\(30_000 + number % 30_000)" }
}

extension Seed.Kind {
    /// killd's account.
    var ownUser: String { self == .oceanBaseODP ? "root@sys" : "killd" }
}

extension ScriptedServerState {
    /// InnoDB renews what it shows only now and then, and killd asks no more often than that.
    private static let pauseOfReadings: Int64 = 250

    /// Has the transactions read anew when they are next asked for.
    mutating func forgetReading() { lastReading = nil }

    /// The open transactions, as read less than 250 ms ago.
    mutating func reading(at now: UnixTime) -> TransactionReading {
        if let last = lastReading, (0..<Self.pauseOfReadings).contains(now.milliseconds(since: last.time)) {
            return last.reading
        }
        readings &+= 1
        let own = sessions.values.sorted { $0.id < $1.id }.compactMap { $0.openTransaction(on: script.kind, at: now) }
        let reading = TransactionReading(number: readings, transactions: own + leftTransactions)
        lastReading = Reading(reading: reading, time: now)
        return reading
    }
}
