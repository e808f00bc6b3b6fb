import SessionKill
import XCTest

@testable import StandIn

final class WorldTimeTests: XCTestCase {
    private typealias Reading = WorldTime.Reading

    /// The machine's time, so many seconds after it began to be looked at.
    private func machine(_ seconds: Int) -> Reading {
        Reading(
            time: UnixTime(milliseconds: 1_790_000_000_000).advanced(bySeconds: seconds), elapsed: .seconds(seconds))
    }

    func testGoesAsTheMachineDoes() {
        let time = WorldTime()
        XCTAssertEqual(time.reading(at: machine(0)), machine(0))
        XCTAssertEqual(time.reading(at: machine(7)), machine(7))
    }

    func testAdvancingItLetsTimePass() throws {
        var time = WorldTime()
        try time.advance(by: .seconds(601), at: machine(10))
        XCTAssertEqual(time.reading(at: machine(10)), machine(611))
        XCTAssertEqual(time.reading(at: machine(11)), machine(612))
    }

    func testSettingItMovesTheTimeOfDayOnly() throws {
        var time = WorldTime()
        try time.set(to: machine(-3_600).time, at: machine(10))
        XCTAssertEqual(time.reading(at: machine(10)), Reading(time: machine(-3_600).time, elapsed: .seconds(10)))
        XCTAssertEqual(time.reading(at: machine(15)), Reading(time: machine(-3_595).time, elapsed: .seconds(15)))
    }

    func testStoppedItStandsUntilItIsMovedOrResumed() throws {
        var time = WorldTime()
        time.stop(at: machine(5))
        XCTAssertEqual(time.reading(at: machine(100)), machine(5))
        try time.advance(by: .milliseconds(1_500), at: machine(100))
        XCTAssertEqual(time.reading(at: machine(200)).elapsed, .milliseconds(6_500))
        XCTAssertEqual(time.reading(at: machine(200)).time.milliseconds, machine(5).time.milliseconds + 1_500)
        try time.set(to: machine(0).time, at: machine(200))
        XCTAssertEqual(time.reading(at: machine(300)), Reading(time: machine(0).time, elapsed: .milliseconds(6_500)))
        time.resume(at: machine(300))
        XCTAssertFalse(time.isStopped)
        XCTAssertEqual(time.reading(at: machine(301)), Reading(time: machine(1).time, elapsed: .milliseconds(7_500)))
    }

    func testResumingWhatWasNotStoppedChangesNothing() throws {
        var time = WorldTime()
        try time.advance(by: .seconds(5), at: machine(0))
        time.resume(at: machine(1))
        XCTAssertEqual(time.reading(at: machine(2)), machine(7))
    }

    func testTimesThatNobodysCalendarHasAreRefusedAndChangeNothing() throws {
        var time = WorldTime()
        let refused: [UnixTime] = [
            UnixTime(milliseconds: -62_135_596_800_000), UnixTime(milliseconds: 978_307_199_999),
            UnixTime(milliseconds: 4_102_444_800_000), UnixTime(milliseconds: 253_402_300_799_000),
            UnixTime(milliseconds: .min), UnixTime(milliseconds: .max),
        ]
        for target in refused {
            XCTAssertThrowsError(try time.set(to: target, at: machine(0))) { error in
                XCTAssertTrue("\(error)".contains("from 2001-01-01T00:00:00Z to 2099-12-31T23:59:59Z"), "\(error)")
            }
        }
        XCTAssertEqual(time, WorldTime())
        for target in [WorldTime.range.lowerBound, WorldTime.range.upperBound] {
            try time.set(to: target, at: machine(0))
            XCTAssertEqual(time.reading(at: machine(0)).time, target)
        }
    }

    func testItIsNeitherAdvancedBackwardsNorOutOfItsYears() {
        var time = WorldTime()
        XCTAssertThrowsError(try time.advance(by: .seconds(-1), at: machine(0))) { error in
            XCTAssertEqual(error as? WorldClockError, .backwards(.seconds(-1)))
        }
        for duration in [Duration.seconds(75 * 366 * 86_400), .seconds(Int64.max), .seconds(101 * 366 * 86_400)] {
            XCTAssertThrowsError(try time.advance(by: duration, at: machine(0)), "\(duration)")
        }
        XCTAssertEqual(time, WorldTime())
    }
}
