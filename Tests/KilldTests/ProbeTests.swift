import SessionKill
import Synchronization
import TestSupport
import XCTest

@testable import killd

final class ProbeTests: XCTestCase {
    /// A dependency whose checks end when the test says so, and time that the test moves.
    private final class World: Sendable {
        struct State {
            var now = ContinuousClock.now
            var checks = 0
            var running: [CheckedContinuation<Void, any Error>] = []
            var sleeping: [CheckedContinuation<Void, Never>] = []
        }
        let state = Mutex(State())

        func probe() -> Probe {
            Probe(
                clock: .init(
                    now: { self.state.withLock(\.now) },
                    sleep: { _ in
                        await withCheckedContinuation { next in self.state.withLock { $0.sleeping.append(next) } }
                    })
            ) {
                try await withCheckedThrowingContinuation { next in
                    self.state.withLock { state in
                        state.checks += 1
                        state.running.append(next)
                    }
                }
            }
        }

        var checks: Int { state.withLock(\.checks) }

        func advance(by duration: Duration) { state.withLock { $0.now += duration } }

        func endCheck(_ result: Result<Void, any Error> = .success(())) async throws {
            try await eventually("a check") { state.withLock { !$0.running.isEmpty } }
            state.withLock { state in
                for check in state.running { check.resume(with: result) }
                state.running = []
            }
        }

        /// Ends every wait for a check that has gone on for too long.
        func wakeSleepers() async throws {
            try await eventually("a sleeper") { state.withLock { !$0.sleeping.isEmpty } }
            state.withLock { state in
                for sleeper in state.sleeping { sleeper.resume() }
                state.sleeping = []
            }
        }
    }

    private struct Trouble: Error, CustomStringConvertible { let description = "it is away" }

    func testManyWhoAskAtOnceShareOneCheck() async throws {
        let world = World()
        let probe = world.probe()
        let askers = (0..<50).map { _ in Task { await probe.finding() } }
        try await world.endCheck()
        for asker in askers {
            let finding = await asker.value
            XCTAssertEqual(finding, .works)
        }
        XCTAssertEqual(world.checks, 1)
        try await world.wakeSleepers()
    }

    func testAFindingIsGoodForASecond() async throws {
        let world = World()
        let probe = world.probe()
        async let first = probe.finding()
        try await world.endCheck()
        _ = await first
        world.advance(by: .milliseconds(999))
        let second = await probe.finding()
        XCTAssertEqual(second, .works)
        XCTAssertEqual(world.checks, 1)

        world.advance(by: .milliseconds(1))
        async let third = probe.finding()
        try await world.endCheck(.failure(Trouble()))
        let failure = await third
        XCTAssertEqual(failure, .fails("it is away"))
        XCTAssertEqual(world.checks, 2)
        try await world.wakeSleepers()
    }

    func testNobodyWaitsForACheckThatHangsAndNoOtherIsBegun() async throws {
        let world = World()
        let probe = world.probe()
        async let first = probe.finding()
        try await world.wakeSleepers()
        let overdue = await first
        XCTAssertEqual(overdue, .fails("no answer for 500 ms"))

        world.advance(by: .seconds(7))
        let later = await probe.finding()
        XCTAssertEqual(later, .fails("no answer for 7000 ms"))
        XCTAssertEqual(world.checks, 1)

        try await world.endCheck()
        try await eventually("the finding") { await probe.finding() == .works }
        XCTAssertEqual(world.checks, 1)
    }
}
