import DedicatedThread
import Glibc
import Synchronization

/// A proxy to a port of this machine, under a test's control.
public final class TCPProxy: Sendable {
    public enum Verdict: Sendable {
        case forward([UInt8])
        /// Forward, then end the connection on the client's side without a response.
        case forwardAndCut([UInt8])
        case cut
    }

    public let port: UInt16
    private let listener: Int32
    private let fromClient: @Sendable ([UInt8]) -> Verdict
    private let fromServer: @Sendable ([UInt8]) -> Verdict
    private let recorded = Mutex<[UInt8]>([])
    private let connections: Mutex<Connections>

    private struct Connections {
        var target: UInt16
        var descriptors: [Int32] = []
        var openCount = 0

        func cut() { for descriptor in descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }

    /// - Parameters:
    ///   - namespace: where the port to which it leads is; of this machine, if not given.
    ///   - fromClient: decides about each piece that a client sends.
    ///   - fromServer: decides about each piece that the server sends.
    public init(
        to target: UInt16, inside namespace: NetworkNamespace? = nil,
        fromClient: @escaping @Sendable ([UInt8]) -> Verdict = { .forward($0) },
        fromServer: @escaping @Sendable ([UInt8]) -> Verdict = { .forward($0) }
    ) throws {
        connections = Mutex(Connections(target: target))
        self.fromClient = fromClient
        self.fromServer = fromServer
        let (listener, port) = listenOnLoopback()
        self.listener = listener
        self.port = port
        try startThread(name: "proxy") { [weak self] in
            // It makes the sockets to the server, and has the listener from before.
            guard namespace?.enter() != false else { return }
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                guard let self else {
                    close(client)
                    return
                }
                self.serve(client)
            }
        }
    }

    deinit { stop() }

    /// A proxy of MySQL that numbers connections itself: in its greeting it adds one to the thread id.
    public static func renumbering(_ target: UInt16) throws -> TCPProxy {
        try TCPProxy(
            to: target,
            fromServer: { bytes in
                guard bytes.count > 40, bytes[3] == 0, bytes[4] == 10, let end = bytes[5...].firstIndex(of: 0) else {
                    return .forward(bytes)
                }
                var greeting = bytes
                greeting[end + 1] &+= 1
                return .forward(greeting)
            })
    }

    /// How many clients have not ended their connection.
    public var openConnections: Int { connections.withLock(\.openCount) }

    /// Everything that clients sent.
    public var fromClients: [UInt8] { recorded.withLock { $0 } }

    /// Ends all connections and accepts no more.
    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        connections.withLock { $0.cut() }
    }

    /// Ends all connections; those to come lead to another port.
    public func redirect(to target: UInt16) {
        connections.withLock {
            $0.target = target
            $0.cut()
        }
    }

    /// Connections to come lead to another port, as a load balancer does it.
    public func leadNewConnections(to target: UInt16) { connections.withLock { $0.target = target } }

    private func serve(_ client: Int32) {
        let server = socket(AF_INET, streamSocket, 0)
        let target = connections.withLock { $0.target }
        var address = loopback(target)
        let connected = withSocketAddress(&address) {
            connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        let isWanted =
            connected == 0
            && connections.withLock {
                guard $0.target == target else { return false }
                $0.descriptors += [client, server]
                $0.openCount += 1
                return true
            }
        guard isWanted else {
            close(client)
            close(server)
            return
        }
        pump(from: client, to: server) { [self] bytes in
            recorded.withLock { $0 += bytes }
            return fromClient(bytes)
        } whenOver: { [self] in
            connections.withLock { $0.openCount -= 1 }
        }
        pump(from: server, to: client, fromServer)
    }

    /// The descriptors stay open until the process ends: a number used again would be shut down by ``stop()``.
    private func pump(
        from source: Int32, to sink: Int32, _ decide: @escaping @Sendable ([UInt8]) -> Verdict,
        whenOver: @escaping @Sendable () -> Void = {}
    ) {
        let started: Void? = try? startThread(name: "proxy") {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(source, &buffer, buffer.count)
                guard count > 0 else { break }
                switch decide(Array(buffer.prefix(count))) {
                case .forward(let bytes):
                    sendAll(bytes, to: sink)
                    continue
                case .forwardAndCut(let bytes):
                    sendAll(bytes, to: sink)
                    shutdown(source, Int32(SHUT_RDWR))
                case .cut: break
                }
                break
            }
            shutdown(source, Int32(SHUT_RDWR))
            shutdown(sink, Int32(SHUT_WR))
            whenOver()
        }
        if started == nil {
            shutdown(source, Int32(SHUT_RDWR))
            whenOver()
        }
    }
}

/// A listener that never says anything.
public final class SilentListener: Sendable {
    public let port: UInt16
    private let listener: Int32

    public init() {
        (listener, port) = listenOnLoopback()
    }

    deinit { close(listener) }
}

private func listenOnLoopback() -> (listener: Int32, port: UInt16) {
    let listener = socket(AF_INET, streamSocket, 0)
    var address = loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withSocketAddress(&address) { pointer in
        _ = bind(listener, pointer, length)
        _ = listen(listener, 64)
        _ = getsockname(listener, pointer, &length)
    }
    return (listener, UInt16(bigEndian: address.sin_port))
}

private let streamSocket = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)

private func sendAll(_ bytes: [UInt8], to sink: Int32) {
    var sent = 0
    while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes { send(sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count > 0 else { return }
        sent += count
    }
}

private func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

private func withSocketAddress<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
) -> Result {
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
    }
}
