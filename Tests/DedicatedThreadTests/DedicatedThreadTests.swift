import TestSupport
import DedicatedThread
import Glibc
import XCTest

final class DedicatedThreadTests: XCTestCase {
    private actor Witness {
        private let thread: DedicatedThread
        nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
        private(set) var calls = 0

        init() throws { thread = try DedicatedThread(name: "witness") }

        func threadThatRunsThis() -> UInt {
            calls += 1
            return UInt(pthread_self())
        }
    }

    func testEveryCallOfTheActorRunsOnItsOneThread() async throws {
        let witness = try Witness()
        let threads = await withTaskGroup(of: UInt.self) { group in
            for _ in 0..<200 { group.addTask { await witness.threadThatRunsThis() } }
            return await group.reduce(into: Set<UInt>()) { $0.insert($1) }
        }
        let calls = await witness.calls
        XCTAssertEqual(threads.count, 1)
        XCTAssertEqual(calls, 200)
    }

    func testTheThreadEndsWithItsExecutor() async throws {
        func threads() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count }
        let before = try threads()
        for _ in 0..<100 {
            let witness = try Witness()
            _ = await witness.threadThatRunsThis()
        }
        try await eventually("the end of the threads") { try threads() <= before + 10 }
    }
}
