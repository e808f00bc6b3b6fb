import Synchronization
import TLS

/// What other threads have to tell the event loop.
final class Mailbox: Sendable {
    enum Message: Sendable {
        case response(HTTPResponse, to: ConnectionID)
        /// New connections are met with this.
        case useTLS(TLSServerContext)
        /// Finish by the deadline, then resume.
        case drain(until: MonotonicTime, CheckedContinuation<Void, Never>)
        /// Close everything.
        case stop
    }

    private struct State {
        var messages: [Message] = []
        var loopIsAsleep = false
        var isClosed = false
    }

    private let state = Mutex(State())
    let wakeUp: WakeUp

    init() throws(SystemError) { wakeUp = try WakeUp() }

    /// Leaves a message.
    ///
    /// - Returns: false if the event loop has ended and will not read it.
    func put(_ message: Message) -> Bool {
        let (isTaken, mustWake) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.messages.append(message)
            defer { state.loopIsAsleep = false }
            return (true, state.loopIsAsleep)
        }
        // A loop that is awake looks here before it sleeps, so most messages cost no system call.
        if mustWake { wakeUp.signal() }
        return isTaken
    }

    /// The messages so far. If there are none, the event loop must go to sleep
    /// next: from now on a message wakes it.
    func takeOrSleep() -> [Message] {
        state.withLock { state in
            guard !state.messages.isEmpty else {
                state.loopIsAsleep = true
                return []
            }
            defer { state.messages = [] }
            return state.messages
        }
    }

    /// The event loop woke up.
    func noteAwake() { state.withLock { $0.loopIsAsleep = false } }

    /// Takes no more messages.
    ///
    /// - Returns: those that were not read.
    func close() -> [Message] {
        state.withLock { state in
            state.isClosed = true
            defer { state.messages = [] }
            return state.messages
        }
    }
}
