import DedicatedThread
import Glibc
import MySQLSessions
import MySQLWire
import SessionKill
import Synchronization

/// A server that speaks MySQL's protocol and answers whatever killd asks of a MySQL or MariaDB believably, except for
/// what a test has it answer otherwise.
///
/// It listens on the loopback interface without TLS, lets everybody in, and numbers its connections from 101 up. Of
/// several statements in one packet each is answered for itself.
public final class FakeMySQLServer: Sendable {
    public let port: UInt16
    private let listener: Int32
    private let state: Mutex<State>

    public struct Settings: Sendable {
        public var content: FakeServerContent
        /// The authentication method that the greeting proposes.
        public var plugin = "mysql_native_password"
        /// Whether the greeting says that there is TLS, which there is not.
        public var claimsTLS = false
        /// What a packet of a client that logs in is answered, by its number from 0 on: the first is the login itself.
        public var login: @Sendable (_ number: Int, _ payload: [UInt8]) -> LoginStep = { _, _ in .accept }
        /// What is answered in place of the greeting; `nil` for the greeting.
        public var greeting: Answer?
        /// What one statement is answered; `nil` for what it is by ``content``.
        public var answer: @Sendable (_ statement: String) -> Answer? = { _ in nil }

        /// What is sent in place of a response: nothing, one, or several result sets.
        public var alter: @Sendable (_ statement: String, _ answer: Answer) -> [Answer] = { [$1] }

        public init(_ content: FakeServerContent = .mysql()) { self.content = content }
    }

    public indirect enum Answer: Sendable {
        case ok
        case error(UInt16, String)
        case rows([String], [[String?]])
        /// The same, of rows that `encoded(_:)` has made, or something else.
        case encodedRows([String], [[UInt8]])
        /// The same row so many times, which are sent as they are made.
        case manyRows([String], [String?], count: Int)
        /// Just these bytes, with no header before them and nothing behind.
        case bytes([UInt8])
        /// The payloads of packets, which are sent with right headers.
        case payloads([[UInt8]])
        /// Another answer, byte by byte.
        case dripping(Answer, every: Duration)
        /// So many bytes of another response, and the connection stays open without the rest.
        case stalling(Answer, after: Int)
        /// So many bytes of another response, and the connection ends.
        case cutting(Answer, after: Int)
        /// Nothing, while the connection stays open.
        case silence
        case close
        case reset
    }

    public enum LoginStep: Sendable {
        case accept
        /// These bytes, after which the client is logged in.
        case acceptWith([UInt8])
        /// An AuthSwitchRequest: go on with this method.
        case use(plugin: String, data: [UInt8])
        /// An AuthMoreData packet.
        case more([UInt8])
        case answer(Answer)
    }

    private struct State {
        var settings: Settings
        var lastThreadID: UInt32 = 100
        var sockets: [UInt32: ClientSocket] = [:]
        var received: [UInt8] = []
        var statements: [String] = []
        /// Whose connections say nothing any more.
        var muted: Set<UInt32> = []
        var isStopped = false
    }

    public init(_ settings: Settings = Settings()) throws {
        state = Mutex(State(settings: settings))
        let (descriptor, port) = try listenOnLoopback()
        listener = descriptor
        self.port = port
        try startThread(name: "fake mysql") { [weak self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { break }
                let socket = ClientSocket(client)
                let started: Void? = try? startThread(name: "fake client") { [weak self] in self?.serve(socket) }
                if started == nil { socket.end() }
            }
            close(descriptor)
        }
    }

    /// - Parameter answer: what one statement is answered; `nil` for the usual.
    public convenience init(
        _ content: FakeServerContent = .mysql(), answering answer: @escaping @Sendable (String) -> Answer?
    ) throws {
        var settings = Settings(content)
        settings.answer = answer
        try self.init(settings)
    }

    deinit { stop() }

    /// Ends all connections and accepts no more.
    public func stop() {
        let first = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        // Closed by the thread that accepts.
        if first { shutdown(listener, Int32(SHUT_RDWR)) }
        endConnections()
    }

