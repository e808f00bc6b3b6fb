import FoundationEssentials
import RequestDispatch
import SessionKill
import Synchronization

/// The clock that everything in a world goes by: it can be set, advanced and stopped.
///
/// Setting it is what setting a server's clock is: the time of day is another one, and no time has passed. Advancing it
/// lets time pass: who sleeps wakes when their moment has come, rate limits begin anew. In a world whose clock is stopped
/// who sleeps sleeps until it is advanced.
public final class WorldClock: Sendable {
    private struct State {
        var time = WorldTime()
        var sleepers = Sleepers<CheckedContinuation<Void, any Error>>()
        /// Wakes the earliest sleeper; `nil` if there is none, or nobody to be woken by time alone.
        var alarm: (at: Duration, task: Task<Void, Never>)?
    }

    private let state = Mutex(State())
    private let machine: MachineClock
    private let origin = ContinuousClock.now

    public convenience init() { self.init(machine: .system) }

    init(machine: MachineClock) { self.machine = machine }

    // MARK: What it shows

    /// The time of day.
    public var now: UnixTime { reading.time }

    /// Never runs backwards.
    public var monotonic: ContinuousClock.Instant { origin.advanced(by: reading.elapsed) }

    /// How long it has been since some moment.
    public var elapsed: Duration { reading.elapsed }

    public var isStopped: Bool { state.withLock { $0.time.isStopped } }

    private var reading: WorldTime.Reading { state.withLock { $0.time.reading(at: machine.read()) } }

    /// The same for the gates of requests.
    public var ofRequests: RequestClock {
        RequestClock(now: { self.now.milliseconds / 1_000 }, monotonic: { self.monotonic })
    }

    // MARK: What can be done to it

    public func set(to target: UnixTime) throws(WorldClockError) {
        try change { time, machine throws(WorldClockError) in try time.set(to: target, at: machine) }
    }

    public func advance(by duration: Duration) throws(WorldClockError) {
        try change { time, machine throws(WorldClockError) in try time.advance(by: duration, at: machine) }
    }

    public func stop() { change { $0.stop(at: $1) } }

    /// Goes on after ``stop()``, from where it is.
    public func resume() { change { $0.resume(at: $1) } }

    private func change<Failure: Error>(
        _ change: (inout WorldTime, WorldTime.Reading) throws(Failure) -> Void
    ) throws(Failure) {
        try state.withLock { state throws(Failure) in try change(&state.time, machine.read()) }
        wakeDue()
    }

    // MARK: Sleeping

    /// Returns when so much time has passed in the world.
    ///
    /// - Throws: `CancellationError`.
    public func sleep(for duration: Duration) async throws {
        let id = state.withLock { $0.sleepers.makeID() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (sleeper: CheckedContinuation<Void, any Error>) in
                let isWaiting = state.withLock { state -> Bool in
                    // Who is cancelled from here on is found among the sleepers.
                    guard !Task.isCancelled else { return false }
                    let elapsed = state.time.reading(at: machine.read()).elapsed
                    state.sleepers.add(sleeper, id, until: elapsed + duration)
                    return true
                }
                if isWaiting { wakeDue() } else { sleeper.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { $0.sleepers.remove(id) }
            sleeper?.resume(throwing: CancellationError())
        }
    }

    var sleeperCount: Int { state.withLock(\.sleepers.count) }

    /// Wakes those whose moment has come, and sets the alarm for the next.
    private func wakeDue() {
        let due = state.withLock { state in
            let elapsed = state.time.reading(at: machine.read()).elapsed
            let due = state.sleepers.removeDue(at: elapsed)
            setAlarm(&state, at: elapsed)
            return due
        }
        for sleeper in due { sleeper.resume() }
    }

    private func setAlarm(_ state: inout State, at elapsed: Duration) {
        let next = state.time.isStopped ? nil : state.sleepers.earliest
        // The machine's time until then: what the world is ahead by may have changed.
        let wanted = next.map { machine.read().elapsed + ($0 - elapsed) }
        if let alarm = state.alarm {
            if let wanted, alarm.at <= wanted { return }
            alarm.task.cancel()
            state.alarm = nil
        }
        guard let wanted, let next else { return }
        let pause = next - elapsed
        state.alarm = (
            wanted,
            Task { [weak self, machine] in
                do { try await machine.sleep(pause) } catch { return }
                self?.alarmWentOff(wanted)
            }
        )
    }

    private func alarmWentOff(_ moment: Duration) {
        state.withLock { state in
            if state.alarm?.at == moment { state.alarm = nil }
        }
        wakeDue()
    }

    deinit { state.withLock { $0.alarm?.task }?.cancel() }
}

/// The clocks of the machine.
struct MachineClock: Sendable {
    var read: @Sendable () -> WorldTime.Reading
    var sleep: @Sendable (Duration) async throws -> Void

    static let system: MachineClock = {
        let start = ContinuousClock.now
        return MachineClock(
            read: {
                WorldTime.Reading(
                    time: UnixTime(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down))),
                    elapsed: start.duration(to: .now))
            },
            sleep: { try await Task.sleep(for: $0) })
    }()
}
