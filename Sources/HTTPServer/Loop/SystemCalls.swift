import CLinux
import FileDescriptors
import Glibc

// Every system call of the server. Nothing outside this file reads errno; a call that a signal interrupted is
// made again, and a call that would block says so as a value.

/// A system call failed.
struct SystemError: Error, CustomStringConvertible {
    let call: StaticString
    let number: Int32

    fileprivate init(_ call: StaticString, _ number: Int32) {
        self.call = call
        self.number = number
    }

    var description: String { "\(call): \(String(cString: strerror(number)))" }
}

/// What a transfer on a non-blocking descriptor gave.
enum IOResult {
    /// So many bytes were transferred.
    case done(Int)
    case wouldBlock
    case failed(SystemError)
}

/// Makes a call until no signal interrupts it.
@inline(__always)
private func uninterrupted<Result: SignedInteger>(
    _ name: StaticString, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let number = errno
        if number != EINTR { throw SystemError(name, number) }
    }
}

extension ListenError.Reason {
    init(_ error: SystemError) {
        self =
            switch error.number {
            case EADDRINUSE: .inUse
            case EACCES: .notPermitted
            case EADDRNOTAVAIL: .notOfThisMachine
            default: .other("\(error)")
            }
    }
}

// MARK: Sockets

enum Socket {
    /// Bytes of a response that wait in the kernel before they may be sent. With
    /// the kernel's own limit, megabytes, a slow client's progress shows only
    /// once in a megabyte, and thousands of them hold gigabytes.
    private static let mostUnsent: Int32 = 64 * 1024

    /// A listening TCP socket. What it accepts inherits its options.
    static func listen(at address: SocketAddress) throws(SystemError) -> FileDescriptor {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = FileDescriptor(owning: try uninterrupted("socket") { socket(address.family, type, 0) })
        try set(SO_REUSEADDR, of: SOL_SOCKET, on: descriptor)
        try set(TCP_NODELAY, of: Int32(IPPROTO_TCP), on: descriptor)
        try set(TCP_NOTSENT_LOWAT, of: Int32(IPPROTO_TCP), to: mostUnsent, on: descriptor)
        _ = try uninterrupted("bind") { address.withPointer { bind(descriptor.number, $0, $1) } }
        // The kernel lowers it to net.core.somaxconn.
        _ = try uninterrupted("listen") { Glibc.listen(descriptor.number, 4096) }
        return descriptor
    }

