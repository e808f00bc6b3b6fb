import DedicatedThread
import Dispatch
import Glibc
import Synchronization

/// A proxy that puts a server further away: each byte is handed on a fixed time after it
/// came, however many others are under way.
final class DelayingProxy: Sendable {
    let port: UInt16
    private let listener: LoopbackSocket

    /// - Parameter delay: in each direction.
    init(to target: UInt16, delay: Duration) throws {
        let listening = try LoopbackSocket.listening()
        listener = listening.socket
        port = listening.port
        try startThread(name: "proxy") { [listener] in
            while let client = listener.accepted() {
                guard let server = try? LoopbackSocket.connected(to: target) else { continue }
                do {
                    try DelayLine.start(from: client, to: server, delay: delay)
                    try DelayLine.start(from: server, to: client, delay: delay)
                } catch {
                    client.end()
                    server.end()
                }
            }
        }
    }

    /// Accepts no more connections; those that there are end with their clients.
    func stop() { listener.end() }
}

/// One direction of one connection. Two threads, so that reading never waits
/// for what is still to be written.
private final class DelayLine: Sendable {
    private struct Piece {
        /// `nil` is the end of the connection.
        let bytes: [UInt8]?
        var due: timespec
    }

    private let pieces = Mutex<[Piece]>([])
    private let count = DispatchSemaphore(value: 0)

    static func start(from source: LoopbackSocket, to sink: LoopbackSocket, delay: Duration) throws {
        let line = DelayLine()
        try startThread(name: "proxy reads") {
            while line.put(source.receive(), delay: delay) {}
        }
        try startThread(name: "proxy writes") {
            while let bytes = line.take(), (try? sink.send(bytes)) != nil {}
            // Either side's end is the end of both: databases do not use half-open connections.
            source.end()
            sink.end()
        }
    }

    /// - Returns: whether more may follow.
    private func put(_ bytes: [UInt8]?, delay: Duration) -> Bool {
        var due = timespec()
        clock_gettime(CLOCK_MONOTONIC, &due)
        due.tv_nsec += Int(delay / .nanoseconds(1))
        due.tv_sec += due.tv_nsec / 1_000_000_000
        due.tv_nsec %= 1_000_000_000
        let piece = Piece(bytes: bytes, due: due)
        pieces.withLock { $0.append(piece) }
        count.signal()
        return bytes != nil
    }

    /// Waits until the next piece is due.
    private func take() -> [UInt8]? {
        count.wait()
        var piece = pieces.withLock { $0.removeFirst() }
        // Absolute, so that a delay in here is none of the next piece's.
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &piece.due, nil) == EINTR {}
        return piece.bytes
    }
}
