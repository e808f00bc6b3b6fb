import Glibc

/// Owns a file descriptor and closes it at its end.
struct Descriptor: ~Copyable {
    let number: Int32

    init(owning number: Int32) { self.number = number }

    /// - Parameter result: what a system call returned; negative for failure.
    init(_ result: Int32, from systemCall: String) throws(PrivateDatabaseError) {
        guard result >= 0 else { throw PrivateDatabaseError(systemCall: systemCall) }
        number = result
    }

    // Never retried on EINTR: Linux has released the number by then.
    deinit { close(number) }
}

/// Two connected sockets that no program started later inherits.
///
/// A pipe would do, but Swift's Glibc has no `pipe2`, and `pipe` leaves a
/// moment in which another thread's child inherits both ends.
struct ConnectedPair: ~Copyable {
    let near: Descriptor
    let far: Descriptor

    init() throws(PrivateDatabaseError) {
        var numbers: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, streamSocket, 0, &numbers) == 0 else {
            throw PrivateDatabaseError(systemCall: "socketpair")
        }
        near = Descriptor(owning: numbers[0])
        far = Descriptor(owning: numbers[1])
    }
}

let streamSocket = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
