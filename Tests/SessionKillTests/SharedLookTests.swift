import Synchronization
import TestSupport
import XCTest

@testable import SessionKill

final class SharedLookTests: XCTestCase {
    func testCallsThatComeDuringALookShareTheNext() async throws {
        let looks = ScriptedLooks()
        let shared = SharedLook({ try await looks.look() }, patience: { try await Task.sleep(for: .seconds(600)) })
        let first = Task { try await shared.observe() }
        try await eventually("the first look") { looks.underWay == 1 }
        let others = (0..<5).map { _ in Task { try await shared.observe() } }
        try await Task.sleep(for: .milliseconds(50))
        XCTAssertEqual(looks.underWay, 1)
        looks.finish(1)
        try await eventually("the second look") { looks.begun == 2 }
        looks.finish(2)
        let seen = try await first.value
        XCTAssertEqual(seen, 1)
        for other in others {
            let seen = try await other.value
            XCTAssertEqual(seen, 2)
        }
    }

    func testALookThatHangsKeepsNobodyBehindItWaiting() async throws {
        let looks = ScriptedLooks()
        let patience = PauseGate()
        let shared = SharedLook({ try await looks.look() }, patience: { try await patience.sleep(.seconds(1)) })
        let hanging = Task { try await shared.observe() }
        try await eventually("the first look") { looks.begun == 1 }
        let next = Task { try await shared.observe() }
        try await patience.pause()
        patience.open()
        try await eventually("the second look") { looks.begun == 2 }
        looks.finish(2)
        let seen = try await next.value
        XCTAssertEqual(seen, 2)
        // The look that hung is still of use to who asked for it, and to nobody else.
        let later = Task { try await shared.observe() }
        try await eventually("the third look") { looks.begun == 3 }
        looks.finish(1)
        let late = try await hanging.value
        XCTAssertEqual(late, 1)
        looks.finish(3)
        let last = try await later.value
        XCTAssertEqual(last, 3)
    }
}

/// Looks that end when a test says so; each sees its number.
private final class ScriptedLooks: Sendable {
    private struct State {
        var begun = 0
        var waiting: [Int: CheckedContinuation<Int, any Error>] = [:]
    }

    private let state = Mutex(State())

    var begun: Int { state.withLock(\.begun) }
    var underWay: Int { state.withLock(\.waiting.count) }

    func look() async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { state in
                state.begun += 1
                state.waiting[state.begun] = continuation
            }
        }
    }

    func finish(_ number: Int) {
        state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: number)
    }
}
