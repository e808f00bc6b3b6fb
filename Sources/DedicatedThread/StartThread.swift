import CLinux
import Glibc

/// The system refused to create a thread.
public struct ThreadCreationError: Error, CustomStringConvertible {
    public let name: String
    /// `EAGAIN` when the limit of threads or of memory is reached.
    public let errorNumber: Int32

    public var description: String {
        "cannot start the thread \"\(name)\": \(String(cString: strerror(errorNumber)))"
    }
}

/// Starts a detached POSIX thread that runs `body` once.
///
/// All signals are blocked in it: signals are for the thread that watches them.
///
/// - Parameter name: shown by `ps -L` and debuggers; Linux keeps the first 15
///   bytes.
public func startThread(name: String, _ body: @escaping @Sendable () -> Void) throws(ThreadCreationError) {
    let start = Unmanaged.passRetained(Start(body: body))
    var blocked = sigset_t()
    var before = sigset_t()
    sigfillset(&blocked)
    // A thread inherits the mask of the one that creates it.
    pthread_sigmask(SIG_SETMASK, &blocked, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }

    var thread = pthread_t()
    let result = pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }, start.toOpaque())
    guard result == 0 else {
        start.release()
        throw ThreadCreationError(name: name, errorNumber: result)
    }
    clinux_pthread_setname(thread, String(name.utf8.prefix(15)) ?? "")
    pthread_detach(thread)
}

private final class Start: Sendable {
    let body: @Sendable () -> Void
    init(body: @escaping @Sendable () -> Void) { self.body = body }
}
