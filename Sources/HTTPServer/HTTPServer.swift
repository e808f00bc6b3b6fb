import DedicatedThread
import FileDescriptors
import Synchronization
import TLS

/// What happens in a server that is worth a line in the log, or counting.
public enum HTTPServerEvent: Sendable {
    case connectionOpened
    /// A connection was closed, by either side; told once for each that was opened.
    case connectionClosed
    /// A client was rejected on the level of HTTP, or was too slow.
    case rejected(HTTPProtocolError, remoteAddress: String)
    /// A client has as many connections as one address may have; told once a
    /// second at most.
    case turnedAway(remoteAddress: String)
    /// The system grants descriptors for only so many connections of the limit.
    case fewerConnections(Int)
    /// A connection of a proxy's did not begin with the PROXY protocol as it should.
    case preambleRejected(reason: String, remoteAddress: String)
    /// A client's TLS handshake failed, or what it sent is no TLS. The reason is in
    /// OpenSSL's words.
    case tlsFailed(reason: String, remoteAddress: String)
    /// Accepting is paused for a moment, since the system refused it (out of
    /// descriptors or memory). The reason is in the system's words.
    case acceptingPaused(reason: String)
    /// The event loop cannot go on; all connections are closed. The reason is
    /// in the system's words.
    case failed(reason: String)
}

/// The response of a handler.
public enum PendingResponse: Sendable {
    /// A response that needs no waiting and next to no work.
    case immediate(HTTPResponse)
    /// Work that is too long for the server's thread but waits for nothing, or
    /// finds out whether there is to be waited. Must not block.
    case offloaded(@Sendable () -> PendingResponse)
    /// Work that waits. Runs in a task of its own, to its end even if the client
    /// goes away: what it does must not be half done.
    case async(@Sendable () async -> HTTPResponse)
}

/// How long the body of a request may be, as far as its head tells.
public struct BodyAllowance: Sendable {
    /// The most bytes of the body; no more than ``HTTPLimits/bodyBytes`` are read in any case.
    public let bytes: Int
    /// The response to a client whose body is longer, before the connection is
    /// closed. Called on the server's thread, once.
    public let rejection: @Sendable () -> HTTPResponse

    public init(bytes: Int, rejection: @escaping @Sendable () -> HTTPResponse) {
        self.bytes = bytes
        self.rejection = rejection
    }
}

/// An HTTP/1.1 server: one thread that owns every socket (epoll(7)), and a
/// function from request to response.
public final class HTTPServer: Sendable {
    /// The function that responds to requests. Called on the server's thread, for
    /// one request of a connection at a time: it must not block.
    public typealias Handler = @Sendable (HTTPRequest) -> PendingResponse
    /// The function that events are reported to. Called on the server's thread: it must not block.
    public typealias Observer = @Sendable (HTTPServerEvent) -> Void

    /// The function that responds to a client that is rejected on the level of
    /// HTTP, before the connection is closed. Called on the server's thread, also
    /// with the bytes of the request's head, as far as they were read.
    public typealias Rejection = @Sendable (_ error: HTTPProtocolError, _ head: [UInt8]) -> HTTPResponse

    /// The function that tells how long a body may be. Called on the server's
    /// thread, for a request with a body that is longer than
    /// ``HTTPLimits/shortBodyBytes`` and of which only the head has come: it must
    /// not block. Called once more if a body of unknown length is longer.
    public typealias Allowance = @Sendable (HTTPRequest) -> BodyAllowance

    /// The address in digits and the port that are really bound.
    public let boundAddress: ListenAddress

    private let sockets: UnstartedSockets
    private let mailbox: Mailbox
    private let limits: HTTPLimits
    private let memory: HTTPMemory
    private let budget: DescriptorBudget
    private let tls: TLSServerContext?
    private let trustedProxies: TrustedProxies?
    private let handler: Handler
    private let allowance: Allowance?
    private let rejection: Rejection
    private let observer: Observer

