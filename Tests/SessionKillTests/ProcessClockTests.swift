import SessionKill
import Synchronization
import XCTest

final class ProcessClockTests: XCTestCase {
    /// A wall clock that somebody sets, and a monotonic one that nobody can.
    private final class Clocks: Sendable {
        let wall = Mutex<Int64>(1_790_000_000_000)
        let passed = Mutex<Int64>(0)

        func pass(milliseconds: Int64) {
            wall.withLock { $0 += milliseconds }
            passed.withLock { $0 += milliseconds }
        }
        func setBack(bySeconds seconds: Int64) { wall.withLock { $0 -= seconds * 1_000 } }

        func clock(floor: UnixTime? = nil) -> ProcessClock {
            ProcessClock(
                wall: { UnixTime(milliseconds: self.wall.withLock { $0 }) },
                monotonic: { .milliseconds(self.passed.withLock { $0 }) }, floor: floor)
        }
    }

    private let clocks = Clocks()
    private let start: Int64 = 1_790_000_000_000

    func testGoesAsTheWallClockDoes() {
        let clock = clocks.clock()
        XCTAssertEqual(clock.now().milliseconds, start)
        clocks.pass(milliseconds: 1_500)
        XCTAssertEqual(clock.now().milliseconds, start + 1_500)
        clocks.setBack(bySeconds: -3_600)
        XCTAssertEqual(clock.now().milliseconds, start + 3_601_500)
    }

    func testGoesOnAtItsOwnPaceWhenTheWallClockIsSetBack() {
        let clock = clocks.clock()
        XCTAssertEqual(clock.now().milliseconds, start)
        clocks.setBack(bySeconds: 3_600)
        XCTAssertEqual(clock.now().milliseconds, start)
        clocks.pass(milliseconds: 600_000)
        XCTAssertEqual(clock.now().milliseconds, start + 600_000)
        clocks.setBack(bySeconds: 86_400)
        clocks.pass(milliseconds: 1)
        XCTAssertEqual(clock.now().milliseconds, start + 600_001)
        // Set right again.
        clocks.setBack(bySeconds: -90_000)
        XCTAssertEqual(clock.now().milliseconds, start + 600_001)
        clocks.setBack(bySeconds: -1)
        XCTAssertEqual(clock.now().milliseconds, start + 601_001)
    }

    func testIsNeverBehindWhatWasOnRecordBeforeItBegan() {
        let clock = clocks.clock(floor: UnixTime(milliseconds: start + 5_000))
        XCTAssertEqual(clock.now().milliseconds, start + 5_000)
        clocks.pass(milliseconds: 4_000)
        XCTAssertEqual(clock.now().milliseconds, start + 9_000)
        XCTAssertEqual(clocks.clock(floor: UnixTime(milliseconds: 1)).now().milliseconds, start + 4_000)
    }

    func testAFloorAtTheEndOfTimeDoesNotEndTheProcess() {
        let clock = clocks.clock(floor: UnixTime(milliseconds: .max))
        clocks.pass(milliseconds: 1)
        XCTAssertEqual(clock.now().milliseconds, .max)
    }
}
