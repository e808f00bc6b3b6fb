import Synchronization
import StoreContract
import TestSupport
import XCTest

@testable import SessionKill

final class SharedSnapshotTests: XCTestCase {
    func testCallsThatComeDuringASnapshotShareTheNext() async throws {
        let snapshots = ScriptedSnapshots()
        let shared = SharedSnapshot(
            { try await snapshots.snapshot() }, timeout: { try await Task.sleep(for: .seconds(600)) })
        let first = Task { try await shared.observe() }
        try await eventually("the first snapshot") { snapshots.underWay == 1 }
        let others = (0..<5).map { _ in Task { try await shared.observe() } }
        try await Task.sleep(for: .milliseconds(50))
        XCTAssertEqual(snapshots.underWay, 1)
        snapshots.finish(1)
        try await eventually("the second snapshot") { snapshots.begun == 2 }
        snapshots.finish(2)
        let seen = try await first.value
        XCTAssertEqual(seen, 1)
        for other in others {
            let seen = try await other.value
            XCTAssertEqual(seen, 2)
        }
    }

    func testASnapshotThatHangsKeepsNobodyBehindItWaiting() async throws {
        let snapshots = ScriptedSnapshots()
        let timeout = PauseGate()
        let shared = SharedSnapshot(
            { try await snapshots.snapshot() }, timeout: { try await timeout.sleep(.seconds(1)) })
        let hanging = Task { try await shared.observe() }
        try await eventually("the first snapshot") { snapshots.begun == 1 }
        let next = Task { try await shared.observe() }
        try await timeout.pause()
        timeout.open()
        try await eventually("the second snapshot") { snapshots.begun == 2 }
        snapshots.finish(2)
        let seen = try await next.value
        XCTAssertEqual(seen, 2)
        // The look that hung is still of use to who asked for it, and to nobody else.
        let later = Task { try await shared.observe() }
        try await eventually("the third snapshot") { snapshots.begun == 3 }
        snapshots.finish(1)
        let late = try await hanging.value
        XCTAssertEqual(late, 1)
        snapshots.finish(3)
        let last = try await later.value
        XCTAssertEqual(last, 3)
    }
}

/// Snapshots that end when a test says so; each sees its number.
private final class ScriptedSnapshots: Sendable {
    private struct State {
        var begun = 0
        var waiting: [Int: CheckedContinuation<Int, any Error>] = [:]
    }

    private let state = Mutex(State())

    var begun: Int { state.withLock(\.begun) }
    var underWay: Int { state.withLock(\.waiting.count) }

    func snapshot() async throws -> Int {
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
