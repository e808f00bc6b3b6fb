// A double of OceanBase Database Proxy (ODP): it proves killd's adapter, not ODP.
//
// It speaks as much of MySQL's protocol as the adapter needs and answers by the contract that was read from
// obproxy's public source, tag v4.3.1 (81eeae9); nothing of it was compared with a running ODP. What stands in the
// source as inference only carries the mark [I].

import DedicatedThread
import Dispatch
import Glibc
import MySQLWire
import Synchronization

/// An ODP with its clients, and the database servers behind it as far as
/// GV$OB_PROCESSLIST shows them. Its clients are real connections, which see
/// theirs end.
public final class ODPDouble: Sendable {
    /// Where it really listens.
    public let port: UInt16
    private let listener: Int32
    private let state: Mutex<State>

    public struct Settings: Sendable {
        /// What it takes for its own address, which every proxy_sessid begins with.
        public var address: UInt32 = 0xAC1E_8C40
        public var ownPort: UInt16 = 2_883
        public var processID = 76_286
        /// Of whoever logs in without naming one.
        public var cluster = "obdemo"
        /// `nil` for one too old to know proxy_version().
        public var version: String? = "4.3.1"
        /// Of session ids: 2 where the ids are the database servers', too.
        public var idVersion = 1
        /// Without, SHOW PROXYSESSION has 12 columns, as older ones have.
        public var showsSSL = true
        /// From the KILL to the end of the client's connection; `nil` for never. In truth up to a second or more.
        public var closeDelay: Duration? = .zero
        /// For how long a database server goes on with a session that was killed.
        public var dyingTime = Duration.zero
        /// Whether ids that nobody has are answered by 4016 in place of 1094.
        public var saysInternalError = false
        /// Whether the database servers have no GV$OB_PROCESSLIST.
        public var lacksProcessList = false
        /// Names of users whose login is refused.
        public var refusedUsers: Set<String> = []
        /// Asked before a statement is carried out.
        public var fault: @Sendable (String) -> Fault? = { _ in nil }

        public init() {}
    }

    public enum Fault: Sendable {
        /// In place of carrying it out.
        case error(UInt16, String)
        /// Carry it out, but end the connection in place of a response.
        case cut
        /// Answer by ending the connection, and do nothing.
        case cutBefore
    }

    /// A client's session.
    public struct Session: Sendable {
        public let id: UInt32
        public var proxySessionID: UInt64
        public var user: String
        public var tenant: String
        public var cluster: String
        public var host: String
        public var database: String?
        public var transactionCount = 0
        public var isInTransaction = false
        public var connections: [Connection]
    }

    /// A connection to a database server.
    public struct Connection: Sendable {
        /// `ss_id`.
        public var id: Int
        /// `server_sessid`.
        public var serverID: UInt32
        public var address = ("10.20.30.41", 2_881)
        public var command = "Sleep"
        public var seconds = 0.0
        public var state = "SLEEP"
        public var statement: String?

        public init(id: Int, serverID: UInt32) {
            self.id = id
            self.serverID = serverID
        }
    }

    struct State {
        var settings: Settings
        var sessions: [UInt32: Session] = [:]
        /// Its rows of SHOW PROXYSESSION: made once, since many connections ask for long lists.
        var listRows: [UInt32: [UInt8]] = [:]
        var sockets: [UInt32: ClientSocket] = [:]
        /// Connections that database servers still end, with their proxy_sessid.
        var dying: [(proxySessionID: UInt64, connection: Connection)] = []
        var lastID: UInt32 = 0
        var lastSequence: UInt16 = 0
        var lastConnection = 0
        var statements: [String] = []
        /// Whom the statement that is being carried out has killed.
        var ending: [UInt32] = []
    }

    public init(_ settings: Settings = Settings()) throws {
        state = Mutex(State(settings: settings))
        let (descriptor, port) = try listenOnLoopback()
        listener = descriptor
        self.port = port
        try startThread(name: "odp") { [weak self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                let socket = ClientSocket(client)
                guard let self, (try? startThread(name: "odp client") { [weak self] in self?.serve(socket) }) != nil
                else { continue }
            }
        }
    }

    deinit { stop() }

