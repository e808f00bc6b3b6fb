import CLinux
import FileDescriptors
import TLS

/// The one thread that owns every socket of a server: it accepts, reads,
/// parses, calls the handler, writes and keeps the deadlines.
///
/// Confined to its thread; other threads reach it through the ``Mailbox``.
final class EventLoop {
    let mailbox: Mailbox
    let limits: HTTPLimits
    let handler: HTTPServer.Handler
    let allowance: HTTPServer.Allowance?
    let rejection: HTTPServer.Rejection
    let observer: HTTPServer.Observer

    private let trustedProxies: TrustedProxies?
    /// What new connections are met with; nil for plain HTTP.
    private var tls: TLSServerContext?

    private let queue: EventQueue
    private let responses: ResponseQueue
    private var connections: ConnectionTable
    private var events = [epoll_event](repeating: epoll_event(), count: 256)
    /// What `recv` writes to. One for all connections, so that an idle one holds
    /// no buffer.
    private var inputBuffer = [UInt8](repeating: 0, count: 32 * 1024)

    /// Read once for all events of a turn.
    private var now = MonotonicTime.now
    private var date = HTTPDate(second: WallClock.second)

    private var listener: Listener?
    private var hasNewcomers = false
    /// The second in which a client with too many connections was reported: it may
    /// try again thousands of times.
    private var lastTurningAway = 0

    private var deadlines = DeadlineSweep()
    private var drainDeadline: MonotonicTime?
    private var drainWaiters: [CheckedContinuation<Void, Never>] = []
    private var mustStop = false

    /// Takes about a millisecond.
    private static let mostAcceptedAtOnce = 64
    private static let listenerToken = UInt64.max
    private static let wakeUpToken = UInt64.max - 1

    init(
        sockets: consuming ServerSockets, mailbox: Mailbox, limits: HTTPLimits, memory: HTTPMemory,
        tls: TLSServerContext?, trustedProxies: TrustedProxies?, handler: @escaping HTTPServer.Handler,
        allowance: HTTPServer.Allowance?,
        rejection: @escaping HTTPServer.Rejection, observer: @escaping HTTPServer.Observer
    ) {
        self.mailbox = mailbox
        responses = ResponseQueue(mailbox: mailbox)
        self.limits = limits
        self.tls = tls
        self.trustedProxies = trustedProxies
        self.handler = handler
        self.allowance = allowance
        self.rejection = rejection
        self.observer = observer
        queue = sockets.queue
        listener = Listener(sockets.listener, token: Self.listenerToken)
        connections = ConnectionTable(memory: memory)
    }

    // MARK: The loop

    /// Runs until the server is drained or stopped.
    func run() {
        do throws(SystemError) {
            try listener?.add(to: queue)
            try queue.add(mailbox.wakeUp.descriptor, for: .input, token: Self.wakeUpToken)
            while !isFinished { try turn() }
        } catch {
            observer(.failed(reason: "\(error)"))
        }
        end()
    }

    private func turn() throws(SystemError) {
        // Sockets are looked at between any two batches of messages, so that neither starves the other.
        let messages = mailbox.takeOrSleep()
        for message in messages { handle(message) }
        // Behind the messages that were there before they knocked: after ``HTTPServer/replaceTLS(_:)`` nobody meets the
        // certificate of before.
        if hasNewcomers {
            hasNewcomers = false
            acceptSome()
        }
        try listener?.watch(in: queue, hasRoom: connections.count < limits.connections, at: now)
        let count = try queue.wait(into: &events, milliseconds: messages.isEmpty ? millisecondsToWait : 0)
        mailbox.noteAwake()
        now = .now
        date.advance(to: WallClock.second)
        for index in 0..<count {
            let event = events[index]
            handle(EventMask(rawValue: event.events), token: event.data.u64)
        }
        if let due = deadlines.due, due <= now { sweep() }
        // Not on this thread: it takes some milliseconds for each hundred megabytes.
        if connections.shouldReturnMemory() { Task.detached { clinux_return_free_memory() } }
    }

