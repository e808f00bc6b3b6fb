import Glibc

/// Listens on a port of this machine that was free.
public func listenOnLoopback() throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            guard bind(descriptor, pointer, length) == 0, listen(descriptor, 1_024) == 0 else { return Int32(-1) }
            return getsockname(descriptor, pointer, &length)
        }
    }
    guard result == 0 else { throw NoPort(errorNumber: errno) }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}

struct NoPort: Error {
    let errorNumber: Int32
}

/// A client's connection. Its descriptor is closed by the thread that reads from it.
public final class ClientSocket: Sendable {
    private let descriptor: Int32
    /// `ip:port` of the client.
    public let peer: String

    public init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        peer = "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    }

    deinit { close(descriptor) }

    /// The end of the connection, which the client sees as such: no packet comes before.
    public func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// The same by a reset, where the connection is TCP.
    public func reset() {
        var nowhere = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: sockaddr().sa_data)
        connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    public func send(_ bytes: [UInt8]) { _ = transmit(bytes) }

    /// - Returns: whether all was sent.
    public func transmit(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Whether the client, asked after so many milliseconds, is still there and has sent nothing.
    public func isWaiting(after milliseconds: Int32) -> Bool {
        var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&event, 1, milliseconds) == 0
    }

    /// The next packet's payload and number; `nil` at the end.
    public func receivePacket() -> (payload: [UInt8], sequence: UInt8)? {
        guard let header = receive(4) else { return nil }
        let length = Int(header[0]) | Int(header[1]) << 8 | Int(header[2]) << 16
        return receive(length).map { ($0, header[3]) }
    }

    private func receive(_ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let more = bytes.withUnsafeMutableBytes { buffer in
                recv(descriptor, buffer.baseAddress.map { $0 + received }, count - received, 0)
            }
            guard more > 0 else { return nil }
            received += more
        }
        return bytes
    }

    /// Throws away all that has come by now.
    public func drain() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)) > 0 {}
    }
}