    /// Ends everything.
    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        restart()
    }

    /// As after a restart: no sessions, and ids from 1 up.
    public func restart() {
        let sockets = state.withLock { state in
            defer { state = State(settings: state.settings) }
            return state.sockets.values
        }
        for socket in sockets { socket.end() }
    }

    public var sessions: [UInt32: Session] { state.withLock(\.sessions) }

    /// The sessions of a user, by id.
    public func sessions(of user: String) -> [UInt32] {
        sessions.values.filter { $0.user == user }.map(\.id).sorted()
    }

    /// Every statement that came, in order.
    public var statements: [String] { state.withLock(\.statements) }

    public var kills: [String] { statements.filter { $0.lowercased().hasPrefix("kill") } }

    public func set(_ change: (inout Settings) -> Void) { state.withLock { change(&$0.settings) } }

    /// Makes a session another one, such as the next one with its id.
    public func change(_ id: UInt32, _ change: (inout Session) -> Void) {
        state.withLock { state in
            guard var session = state.sessions[id] else { return }
            change(&session)
            state.sessions[id] = session
            state.renewListRow(id)
        }
    }

    // MARK: Clients

    private func serve(_ socket: ClientSocket) {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        socket.send(greeting(threadID: id))
        guard let login = socket.receivePacket() else { return }
        let (cluster, refused) = state.withLock { ($0.settings.cluster, $0.settings.refusedUsers) }
        let name = LoginName(packet: login.payload, cluster: cluster)
        guard !refused.contains(name.user) else {
            var writer = PacketWriter(sequence: login.sequence &+ 1)
            writer.append(.error(1_045, state: "42000", "Access denied for user '\(name.user)'"), status: 2)
            return socket.send(writer.bytes)
        }
        state.withLock { $0.add(id, name, socket) }
        defer { state.withLock { _ = $0.remove(id) } }
        var writer = PacketWriter(sequence: login.sequence &+ 1)
        writer.append(.ok, status: 2)
        socket.send(writer.bytes)
        while let packet = socket.receivePacket(), let command = packet.payload.first {
            guard command != 1 else { return }
            var writer = PacketWriter(sequence: packet.sequence &+ 1)
            guard command == 3 else {
                let answer: Answer = command == 14 ? .ok : .error(1_235, state: "0A000", "Not supported")
                writer.append(answer, status: 2)
                socket.send(writer.bytes)
                continue
            }
            let text = String(decoding: packet.payload.dropFirst(), as: UTF8.self)
            guard answer(text, of: id, over: socket, into: &writer) else { return }
        }
    }

    /// - Returns: whether the connection goes on.
    private func answer(
        _ text: String, of id: UInt32, over socket: ClientSocket, into writer: inout PacketWriter
    ) -> Bool {
        let fault = state.withLock { state in
            state.statements.append(text)
            return state.settings.fault
        }(text)
        switch fault {
        case .error(let code, let message)?:
            writer.append(.error(code, state: "HY000", message), status: 0)
            socket.send(writer.bytes)
            return true
        case .cutBefore?:
            socket.end()
            return false
        case .cut?, nil: break
        }
        let (response, toEnd) = carryOut(text, of: id)
        for (victim, delay) in toEnd { end(victim, after: delay) }
        if case .cut? = fault {
            socket.end()
            return false
        }
        // [P] When one of its own commands is done, an ODP forgets whatever else has come by then
        // (ObMysqlSM::state_execute_internal_cmd): a client must not send ahead.
        if response.isCommand { socket.drain() }
        for (index, answer) in response.answers.enumerated() {
            writer.append(answer, status: response.isCommand ? 0 : 2, more: index < response.answers.count - 1)
        }
        socket.send(writer.bytes)
        if response.endsSession { socket.end() }
        return !response.endsSession
    }

    private func carryOut(_ text: String, of id: UInt32) -> (Response, toEnd: [(UInt32, Duration)]) {
        let statements = words(of: text)
        // What changes nothing is answered from a copy: writing a long list would keep everybody waiting.
        if text.hasPrefix("SHOW") || text.hasPrefix("SELECT") {
            var copy = state.withLock { $0 }
            return (copy.response(to: statements, of: id), [])
        }
        return state.withLock { state in (state.response(to: statements, of: id), state.takeToEnd()) }
    }

    private func end(_ victim: UInt32, after delay: Duration) {
        let end: @Sendable () -> Void = { [weak self] in
            guard let self else { return }
            let (socket, proxySessionID, dyingTime) = state.withLock { state in
                let proxySessionID = state.leaveDying(victim)
                return (state.remove(victim), proxySessionID, state.settings.dyingTime)
            }
            socket?.end()
            guard let proxySessionID else { return }
            later(dyingTime) { [weak self] in self?.state.withLock { $0.bury(proxySessionID) } }
        }
        // In the benchmark all end at once: a queue's thread for each would cost more than the rest.
        if delay > .zero { later(delay, end) } else { end() }
    }

    private func later(_ delay: Duration, _ work: @escaping @Sendable () -> Void) {
        DispatchQueue.global().asyncAfter(
            deadline: .now() + .milliseconds(Int(delay / .milliseconds(1))), execute: work)
    }
}

extension ODPDouble.State {
    mutating func add(_ id: UInt32, _ name: LoginName, _ socket: ClientSocket) {
        lastSequence &+= 1
        lastConnection += 1
        let start = UInt64(settings.address) << 32 | UInt64(settings.ownPort) << 16
        sockets[id] = socket
        sessions[id] = ODPDouble.Session(
            // root@proxysys reaches no database server.
            id: id, proxySessionID: name.tenant == "proxysys" ? 0 : start | UInt64(lastSequence), user: name.user,
            tenant: name.tenant, cluster: name.cluster, host: socket.peer,
            connections: [
                ODPDouble.Connection(
                    id: lastConnection,
                    serverID: settings.idVersion == 1 ? 0xC000_0000 + UInt32(lastConnection) * 3 : id)
            ])
        renewListRow(id)
    }

    mutating func renewListRow(_ id: UInt32) {
        listRows[id] = (sessions[id]?.listRow(process: settings.processID, withSSL: settings.showsSSL)).map(encoded)
    }

    @discardableResult
    mutating func remove(_ id: UInt32) -> ClientSocket? {
        sessions[id] = nil
        listRows[id] = nil
        return sockets.removeValue(forKey: id)
    }

    /// If the session's connections stay with the database servers for a while: its proxy_sessid.
    mutating func leaveDying(_ id: UInt32) -> UInt64? {
        guard settings.dyingTime > .zero, let session = sessions[id] else { return nil }
        for var connection in session.connections {
            connection.state = "SESSION_KILLED"
            connection.command = "Query"
            dying.append((session.proxySessionID, connection))
        }
        return session.proxySessionID
    }

    mutating func bury(_ proxySessionID: UInt64) { dying.removeAll { $0.proxySessionID == proxySessionID } }
}
