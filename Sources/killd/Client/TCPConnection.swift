import Glibc

/// A TCP connection that waits no longer than it has patience.
struct TCPConnection: ~Copyable {
    private let descriptor: Int32
    let endpoint: Endpoint

    init(to endpoint: Endpoint, timeout: Int) throws(CommandFailure) {
        self.endpoint = endpoint
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &found)
        guard result == 0 else {
            throw CommandFailure("\(endpoint): \(String(cString: gai_strerror(result)))")
        }
        defer { freeaddrinfo(found) }

        var lastError: Int32 = ECONNREFUSED
        var next = found
        while let address = next?.pointee {
            let type = address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
            let descriptor = socket(address.ai_family, type, address.ai_protocol)
            if descriptor >= 0 {
                var limit = timeval(tv_sec: timeout, tv_usec: 0)
                let size = socklen_t(MemoryLayout<timeval>.size)
                // On Linux the send limit bounds connect() too (socket(7)).
                setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
                setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
                if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 {
                    self.descriptor = descriptor
                    return
                }
                // What a connect() says that SO_SNDTIMEO ended.
                lastError = errno == EINPROGRESS ? ETIMEDOUT : errno
                close(descriptor)
            } else {
                lastError = errno
            }
            next = address.ai_next
        }
        throw CommandFailure("\(endpoint) cannot be reached: \(String(cString: strerror(lastError)))")
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws(CommandFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent > 0 {
                rest = rest.dropFirst(sent)
            } else if errno != EINTR {
                throw failure()
            }
        }
    }

    /// What has come, as soon as anything has; nothing at the end of the stream.
    func receive() throws(CommandFailure) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count >= 0 { return Array(buffer.prefix(count)) }
            guard errno == EINTR else { throw failure() }
        }
    }

    private func failure() -> CommandFailure {
        errno == EAGAIN
            ? CommandFailure("\(endpoint) did not answer in time")
            : CommandFailure("\(endpoint): \(String(cString: strerror(errno)))")
    }
}
