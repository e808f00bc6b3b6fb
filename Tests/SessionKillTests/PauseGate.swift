import SessionKill
import Synchronization
import TestSupport

/// Keeps a loop in its pause until the test has it go on.
final class PauseGate: Sendable {
    private struct State {
        var sleeper: CheckedContinuation<Void, any Error>?
        var duration = Duration.zero
    }

    private let state = Mutex(State())

    /// For a ``KillEngine/Clock``.
    var sleep: @Sendable (Duration) async throws -> Void {
        { duration in
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    // Under the lock: who is cancelled from here on is found by the handler, which waits for it.
                    let isCancelled = self.state.withLock { state in
                        guard !Task.isCancelled else { return true }
                        state = State(sleeper: continuation, duration: duration)
                        return false
                    }
                    if isCancelled { continuation.resume(throwing: CancellationError()) }
                }
            } onCancel: {
                self.take()?.resume(throwing: CancellationError())
            }
        }
    }

    /// Waits until the loop pauses, and returns for how long it wants to.
    @discardableResult
    func pause() async throws -> Duration {
        try await eventually("the pause", pause: .milliseconds(1)) { state.withLock { $0.sleeper != nil } }
        return state.withLock(\.duration)
    }

    /// Ends the pause.
    func open() { take()?.resume() }

    private func take() -> CheckedContinuation<Void, any Error>? {
        state.withLock { state in
            defer { state.sleeper = nil }
            return state.sleeper
        }
    }
}
