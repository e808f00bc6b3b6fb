@testable import SessionKill
import XCTest

final class ServerFingerprintTests: XCTestCase {
    private func fingerprint(
        startedAt: Int64, connectionCount: UInt64?, startMark: String? = "b80b-02fc00000001"
    ) -> ServerFingerprint {
        ServerFingerprint(
            uniqueID: "u", hostname: "db1", port: 3306, serverID: 1, version: "9.7.4", startedAt: startedAt,
            connectionCount: connectionCount, startMark: startMark)
    }

    func testAnotherSecondOfTheStartIsARestart() {
        let first = fingerprint(startedAt: 1_000, connectionCount: 5)
        XCTAssertNil(first.difference(from: fingerprint(startedAt: 1_000, connectionCount: 5)))
        for startedAt: Int64 in [999, 1_001, .min, .max] {
            let later = fingerprint(startedAt: startedAt, connectionCount: 5)
            XCTAssertEqual(first.difference(from: later), .serverRestarted)
            XCTAssertEqual(later.difference(from: first), .serverRestarted)
        }
    }

    func testAProcessThatStartedInTheSameSecondHasAnotherMark() {
        let first = fingerprint(startedAt: 1_000, connectionCount: 5)
        let later = fingerprint(startedAt: 1_000, connectionCount: 6, startMark: "b80c-02fc00000001")
        XCTAssertEqual(first.difference(from: later), .serverRestarted)
    }

    func testAConnectionThatLivedOnOutweighsWhatAServerSaysOfItsStart() {
        let first = fingerprint(startedAt: 1_000, connectionCount: 5)
        func difference(_ change: (inout ServerFingerprint) -> Void) -> StaleReason? {
            var later = first
            change(&later)
            return first.difference(from: later, inSameProcess: true)
        }
        XCTAssertNil(difference { $0.startMark = "b80c-02fc00000001" })
        XCTAssertNil(difference { $0.startedAt = 1_001 })
        XCTAssertNil(difference { $0.connectionCount = 4 })
        XCTAssertNil(difference { ($0.serverID, $0.startMark) = (2, "b80c-02fc00000001") })
        // What no server changes while it runs.
        XCTAssertEqual(difference { $0.uniqueID = "v" }, .anotherServer)
        XCTAssertEqual(difference { $0.hostname = "db2" }, .anotherServer)
        XCTAssertEqual(difference { $0.version = "9.7.5" }, .anotherServer)
    }

    func testWhatAServerDrewAloneProvesNobodysEnd() {
        let first = fingerprint(startedAt: 1_000, connectionCount: 5)
        // MySQL draws anew also when its clock was set back.
        let drewAnew = fingerprint(startedAt: 1_000, connectionCount: 9, startMark: "b80c-02fc00000001")
        XCTAssertFalse(first.hasEnded(before: drewAnew))
        XCTAssertTrue(first.hasEnded(before: fingerprint(startedAt: 1_001, connectionCount: 9)))
        let fewer = fingerprint(startedAt: 1_000, connectionCount: 4, startMark: "b80c-02fc00000001")
        XCTAssertTrue(first.hasEnded(before: fewer))
        // OceanBase tells the microsecond.
        let oceanBase = fingerprint(startedAt: 1_000, connectionCount: nil, startMark: "1000000001")
        XCTAssertTrue(
            oceanBase.hasEnded(before: fingerprint(startedAt: 1_000, connectionCount: nil, startMark: "1000000002")))
        var other = fingerprint(startedAt: 1_001, connectionCount: 9)
        other.hostname = "db2"
        XCTAssertFalse(first.hasEnded(before: other))
    }

    func testAServerIdThatWasSetAnewIsNoOtherServer() {
        let first = fingerprint(startedAt: 1_000, connectionCount: 5)
        func later(_ change: (inout ServerFingerprint) -> Void) -> StaleReason? {
            var later = fingerprint(startedAt: 1_000, connectionCount: 9)
            later.serverID = 2
            change(&later)
            return first.difference(from: later)
        }
        XCTAssertNil(later { _ in })
        // A copy of a server's data has the uuid too.
        XCTAssertEqual(later { $0.uniqueID = "v" }, .anotherServer)
        XCTAssertEqual(later { $0.startedAt = 1_001 }, .anotherServer)
        XCTAssertEqual(later { $0.startMark = "b80c-02fc00000001" }, .anotherServer)
        XCTAssertEqual(later { $0.connectionCount = 4 }, .anotherServer)
        // Plans of an earlier killd do not tell the start so well, nor do servers without an id of their own.
        for change: (inout ServerFingerprint) -> Void in [{ $0.startMark = nil }, { $0.uniqueID = nil }] {
            var (before, after) = (first, first)
            after.serverID = 2
            change(&before)
            change(&after)
            XCTAssertEqual(before.difference(from: after), .anotherServer)
        }
    }

    /// They took the time and `Uptime` from two statements: the start may seem later than it was, never earlier.
    func testPlansOfAnEarlierKilldMayHaveSeenTheStartUpToTwoSecondsLate() {
        let first = fingerprint(startedAt: 1_000, connectionCount: 5, startMark: nil)
        for startedAt: Int64 in [998, 999, 1_000] {
            XCTAssertNil(first.difference(from: fingerprint(startedAt: startedAt, connectionCount: 5)))
        }
        for startedAt: Int64 in [997, 1_001, 1_002] {
            let later = fingerprint(startedAt: startedAt, connectionCount: 5)
            XCTAssertEqual(first.difference(from: later), .serverRestarted)
        }
    }

    /// As after a crash in the server's first second.
    func testFewerConnectionsAreARestartWhenTheStartTimesAgree() {
        let first = fingerprint(startedAt: 1_000, connectionCount: 5)
        XCTAssertEqual(
            first.difference(from: fingerprint(startedAt: 1_000, connectionCount: 4)), .serverRestarted)
    }

    func testAServerThatDoesNotCountItsConnectionsMustHaveStartedInTheSameSecond() {
        let first = fingerprint(startedAt: 1_000, connectionCount: nil)
        XCTAssertNil(first.difference(from: fingerprint(startedAt: 1_000, connectionCount: nil)))
        for startedAt: Int64 in [999, 1_001] {
            let later = fingerprint(startedAt: startedAt, connectionCount: nil)
            XCTAssertEqual(first.difference(from: later), .serverRestarted)
        }
    }

    func testNoStartTimeIsTooFarFromAnother() {
        for (start, laterStart): (Int64, Int64) in [(.min, .max), (.max, .min), (0, .min), (.min, 0), (-1, .max)] {
            for count: UInt64? in [5, nil] {
                let first = fingerprint(startedAt: start, connectionCount: count)
                let later = fingerprint(startedAt: laterStart, connectionCount: count)
                XCTAssertEqual(first.difference(from: later), .serverRestarted)
            }
        }
    }
}