    /// Ends all connections.
    public func endConnections(byReset: Bool = false) {
        for socket in state.withLock({ $0.sockets.values.map { $0 } }) {
            if byReset { socket.reset() } else { socket.end() }
        }
    }

    /// Says nothing more on the connections there are, which stay open.
    public func muteConnections() { state.withLock { $0.muted = Set($0.sockets.keys) } }

    public func set(_ change: @Sendable (inout Settings) -> Void) { state.withLock { change(&$0.settings) } }

    public var settings: Settings { state.withLock(\.settings) }

    /// Everything that clients sent, packet by packet.
    public var received: [UInt8] { state.withLock(\.received) }

    /// Every statement that came, in order.
    public var statements: [String] { state.withLock(\.statements) }

    /// How killd reaches it.
    public func configuration(tls: TLSMode = .disabled, password: String = "secret") -> MySQLServerConfiguration {
        MySQLServerConfiguration(
            address: .tcp(host: "127.0.0.1", port: port, tls: tls), user: "killd",
            password: DatabasePassword(password))
    }

    /// How many clients are connected.
    public var connectionCount: Int { state.withLock(\.sockets.count) }

    /// How many clients ever were.
    public var connectionsEver: Int { state.withLock { Int($0.lastThreadID) - 100 } }

    // MARK: Clients

    private func serve(_ socket: ClientSocket) {
        let threadID: UInt32? = state.withLock { state in
            guard !state.isStopped else { return nil }
            state.lastThreadID += 1
            state.sockets[state.lastThreadID] = socket
            return state.lastThreadID
        }
        guard let threadID else { return socket.end() }
        let conversation = Conversation(socket: socket, threadID: threadID)
        logInAndAnswer(conversation)
        state.withLock { _ = $0.sockets.removeValue(forKey: threadID) }
        socket.end()
    }

    private func logInAndAnswer(_ conversation: Conversation) {
        let settings = settings
        if let answer = settings.greeting {
            guard conversation.say(answer, sequence: 0) else { return }
        } else {
            conversation.socket.send(
                greeting(
                    threadID: conversation.threadID, version: settings.content.version, plugin: settings.plugin,
                    claimsTLS: settings.claimsTLS))
        }
        guard logIn(conversation, settings) else { return }
        state.withLock { $0.settings.content.logIn(conversation.threadID, conversation.socket.peer) }
        defer { state.withLock { $0.settings.content.logOut(conversation.threadID) } }
        while let packet = receive(conversation), let command = packet.payload.first {
            let isMuted = state.withLock { $0.muted.contains(conversation.threadID) }
            switch command {
            case _ where isMuted: continue
            case 1: return
            case 3:
                let text = String(decoding: packet.payload.dropFirst(), as: UTF8.self)
                guard answer(text, of: conversation, sequence: packet.sequence &+ 1) else { return }
            default: guard conversation.say(.ok, sequence: packet.sequence &+ 1) else { return }
            }
        }
    }

    private func logIn(_ conversation: Conversation, _ settings: Settings) -> Bool {
        var number = 0
        while let packet = receive(conversation) {
            let sequence = packet.sequence &+ 1
            switch settings.login(number, packet.payload) {
            case .accept: return conversation.say(.ok, sequence: sequence)
            case .acceptWith(let bytes): return conversation.say(.bytes(bytes), sequence: sequence)
            case .use(let plugin, let data):
                let payload: [UInt8] = [0xFE] + Array(plugin.utf8) + [0] + data
                guard conversation.say(.payloads([payload]), sequence: sequence) else { return false }
            case .more(let data):
                guard conversation.say(.payloads([[0x01] + data]), sequence: sequence) else { return false }
            case .answer(let answer):
                guard conversation.say(answer, sequence: sequence) else { return false }
                if case .error = answer { return false }
            }
            number += 1
        }
        return false
    }

