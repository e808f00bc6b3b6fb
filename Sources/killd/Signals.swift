@preconcurrency import Dispatch
import Glibc

/// A watch for signals, as long as it lives.
///
/// `signal()` is never called for a watched signal: on Linux libdispatch
/// catches it itself, and a later `signal(…, SIG_IGN)` would undo that.
final class Signals: Sendable {
    private let sources: [any DispatchSourceSignal]

    /// Returns when every signal is really watched, so that none is lost.
    init(_ numbers: [Int32], handle: @escaping @Sendable (Int32) -> Void) {
        let queue = DispatchQueue(label: "signals")
        let watched = DispatchSemaphore(value: 0)
        sources = numbers.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { handle(number) }
            source.setRegistrationHandler { watched.signal() }
            source.activate()
            return source
        }
        for _ in numbers { watched.wait() }
    }

    deinit {
        for source in sources { source.cancel() }
    }
}
