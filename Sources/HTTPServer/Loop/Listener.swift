import FileDescriptors

/// The socket on which clients are accepted, while they may be.
final class Listener {
    private let descriptor: FileDescriptor
    private let token: UInt64
    private var isWatched = true
    /// The time at which accepting goes on after the system refused it.
    private(set) var pausedUntil: MonotonicTime?

    private static let pause = Duration.milliseconds(100)

    init(_ descriptor: consuming FileDescriptor, token: UInt64) {
        self.descriptor = descriptor
        self.token = token
    }

    func add(to queue: borrowing EventQueue) throws(SystemError) {
        try queue.add(descriptor, for: .input, token: token)
    }

    func accept() -> AcceptResult { pausedUntil == nil ? Socket.accept(from: descriptor) : .wouldBlock }

    /// Clients wait in the kernel's queue meanwhile.
    func pause(at now: MonotonicTime) { pausedUntil = now + Self.pause }

    /// Watches the socket only while a connection may be accepted: the rest waits
    /// in the kernel's queue.
    func watch(in queue: borrowing EventQueue, hasRoom: Bool, at now: MonotonicTime) throws(SystemError) {
        if let until = pausedUntil, until <= now { pausedUntil = nil }
        let isWanted = pausedUntil == nil && hasRoom
        guard isWanted != isWatched else { return }
        try queue.change(descriptor, to: isWanted ? .input : [], token: token)
        isWatched = isWanted
    }
}