    private static func set(
        _ option: Int32, of level: Int32, to value: Int32 = 1, on descriptor: borrowing FileDescriptor
    ) throws(SystemError) {
        let number = descriptor.number
        var value = value
        _ = try uninterrupted("setsockopt") {
            setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// The address that a socket is bound to.
    static func address(of descriptor: borrowing FileDescriptor) throws(SystemError) -> SocketAddress {
        let number = descriptor.number
        var address = SocketAddress()
        _ = try uninterrupted("getsockname") { address.fill { getsockname(number, $0, $1) } }
        return address
    }

    static func accept(from listener: borrowing FileDescriptor) -> AcceptResult {
        let number = listener.number
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        while true {
            var address = SocketAddress()
            do throws(SystemError) {
                let accepted = try uninterrupted("accept4") {
                    address.fill { clinux_accept4(number, $0, $1, flags) }
                }
                return .accepted(FileDescriptor(owning: accepted), from: address)
            } catch {
                switch error.number {
                case EAGAIN: return .wouldBlock
                // The connection ended while it waited, or its network did (accept(2)): the next may be well.
                case ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
                    ENETUNREACH, EPERM:
                    continue
                default: return .failed(error)
                }
            }
        }
    }

    /// Reads into `buffer`; 0 bytes are the end.
    @inline(never)
    static func receive(from descriptor: borrowing FileDescriptor, into buffer: inout [UInt8]) -> IOResult {
        let number = descriptor.number
        do throws(SystemError) {
            return .done(
                try uninterrupted("recv") {
                    buffer.withUnsafeMutableBytes { recv(number, $0.baseAddress, $0.count, 0) }
                })
        } catch {
            return error.number == EAGAIN ? .wouldBlock : .failed(error)
        }
    }

    /// Sends the bytes from `start` on, as many as there is room for.
    @inline(never)
    static func send(_ bytes: [UInt8], from start: Int, to descriptor: borrowing FileDescriptor) -> IOResult {
        let number = descriptor.number
        do throws(SystemError) {
            return .done(
                try uninterrupted("send") {
                    bytes.withUnsafeBytes { buffer in
                        let rest = UnsafeRawBufferPointer(rebasing: buffer[start...])
                        return Glibc.send(number, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                    }
                })
        } catch {
            return error.number == EAGAIN ? .wouldBlock : .failed(error)
        }
    }

    /// Ends the sending half. Fails only if the client has ended the connection.
    static func shutDownSending(of descriptor: borrowing FileDescriptor) throws(SystemError) {
        let number = descriptor.number
        _ = try uninterrupted("shutdown") { shutdown(number, Int32(SHUT_WR)) }
    }
}

enum AcceptResult: ~Copyable {
    case accepted(FileDescriptor, from: SocketAddress)
    case wouldBlock
    case failed(SystemError)
}

// MARK: epoll and eventfd

/// An epoll instance, used level-triggered.
struct EventQueue: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    init() throws(SystemError) {
        descriptor = FileDescriptor(owning: try uninterrupted("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
    }

    /// Watches a descriptor; its events carry `token`.
    func add(
        _ watched: borrowing FileDescriptor, for interest: EventMask, token: UInt64
    ) throws(SystemError) {
        try control(EPOLL_CTL_ADD, watched, interest, token)
    }

    func change(
        _ watched: borrowing FileDescriptor, to interest: EventMask, token: UInt64
    ) throws(SystemError) {
        try control(EPOLL_CTL_MOD, watched, interest, token)
    }

    private func control(
        _ operation: Int32, _ watched: borrowing FileDescriptor, _ interest: EventMask, _ token: UInt64
    ) throws(SystemError) {
        let number = watched.number
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        _ = try uninterrupted("epoll_ctl") { epoll_ctl(descriptor.number, operation, number, &event) }
    }

    /// Waits for events.
    ///
    /// - Parameter milliseconds: how long at most; nil is for ever.
    /// - Returns: how many elements of `events` were filled; 0 after a signal
    ///   too.
    func wait(into events: inout [epoll_event], milliseconds: Int32?) throws(SystemError) -> Int {
        let count = epoll_wait(descriptor.number, &events, Int32(events.count), milliseconds ?? -1)
        if count >= 0 { return Int(count) }
        let number = errno
        if number == EINTR { return 0 }
        throw SystemError("epoll_wait", number)
    }
}

struct EventMask: OptionSet, Sendable {
    let rawValue: UInt32

    static let input = EventMask(rawValue: EPOLLIN.rawValue)
    static let output = EventMask(rawValue: EPOLLOUT.rawValue)
    /// The connection is gone in both directions. Always watched.
    static let hangUp = EventMask(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
}

/// An eventfd(2): lets other threads end the wait of an ``EventQueue``.
struct WakeUp: ~Copyable, Sendable {
    let descriptor: FileDescriptor

    init() throws(SystemError) {
        let flags = Int32(EFD_CLOEXEC | EFD_NONBLOCK)
        descriptor = FileDescriptor(owning: try uninterrupted("eventfd") { eventfd(0, flags) })
    }

    func signal() {
        // Fails only when 2^64 - 2 signals wait, and then the queue is awake anyway.
        _ = try? uninterrupted("eventfd_write") { eventfd_write(descriptor.number, 1) }
    }

    func clear() {
        var count: eventfd_t = 0
        // Fails only when there is no signal to clear.
        _ = try? uninterrupted("eventfd_read") { eventfd_read(descriptor.number, &count) }
    }
}

// MARK: Limits of the process

enum DescriptorLimit {
    /// Raises the soft limit of open descriptors to `count` if it is lower, as
    /// far as the hard limit allows.
    ///
    /// - Returns: the soft limit.
    static func raised(to count: Int) -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        // Fails only for an unknown resource.
        guard getrlimit(resource, &limit) == 0 else { return count }
        if limit.rlim_cur < rlim_t(count) {
            var raised = limit
            raised.rlim_cur = min(rlim_t(count), limit.rlim_max)
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }
}

// MARK: Clocks

enum WallClock {
    /// Seconds since 1970 in UTC.
    static var second: Int { time(nil) }
}
