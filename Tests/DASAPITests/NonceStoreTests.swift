import XCTest

@testable import DASAPI

final class NonceStoreTests: XCTestCase {
    private let start = ContinuousClock.now

    private func time(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    func testANonceIsKeptForHalfAnHourAndThenDropped() {
        for second in [0, 1, 299] {
            var store = NonceStore()
            XCTAssertTrue(store.record("first", of: "k", timestamp: 0, at: time(0)))
            XCTAssertTrue(store.record("n", of: "k", timestamp: 0, at: time(second)))
            XCTAssertFalse(store.isNew("n", of: "k", at: time(second + 1_800)))
            XCTAssertTrue(store.isNew("n", of: "k", at: time(2_100)))
            XCTAssertEqual(store.count(of: "k"), 0)
        }
    }

    func testATimeBeforeAnEarlierOneForgetsNothing() {
        var store = NonceStore()
        XCTAssertTrue(store.record("a", of: "k", timestamp: 0, at: time(10_000)))
        XCTAssertFalse(store.isNew("a", of: "k", at: time(0)))
        XCTAssertTrue(store.record("b", of: "k", timestamp: 0, at: time(0)))
        XCTAssertFalse(store.isNew("b", of: "k", at: time(11_800)))
    }

    func testWhatWasForgottenRaisesTheFloor() {
        var store = NonceStore(start: 100)
        XCTAssertTrue(store.record("a", of: "k", timestamp: 1_000, at: time(0)))
        XCTAssertTrue(store.record("b", of: "k", timestamp: 900, at: time(1)))
        XCTAssertTrue(store.record("c", of: "k", timestamp: 1_400, at: time(301)))
        XCTAssertTrue(store.isNew("x", of: "k", at: time(2_099)))
        XCTAssertEqual(store.floor, 100)
        XCTAssertTrue(store.isNew("x", of: "k", at: time(2_100)))
        XCTAssertEqual(store.floor, 1_001)
        XCTAssertTrue(store.isNew("x", of: "k", at: time(2_401)))
        XCTAssertEqual(store.floor, 1_401)
    }

    func testCanonicallyEquivalentNoncesAreTwo() {
        var store = NonceStore()
        XCTAssertTrue(store.record("é", of: "k", timestamp: 0, at: time(0)))
        XCTAssertTrue(store.isNew("e\u{301}", of: "k", at: time(0)))
    }

    func testItHoldsNoMoreThanItsCapacity() {
        var store = NonceStore(capacity: 100)
        for number in 0..<100 { XCTAssertTrue(store.record("\(number)", of: "k", timestamp: 0, at: time(number * 6))) }
        XCTAssertFalse(store.record("x", of: "k", timestamp: 0, at: time(600)))
        XCTAssertTrue(store.isNew("x", of: "k", at: time(600)))
        XCTAssertEqual(store.timeUntilRoom(for: "k", at: time(600)), .seconds(1_500))
        XCTAssertTrue(store.record("x", of: "k", timestamp: 0, at: time(2_100)))
        // Those of the first five minutes are gone.
        XCTAssertEqual(store.count(of: "k"), 51)
    }
}
