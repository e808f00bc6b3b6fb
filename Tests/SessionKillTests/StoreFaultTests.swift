import TestSupport
import XCTest

/// A disk that fails at its first call, at its second, and so on, until there
/// are no more: what killd's store and its engine make of each.
final class StoreFaultTests: XCTestCase {
    /// Under ThreadSanitizer, which looks for something else, every fourth call fails, counted from a random one.
    private static let step = slowdown == 1 ? 1 : 4

    func testNoFaultOfTheDiskInPrepareAndCommitKillsUnrecordedOrTwiceOrLosesAPlan() async throws {
        let template = try await EmptyStore()
        try await forEveryFault { try await FaultRound($0, $1, on: template, threadsOfAPlan: 4...4).prepareAndCommit() }
    }

    func testNoFaultOfTheDiskInASessionTaskKillsUnrecordedOrTwiceOrLosesTheTask() async throws {
        let template = try await EmptyStore()
        try await forEveryCall { try await FaultRound($0, $1, on: template, threadsOfAPlan: 3...3).runSessionTask() }
    }

    func testNoFaultOfTheDiskInAKillTaskKillsUnrecordedOrTwiceOrLosesTheTask() async throws {
        let template = try await EmptyStore()
        try await forEveryCall { try await FaultRound($0, $1, on: template, threadsOfAPlan: 1...3).runKillTask() }
    }

    func testNoFaultOfTheDiskLeavesADecisionOrAClaimHalfDoneOrLosesOne() async throws {
        let template = try await EmptyStore()
        try await forEveryFault { try await FaultRound($0, $1, on: template, threadsOfAPlan: 4...4).decide() }
    }

    func testAStoreWhoseCreationWasInterruptedIsCreatedByTheNextStart() async throws {
        try await forEveryCall { try await FaultRound($0, $1, on: nil, threadsOfAPlan: 4...4).create() }
    }

    /// Has every call fail in every way.
    private func forEveryFault(
        file: StaticString = #filePath, line: UInt = #line, _ round: Attempt
    ) async throws {
        for mode in FaultyDisk.Fault.Mode.allCases {
            // Where killd goes on, what it wrote is synced in the end.
            for unsynced in mode == .crash ? FaultyDisk.Unsynced.allCases : [.nothing] {
                try await forEveryCall(file: file, line: line, failing: { _ in (mode, unsynced) }, round)
            }
        }
    }

    /// - Parameter way: how each call fails, the first of which has the number 1.
    private func forEveryCall(
        file: StaticString = #filePath, line: UInt = #line,
        failing way: (Int) -> (FaultyDisk.Fault.Mode, FaultyDisk.Unsynced) = StoreFaultTests.inTurns, _ round: Attempt
    ) async throws {
        var number = Int.random(in: 1...Self.step)
        print("every \(Self.step). call fails, from number \(number) on")
        while true {
            let (mode, unsynced) = way(number)
            guard try await round(FaultyDisk.Fault(mode: mode, number: number), unsynced) else { break }
            number += Self.step
            // Enough to know.
            guard testRun?.failureCount ?? 0 < 10 else { return }
        }
        XCTAssertGreaterThan(number, 40, "those are not the calls that were meant", file: file, line: line)
    }

    /// Returns whether the fault was met.
    private typealias Attempt = (FaultyDisk.Fault, FaultyDisk.Unsynced) async throws -> Bool

    /// Each way with each remainder meets calls of each kind.
    private static func inTurns(_ number: Int) -> (FaultyDisk.Fault.Mode, FaultyDisk.Unsynced) {
        let modes = FaultyDisk.Fault.Mode.allCases
        let rests = FaultyDisk.Unsynced.allCases
        return (modes[number % modes.count], rests[number / modes.count % rests.count])
    }
}
