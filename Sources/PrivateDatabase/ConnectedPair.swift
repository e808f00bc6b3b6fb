import FileDescriptors
import Glibc

extension FileDescriptor {
    /// - Parameter result: what a system call returned; negative for failure.
    init(_ result: Int32, from systemCall: String) throws(PrivateDatabaseError) {
        guard result >= 0 else { throw PrivateDatabaseError(systemCall: systemCall) }
        self.init(owning: result)
    }
}

/// Two connected sockets that no program started later inherits.
///
/// A pipe would do, but Swift's Glibc has no `pipe2`, and `pipe` leaves a
/// moment in which another thread's child inherits both ends.
struct ConnectedPair: ~Copyable {
    let near: FileDescriptor
    let far: FileDescriptor

    init() throws(PrivateDatabaseError) {
        var numbers: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, streamSocket, 0, &numbers) == 0 else {
            throw PrivateDatabaseError(systemCall: "socketpair")
        }
        near = FileDescriptor(owning: numbers[0])
        far = FileDescriptor(owning: numbers[1])
    }
}

let streamSocket = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
