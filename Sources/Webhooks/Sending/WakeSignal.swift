import Synchronization

/// Wakes one task that waits. A call that comes before it waits is not lost.
final class WakeSignal: Sendable {
    private struct State {
        var isSet = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func wake() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isSet = state.waiter == nil
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns when it is woken, or after a time.
    func wait(atMost limit: Duration) async {
        let timer = Task {
            do { try await Task.sleep(for: limit) } catch { return }
            wake()
        }
        await withCheckedContinuation { continuation in
            let isSet = state.withLock { state -> Bool in
                guard !state.isSet else { return true }
                state.waiter = continuation
                return false
            }
            if isSet { continuation.resume() }
        }
        state.withLock { $0.isSet = false }
        timer.cancel()
    }
}
