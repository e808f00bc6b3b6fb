import SessionKill
import Synchronization

/// Time that moves only when told, or when somebody sleeps.
final class TestClock: Sendable {
    private struct State {
        var milliseconds: Int64 = 1_700_000_000_000
        var slept = Duration.zero
        var alarm: (at: Duration, run: @Sendable () async -> Void)?
    }
    private let state = Mutex(State())

    var now: @Sendable () -> UnixTime {
        { UnixTime(milliseconds: self.state.withLock(\.milliseconds)) }
    }
    var sleep: @Sendable (Duration) async throws -> Void {
        { duration in
            let alarm = self.state.withLock { state in
                state.slept += duration
                state.milliseconds +=
                    duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
                guard let alarm = state.alarm, state.slept >= alarm.at else {
                    return nil as (@Sendable () async -> Void)?
                }
                state.alarm = nil
                return alarm.run
            }
            await alarm?()
        }
    }
    var slept: Duration { state.withLock(\.slept) }

    func advance(milliseconds: Int64) { state.withLock { $0.milliseconds += milliseconds } }
    func advance(bySeconds seconds: Int64) { advance(milliseconds: seconds * 1_000) }

    /// Runs `alarm` once, in the first sleep after `duration` more has been slept.
    func whenSlept(for duration: Duration = .zero, _ alarm: @escaping @Sendable () async -> Void) {
        state.withLock { $0.alarm = ($0.slept + duration, alarm) }
    }
}
