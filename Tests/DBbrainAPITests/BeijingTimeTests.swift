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

    /// As plans from before it was checked may have.
    func testAServersStartBeyondAllDatesIsNotShown() {
        for startedAt: Int64 in [.min, .max, -62_135_596_801, 253_402_300_800] {
            let fingerprint = ServerFingerprint(
                uniqueID: nil, hostname: "db1", port: 3306, serverID: 1, version: "9.7.4", startedAt: startedAt,
                connectionCount: 1)
            XCTAssertEqual(fingerprint.startText, "")
        }
        XCTAssertNotNil(UnixTime(seconds: -62_135_596_800)?.text)
        XCTAssertEqual(UnixTime(seconds: 253_402_300_799)?.text, "9999-12-31T23:59:59Z")
    }
}