    private func handle(_ event: EventMask, token: UInt64) {
        switch token {
        case Self.listenerToken: hasNewcomers = true
        case Self.wakeUpToken: mailbox.wakeUp.clear()
        default:
            // Nothing is found if the connection was closed by an earlier event of this turn.
            guard let connection = connections[ConnectionID(rawValue: token)] else { return }
            if !event.isDisjoint(with: .hangUp) {
                connection.machine.abort()
            } else if event.contains(.input) {
                receive(from: connection)
            }
            serve(connection)
        }
    }

    private func handle(_ message: Mailbox.Message) {
        switch message {
        case .response(let response, let id):
            guard let connection = connections.noteResponse(to: id) else { return }
            connection.machine.respond(with: response, date: date, at: now)
            serve(connection)
        case .useTLS(let context):
            tls = context
        case .drain(let deadline, let waiter):
            drainWaiters.append(waiter)
            drainDeadline = min(deadline, drainDeadline ?? deadline)
            // Who waits in the kernel's queue would be reset.
            acceptSome()
            listener = nil
            for connection in connections.all {
                takeWhatHasCome(to: connection)
                connection.machine.drain()
                serve(connection)
            }
        case .stop:
            mustStop = true
        }
    }

    private var isFinished: Bool {
        guard let drainDeadline else { return mustStop }
        return mustStop || connections.count == 0 || drainDeadline <= now
    }

    private func end() {
        listener = nil
        for connection in connections.all { close(connection) }
        for message in mailbox.close() {
            if case .drain(_, let waiter) = message { waiter.resume() }
        }
        for waiter in drainWaiters { waiter.resume() }
    }

    // MARK: Deadlines

    private var millisecondsToWait: Int32? {
        guard let wake = [deadlines.due, listener?.pausedUntil, drainDeadline].compactMap({ $0 }).min() else {
            return nil
        }
        let wait = MonotonicTime.now.duration(to: wake) / .milliseconds(1)
        return Int32(min(wait.rounded(.up), 60_000))
    }

    private func sweep() {
        deadlines.begin(at: now)
        for connection in connections.all {
            guard let deadline = connection.machine.deadline else { continue }
            if deadline <= now {
                takeWhatHasCome(to: connection)
                connection.machine.timeOut(at: now)
                serve(connection)
            } else {
                deadlines.note(deadline)
            }
        }
    }

    // MARK: Accepting

    /// The rest has its turn after those who are connected already.
    private func acceptSome() {
        for _ in 0..<Self.mostAcceptedAtOnce {
            guard connections.count < limits.connections, let listener else { return }
            switch listener.accept() {
            case .accepted(let socket, from: let address):
                // A socket that is not added closes here.
                let isProxy = trustedProxies?.include(address.ipAddress) == true
                // A proxy has many clients, and says whose each connection is, or each request.
                if isProxy || hasRoom(for: address.ipAddress) { add(socket, from: address.ipAddress, isProxy: isProxy) }
            case .wouldBlock: return
            case .failed(let error): pauseAccepting("\(error)")
            }
        }
    }

    private func hasRoom(for address: IPAddress) -> Bool {
        if connections.count(of: address.network) < limits.connectionsPerAddress { return true }
        let second = WallClock.second
        if second != lastTurningAway {
            lastTurningAway = second
            observer(.turnedAway(remoteAddress: address.description))
        }
        return false
    }

    private func add(_ socket: consuming FileDescriptor, from address: IPAddress, isProxy: Bool) {
        var peer = Peer(address: address.description)
        if isProxy, trustedProxies?.way == .forwardedFor { peer.forwards = trustedProxies }
        let machine = HTTPConnection(limits: limits, allowance: allowance, rejection: rejection, peer: peer, at: now)
        let connection = connections.add(socket, from: isProxy ? nil : address.network, machine)
        if isProxy, trustedProxies?.way == .proxyProtocol { connection.preamble = ProxyPreamble() }
        observer(.connectionOpened)
        do {
            connection.tls = try tls?.session()
            try queue.add(connection.socket, for: connection.interest, token: connection.id.rawValue)
            if let deadline = machine.deadline { deadlines.note(deadline) }
        } catch {
            close(connection)
            pauseAccepting("\(error)")
        }
    }

