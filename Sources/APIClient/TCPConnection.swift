import FileDescriptors
import Glibc

/// A TCP connection; no wait is longer than its timeout.
final class TCPConnection {
    private let descriptor: FileDescriptor
    private let timeouts: ClientTimeouts
    private let start: ContinuousClock.Instant
    let endpoint: Endpoint

    /// - Parameter addresses: are tried one after the other.
    init(
        to endpoint: Endpoint, at addresses: [HostAddress], timeouts: ClientTimeouts
    ) throws(APIClientError) {
        self.endpoint = endpoint
        self.timeouts = timeouts
        start = ContinuousClock.now
        var lastError: Int32 = ECONNREFUSED
        for address in addresses {
            guard let limit = timeouts.nextWait(connectingSince: start) else {
                lastError = ETIMEDOUT
                break
            }
            let number = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard number >= 0 else {
                lastError = errno
                continue
            }
            let descriptor = FileDescriptor(owning: number)
            // On Linux the send limit bounds connect() too (socket(7)).
            Self.bound(number, SO_SNDTIMEO, limit)
            Self.bound(number, SO_RCVTIMEO, timeouts.silence)
            // A request is sent at once, whatever the server still has to acknowledge of the one before.
            var on: Int32 = 1
            setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            if address.connect(number) == 0 {
                Self.bound(number, SO_SNDTIMEO, timeouts.silence)
                self.descriptor = descriptor
                return
            }
            // What a connect() says that SO_SNDTIMEO ended.
            lastError = errno == EINPROGRESS ? ETIMEDOUT : errno
        }
        throw APIClientError(.unreachable(lastError), at: endpoint)
    }

    private static func bound(_ descriptor: Int32, _ option: Int32, _ wait: Duration) {
        let (seconds, attoseconds) = wait.components
        // No time at all would be any time.
        var limit = timeval(tv_sec: Int(seconds), tv_usec: max(1, Int(attoseconds / 1_000_000_000_000)))
        setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Bounds the next wait by what is left of the time for all.
    private func boundNextWait(_ option: Int32) throws(APIClientError) {
        guard timeouts.whole != nil else { return }
        guard let wait = timeouts.nextWait(since: start) else { throw APIClientError(.timeout, at: endpoint) }
        Self.bound(descriptor.number, option, wait)
    }

    func send(_ bytes: [UInt8]) throws(APIClientError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            try boundNextWait(SO_SNDTIMEO)
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent > 0 {
                rest = rest.dropFirst(sent)
            } else if errno != EINTR {
                throw failure()
            }
        }
    }

    /// What has come, as soon as anything has; nothing at the end of the stream.
    func receive() throws(APIClientError) -> [UInt8] {
        while true {
            try boundNextWait(SO_RCVTIMEO)
            var result = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 64 * 1024) { buffer, count in
                result = recv(descriptor.number, buffer.baseAddress, buffer.count, 0)
                count = max(0, result)
            }
            if result >= 0 { return bytes }
            guard errno == EINTR else { throw failure() }
        }
    }

    private func failure() -> APIClientError {
        APIClientError(errno == EAGAIN ? .timeout : .connectionFailed(errno), at: endpoint)
    }
}