    /// Binds the address; requests get a response after ``start()``.
    ///
    /// Of the addresses that a host name stands for the first that can be bound
    /// is taken.
    ///
    /// - Parameters:
    ///   - memory: what the clients of this server and of others may hold; nil
    ///     for ``HTTPLimits/heldBytes`` of its own.
    ///   - tls: serves HTTPS; nil serves plain HTTP.
    ///   - trustedProxies: nil believes nobody who others are.
    ///   - allowance: nil allows every body of ``HTTPLimits/bodyBytes``.
    public init(
        listen address: ListenAddress, limits: HTTPLimits = HTTPLimits(), memory: HTTPMemory? = nil,
        tls: TLSServerContext? = nil, trustedProxies: TrustedProxies? = nil, handler: @escaping Handler,
        allowance: Allowance? = nil,
        rejection: @escaping Rejection = { error, _ in error.response }, observer: @escaping Observer = { _ in }
    ) throws(ListenError) {
        let listener = try Self.listener(at: address)
        do throws(SystemError) {
            boundAddress = try Socket.address(of: listener).numeric
            mailbox = try Mailbox()
            sockets = UnstartedSockets(ServerSockets(listener: listener, queue: try EventQueue()))
        } catch {
            throw ListenError(address: address, reason: .init(error))
        }
        budget = DescriptorBudget(wanted: limits.connections)
        self.limits = limits
        self.memory = memory ?? HTTPMemory(bytes: limits.heldBytes, connections: limits.connections)
        self.tls = tls
        self.trustedProxies = trustedProxies
        self.handler = handler
        self.allowance = allowance
        self.rejection = rejection
        self.observer = observer
    }

    private static func listener(at address: ListenAddress) throws(ListenError) -> FileDescriptor {
        var failure = ListenError(address: address, reason: .noAddress("the name has no address"))
        for candidate in try SocketAddress.resolve(address) {
            do throws(SystemError) {
                return try Socket.listen(at: candidate)
            } catch {
                failure = ListenError(address: address, reason: .init(error))
            }
        }
        throw failure
    }

    /// Starts to accept connections. Does nothing when called again.
    public func start() throws(ThreadCreationError) {
        var limits = limits
        if budget.connections < limits.connections {
            limits.connections = budget.connections
            observer(.fewerConnections(budget.connections))
        }
        try startThread(name: "http") {
            [sockets, mailbox, limits, memory, tls, trustedProxies, handler, allowance, rejection, observer] in
            guard let sockets = sockets.take() else { return }
            EventLoop(
                sockets: sockets, mailbox: mailbox, limits: limits, memory: memory, tls: tls,
                trustedProxies: trustedProxies, handler: handler, allowance: allowance, rejection: rejection,
                observer: observer
            ).run()
        }
    }

    /// Connections that are accepted from now on are met with `context`; those
    /// that are open keep what they have. Sessions of the earlier context are not
    /// resumed. Does nothing for a server of plain HTTP, whose clients would be
    /// cut off, and for one that has ended.
    public func replaceTLS(_ context: TLSServerContext) {
        guard tls != nil else { return }
        _ = mailbox.put(.useTLS(context))
    }

    /// Accepts nothing more, closes idle connections at once, lets requests in
    /// flight finish, and closes everything when `duration` is over.
    public func drain(within duration: Duration) async {
        // A server that was never started has nothing in flight and no thread that would resume this.
        if sockets.take() != nil { _ = mailbox.close() }
        let deadline = MonotonicTime.now + duration
        await withCheckedContinuation { continuation in
            if !mailbox.put(.drain(until: deadline, continuation)) { continuation.resume() }
        }
    }

    deinit { _ = mailbox.put(.stop) }
}

/// What the event loop takes over when it starts.
struct ServerSockets: ~Copyable, Sendable {
    let listener: FileDescriptor
    let queue: EventQueue
}

/// The sockets between the creation of a server and its start.
private final class UnstartedSockets: Sendable {
    private let sockets: Mutex<ServerSockets?>

    init(_ sockets: consuming ServerSockets) { self.sockets = Mutex(sockets) }

    func take() -> ServerSockets? { sockets.withLock { $0.take() } }
}