    /// The system is short of something, most likely of descriptors (EMFILE).
    private func pauseAccepting(_ reason: String) {
        listener?.pause(at: now)
        observer(.acceptingPaused(reason: reason))
    }

    // MARK: Connections

    private func receive(from connection: Connection) {
        switch Socket.receive(from: connection.socket, into: &inputBuffer) {
        case .done(0): connection.machine.receiveEnd()
        case .done(let count):
            var start = 0
            readPreamble(inputBuffer.span.extracting(0..<count), from: &start, of: connection)
            if start < count, let failure = connection.receive(inputBuffer.span.extracting(start..<count), at: now) {
                observer(.tlsFailed(reason: failure, remoteAddress: connection.machine.peer.address))
            }
            if !connections.countBytes(of: connection) { connection.machine.rejectForLackOfMemory() }
        case .wouldBlock: break
        case .failed: connection.machine.abort()
        }
    }

    /// A request that came since the sockets were looked at is not cut off by a
    /// deadline that it has kept.
    private func takeWhatHasCome(to connection: Connection) {
        if connection.wantsInput { receive(from: connection) }
    }

    /// Reads what a proxy sends before all else, if that is still to come. What is
    /// none ends the connection without a response: nobody knows for whom it was.
    private func readPreamble(_ input: Span<UInt8>, from index: inout Int, of connection: Connection) {
        guard var preamble = connection.preamble else { return }
        do throws(ProxyPreamble.Malformed) {
            switch try preamble.read(input, from: &index) {
            case .incomplete: connection.preamble = preamble
            case .ofProxy: connection.preamble = nil
            case .ofClient(let address, let port):
                connection.preamble = nil
                guard hasRoom(for: address) else {
                    index = input.count
                    return connection.machine.abort()
                }
                connections.count(connection, of: address.network)
                connection.machine.handOver(to: Peer(address: address.description, proxyPort: port))
            }
        } catch {
            index = input.count
            observer(.preambleRejected(reason: error.description, remoteAddress: connection.machine.peer.address))
            connection.machine.abort()
        }
    }

    /// Does what the connection asks for, until it has to wait.
    private func serve(_ connection: Connection) {
        while true {
            switch connection.machine.next(date: date, at: now) {
            case .handle(let request): handle(request, of: connection)
            case .report(let error): observer(.rejected(error, remoteAddress: connection.machine.peer.address))
            case .send:
                guard connection.send(at: now) else { return awaitRoom(of: connection) }
            case .shutDownSending: connection.endSending()
            case .close:
                connection.sayGoodbye()
                return close(connection)
            case .wait where connection.hasUnsentTLS:
                guard connection.send(at: now) else { return awaitRoom(of: connection) }
            case .wait(let deadline): return watch(connection, for: [], until: deadline)
            }
        }
    }

    private func handle(_ request: HTTPRequest, of connection: Connection) {
        let pending = handler(request)
        if case .immediate(let response) = pending {
            connection.machine.respond(with: response, date: date, at: now)
        } else {
            connection.bytesAtHandler = request.heldBytes
            responses.put(pending, to: connection.id, isLong: request.body.count > limits.shortBodyBytes)
        }
    }

    private func awaitRoom(of connection: Connection) {
        watch(connection, for: .output, until: connection.machine.deadline)
    }

    /// Waits for `interest`, and for input if the connection wants it.
    private func watch(_ connection: Connection, for interest: EventMask, until deadline: MonotonicTime?) {
        connections.countBytes(of: connection)
        if let deadline { deadlines.note(deadline) }
        let interest = connection.wantsInput ? interest.union(.input) : interest
        guard interest != connection.interest else { return }
        do throws(SystemError) {
            try queue.change(connection.socket, to: interest, token: connection.id.rawValue)
            connection.interest = interest
        } catch {
            close(connection)
        }
    }

    /// Does nothing for one that is closed already.
    private func close(_ connection: Connection) {
        guard connections[connection.id] != nil else { return }
        connections.remove(connection)
        observer(.connectionClosed)
    }
}
