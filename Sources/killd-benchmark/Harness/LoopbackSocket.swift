import FileDescriptors
import Foundation

/// A TCP socket of this machine; closed when nobody has it any more.
final class LoopbackSocket: Sendable {
    private let owned: FileDescriptor
    private var descriptor: Int32 { owned.number }

    private init(owning descriptor: Int32) {
        owned = FileDescriptor(owning: descriptor)
        // Small pieces are sent at once, as database clients and servers send theirs.
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func make() -> Int32 {
        socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    static func connected(to port: UInt16) throws -> LoopbackSocket {
        let new = LoopbackSocket(owning: make())
        var address = loopback(port)
        let result = withSocketAddress(&address) {
            connect(new.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        guard result == 0 else { throw BenchmarkError("nothing listens on port \(port)") }
        return new
    }

    /// Listens on a port that was free.
    static func listening() throws -> (socket: LoopbackSocket, port: UInt16) {
        let new = LoopbackSocket(owning: make())
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withSocketAddress(&address) { pointer in
            guard bind(new.descriptor, pointer, length) == 0, listen(new.descriptor, 64) == 0 else { return Int32(-1) }
            return getsockname(new.descriptor, pointer, &length)
        }
        guard result == 0 else { throw BenchmarkError("no port to listen on") }
        return (new, UInt16(bigEndian: address.sin_port))
    }

    /// `nil` once ``end()`` was called.
    func accepted() -> LoopbackSocket? {
        let descriptor = accept(descriptor, nil, nil)
        return descriptor < 0 ? nil : LoopbackSocket(owning: descriptor)
    }

    /// - Throws: if nobody receives any more.
    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw BenchmarkError("a connection ended") }
            sent += count
        }
    }

    /// What has come, as soon as anything has; `nil` at the end.
    func receive() -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            count = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// Whether the other side has said nothing and ended nothing.
    var isOpen: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT | MSG_PEEK)) < 0 && errno == EAGAIN
    }

    /// Whoever waits for something here waits no longer than so many seconds.
    func setDeadline(seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}

private func withSocketAddress<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
) -> Result {
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
    }
}
