import Text
import XCTest

final class CountsTests: XCTestCase {
    func testDigitsAreGroupedByThreeFromTheEnd() {
        let numbers: [(Int64, String)] = [
            (0, "0"), (7, "7"), (999, "999"), (1_000, "1,000"), (-1_000, "-1,000"), (-999, "-999"),
            (1_203_004, "1,203,004"), (.max, "9,223,372,036,854,775,807"), (.min, "-9,223,372,036,854,775,808"),
        ]
        for (number, text) in numbers { XCTAssertEqual(number.grouped, text) }
    }

    func testOneThingIsNotManyThings() {
        XCTAssertEqual(
            [0, 1, 2, 1_000].map { $0.counted("row") }, ["0 rows", "1 row", "2 rows", "1,000 rows"])
        XCTAssertEqual([1, 21].map { $0.counted("entry", "entries") }, ["1 entry", "21 entries"])
    }
}
