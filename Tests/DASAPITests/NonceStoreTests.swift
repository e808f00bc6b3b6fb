import XCTest

@testable import DASAPI

final class NonceStoreTests: XCTestCase {
    func testANonceIsKeptForHalfAnHourAndThenDropped() {
        for start in [0, 1, 299, 1_767_323_045] as [Int64] {
            var store = NonceStore()
            XCTAssertTrue(store.record("n", of: "k", at: start))
            XCTAssertFalse(store.isNew("n", of: "k", at: start + 1_800))
            XCTAssertTrue(store.isNew("n", of: "k", at: start + 2_100))
            XCTAssertEqual(store.count(of: "k"), 0)
        }
    }

    func testAClockThatIsSetBackForgetsNothing() {
        var store = NonceStore()
        XCTAssertTrue(store.record("a", of: "k", at: 10_000))
        XCTAssertFalse(store.isNew("a", of: "k", at: 0))
        XCTAssertTrue(store.record("b", of: "k", at: 0))
        XCTAssertFalse(store.isNew("b", of: "k", at: 11_800))
    }

    func testCanonicallyEquivalentNoncesAreTwo() {
        var store = NonceStore()
        XCTAssertTrue(store.record("é", of: "k", at: 0))
        XCTAssertTrue(store.isNew("e\u{301}", of: "k", at: 0))
    }

    func testItHoldsNoMoreThanItsCapacity() {
        var store = NonceStore(capacity: 100)
        for number in 0..<100 { XCTAssertTrue(store.record("\(number)", of: "k", at: Int64(number * 6))) }
        XCTAssertFalse(store.record("x", of: "k", at: 600))
        XCTAssertTrue(store.isNew("x", of: "k", at: 600))
        XCTAssertEqual(store.secondsUntilRoom(for: "k"), 1_500)
        XCTAssertTrue(store.record("x", of: "k", at: 2_100))
        // Those of the first five minutes.
        XCTAssertEqual(store.count(of: "k"), 51)
    }
}
