import SessionKill
import Synchronization
import XCTest

@testable import StandIn

final class WorldClockTests: XCTestCase {
    /// A machine on which no time passes by itself.
    private final class Machine: Sendable {
        private struct State {
            var elapsed = Duration.zero
            var sleepers: [(until: Duration, continuation: CheckedContinuation<Void, any Error>)] = []
            var sleeps = 0
        }

        private let state = Mutex(State())

        var sleeps: Int { state.withLock(\.sleeps) }

        var clock: MachineClock {
            MachineClock(
                read: { [self] in
                    state.withLock {
                        WorldTime.Reading(
                            time: UnixTime(milliseconds: 1_790_000_000_000 + $0.elapsed.components.seconds * 1_000),
                            elapsed: $0.elapsed)
                    }
                },
                sleep: { [self] duration in
                    try await withCheckedThrowingContinuation { continuation in
                        state.withLock { state in
                            state.sleeps += 1
                            state.sleepers.append((state.elapsed + duration, continuation))
                        }
                    }
                })
        }

        func pass(_ duration: Duration) {
            let due = state.withLock { state in
                state.elapsed += duration
                defer { state.sleepers.removeAll { $0.until <= state.elapsed } }
                return state.sleepers.filter { $0.until <= state.elapsed }
            }
            for sleeper in due { sleeper.continuation.resume() }
        }

        deinit {
            let left = state.withLock(\.sleepers)
            for sleeper in left { sleeper.continuation.resume(throwing: CancellationError()) }
        }
    }

    private func sleeper(_ clock: WorldClock, _ duration: Duration) async -> Task<Bool, Never> {
        let before = clock.sleeperCount
        let task = Task { (try? await clock.sleep(for: duration)) != nil }
        while clock.sleeperCount == before { await Task.yield() }
        return task
    }

    func testWhoSleepsWakesWhenTheClockIsAdvanced() async throws {
        let clock = WorldClock(machine: Machine().clock)
        let (short, long) = (await sleeper(clock, .seconds(60)), await sleeper(clock, .seconds(3_600)))
        try clock.advance(by: .seconds(59))
        XCTAssertEqual(clock.sleeperCount, 2)
        try clock.advance(by: .seconds(1))
        let isWoken = await short.value
        XCTAssertTrue(isWoken)
        XCTAssertEqual(clock.sleeperCount, 1)
        try clock.advance(by: .seconds(86_400))
        let isLongWoken = await long.value
        XCTAssertTrue(isLongWoken)
    }

    func testWhoSleepsWakesByTimeAlone() async throws {
        let machine = Machine()
        let clock = WorldClock(machine: machine.clock)
        let task = await sleeper(clock, .seconds(5))
        while machine.sleeps < 1 { await Task.yield() }
        machine.pass(.seconds(5))
        let isWoken = await task.value
        XCTAssertTrue(isWoken)
    }

    func testSettingTheClockWakesNobody() async throws {
        let clock = WorldClock(machine: Machine().clock)
        let task = await sleeper(clock, .seconds(5))
        try clock.set(to: clock.now.advanced(bySeconds: 86_400))
        XCTAssertEqual(clock.sleeperCount, 1)
        task.cancel()
        let isWoken = await task.value
        XCTAssertFalse(isWoken)
    }

    func testOnAStoppedClockTimeAloneWakesNobody() async throws {
        let machine = Machine()
        let clock = WorldClock(machine: machine.clock)
        let task = await sleeper(clock, .seconds(5))
        while machine.sleeps < 1 { await Task.yield() }
        clock.stop()
        machine.pass(.seconds(60))
        for _ in 0..<100 { await Task.yield() }
        XCTAssertEqual(clock.sleeperCount, 1)
        clock.resume()
        while machine.sleeps < 2 { await Task.yield() }
        machine.pass(.seconds(5))
        let isWoken = await task.value
        XCTAssertTrue(isWoken)
    }

    func testWhoIsCancelledSleepsNoLonger() async throws {
        let clock = WorldClock(machine: Machine().clock)
        clock.stop()
        let task = await sleeper(clock, .seconds(5))
        task.cancel()
        let isWoken = await task.value
        XCTAssertFalse(isWoken)
        XCTAssertEqual(clock.sleeperCount, 0)
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            return (try? await clock.sleep(for: .seconds(5))) != nil
        }
        late.cancel()
        let isLateWoken = await late.value
        XCTAssertFalse(isLateWoken)
    }

    func testTheTimeThatLimitsGoByNeverRunsBackwards() throws {
        let clock = WorldClock(machine: Machine().clock)
        let (time, instant) = (clock.now, clock.monotonic)
        try clock.set(to: time.advanced(bySeconds: -86_400))
        XCTAssertEqual(clock.monotonic, instant)
        XCTAssertEqual(clock.now, time.advanced(bySeconds: -86_400))
        try clock.advance(by: .seconds(2))
        XCTAssertEqual(instant.duration(to: clock.monotonic), .seconds(2))
    }
}
