import SessionKill
import XCTest

@testable import DBbrainAPI

final class BeijingTimeTests: XCTestCase {
    func testTimesAreEightHoursAheadAndHaveNoZone() {
        XCTAssertEqual(UnixTime(milliseconds: 0).beijingText, "1970-01-01 08:00:00")
        // 2026-11-25T16:05:09.999Z
        XCTAssertEqual(UnixTime(milliseconds: 1_795_622_709_999).beijingText, "2026-11-26 00:05:09")
        XCTAssertEqual(UnixTime(milliseconds: 1_709_222_399_000).beijingText, "2024-02-29 23:59:59")
    }
}