    private func receive(_ conversation: Conversation) -> (payload: [UInt8], sequence: UInt8)? {
        guard let packet = conversation.socket.receivePacket() else { return nil }
        let length = packet.payload.count
        let header = [length, length >> 8, length >> 16].map { UInt8(truncatingIfNeeded: $0) } + [packet.sequence]
        state.withLock { $0.received += header + packet.payload }
        return packet
    }

    /// - Returns: whether the connection goes on.
    private func answer(_ text: String, of conversation: Conversation, sequence: UInt8) -> Bool {
        var answers: [Answer] = []
        for statement in FakeServerContent.statements(in: text) {
            let settings = state.withLock { state in
                state.statements.append(statement)
                return state.settings
            }
            let answer =
                settings.answer(statement)
                ?? state.withLock { $0.settings.content.answer(statement, conversation.threadID) }
            answers += settings.alter(statement, answer)
            // The rest of a packet is dropped at the first error.
            if case .error? = answers.last { break }
        }
        var writer = PacketWriter(sequence: sequence)
        for (index, answer) in answers.enumerated() {
            guard conversation.say(answer, with: &writer, more: index < answers.count - 1) else { return false }
            if case .error = answer { break }
        }
        return true
    }
}

/// One client's connection, on the side of the server.
private struct Conversation {
    let socket: ClientSocket
    let threadID: UInt32

    func say(_ answer: FakeMySQLServer.Answer, sequence: UInt8) -> Bool {
        var writer = PacketWriter(sequence: sequence)
        return say(answer, with: &writer, more: false)
    }

    /// - Returns: whether the connection goes on.
    func say(_ answer: FakeMySQLServer.Answer, with writer: inout PacketWriter, more: Bool) -> Bool {
        switch answer {
        case .ok, .error, .rows, .encodedRows, .payloads, .bytes:
            socket.send(bytes(of: answer, &writer, more: more))
        case .manyRows(let columns, let row, let count):
            writer.append(columns.map { Column($0) })
            writer.appendEnd(status: status(more))
            let payload = encoded(row)
            for index in 1...max(1, count) {
                writer.append(payload)
                // A pause of the client, or its end, is noticed here.
                if index % 256 == 0, !socket.transmit(writer.takeBytes()) { return false }
            }
            writer.appendEnd(status: status(more))
            return socket.transmit(writer.takeBytes())
        case .dripping(let answer, let pause):
            for byte in bytes(of: answer, &writer, more: more) {
                let milliseconds = Int32(clamping: Int64(pause / .milliseconds(1)))
                guard socket.isWaiting(after: milliseconds), socket.transmit([byte]) else { return false }
            }
        case .stalling(let answer, let count):
            socket.send(Array(bytes(of: answer, &writer, more: more).prefix(count)))
            return say(.silence, with: &writer, more: more)
        case .cutting(let answer, let count):
            socket.send(Array(bytes(of: answer, &writer, more: more).prefix(count)))
            return false
        case .silence:
            // Until the client ends the connection, or the server is stopped.
            while socket.receivePacket() != nil {}
            return false
        case .close: return false
        case .reset:
            socket.reset()
            return false
        }
        return true
    }

    private func status(_ more: Bool) -> UInt16 { more ? 0x000A : 0x0002 }

    private func bytes(
        of answer: FakeMySQLServer.Answer, _ writer: inout PacketWriter, more: Bool
    ) -> [UInt8] {
        let status: UInt16 = 2
        switch answer {
        case .ok: writer.append(.ok, status: status, more: more)
        case .error(let code, let message):
            writer.append(.error(code, state: "HY000", message), status: status, more: more)
        case .rows(let columns, let rows):
            writer.append(.rows(columns.map { Column($0) }, rows), status: status, more: more)
        case .encodedRows(let columns, let rows):
            writer.append(.encodedRows(columns.map { Column($0) }, rows), status: status, more: more)
        case .payloads(let payloads): for payload in payloads { writer.append(payload) }
        case .bytes(let bytes): return bytes
        case .manyRows, .dripping, .stalling, .cutting, .silence, .close, .reset: break
        }
        return writer.takeBytes()
    }
}
