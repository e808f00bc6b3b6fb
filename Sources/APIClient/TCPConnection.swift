import FileDescriptors
import Glibc

/// A TCP connection; no wait is longer than its timeout.
final class TCPConnection {
    private let descriptor: FileDescriptor
    let endpoint: Endpoint

    init(to endpoint: Endpoint, timeout: Int) throws(APIClientError) {
        self.endpoint = endpoint
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &found)
        guard result == 0 else {
            throw APIClientError(.unresolvable(String(cString: gai_strerror(result))), at: endpoint)
        }
        defer { freeaddrinfo(found) }

        var lastError: Int32 = ECONNREFUSED
        var next = found
        while let address = next?.pointee {
            let type = address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
            let number = socket(address.ai_family, type, address.ai_protocol)
            if number >= 0 {
                let descriptor = FileDescriptor(owning: number)
                var limit = timeval(tv_sec: timeout, tv_usec: 0)
                let size = socklen_t(MemoryLayout<timeval>.size)
                // On Linux the send limit bounds connect() too (socket(7)).
                setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
                setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
                // A request is sent at once, whatever the server still has to acknowledge of the one before.
                var on: Int32 = 1
                setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                if connect(number, address.ai_addr, address.ai_addrlen) == 0 {
                    self.descriptor = descriptor
                    return
                }
                // What a connect() says that SO_SNDTIMEO ended.
                lastError = errno == EINPROGRESS ? ETIMEDOUT : errno
            } else {
                lastError = errno
            }
            next = address.ai_next
        }
        throw APIClientError(.unreachable(lastError), at: endpoint)
    }

    func send(_ bytes: [UInt8]) throws(APIClientError) {
        var rest = bytes[...]
        while !rest.isEmpty {
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
