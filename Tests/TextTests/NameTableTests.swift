import Text
import XCTest

final class NameTableTests: XCTestCase {
    func testNamesAreFoundByTheirBytes() {
        let table = NameTable<Int>([("caf\u{E9}", 1), ("K", 2), ("K", 3)])
        XCTAssertEqual(table["caf\u{E9}"], 1)
        XCTAssertEqual(table["K"], 2, "of two with one name the first is kept")
        for stranger in ["cafe\u{301}", "\u{212A}", "k", ""] { XCTAssertNil(table[stranger], stranger) }
        XCTAssertEqual(NameTable<Int>([("K", 2), ("K", 3)], merge: +)["K"], 5)
    }

    func testALongerNameThanAnyIsNotLookedFor() {
        let longest = String(repeating: "n", count: 128)
        XCTAssertTrue(longest.canBeName)
        XCTAssertEqual(NameTable<Int>([(longest, 1)])[longest], 1)
        XCTAssertFalse((longest + "n").canBeName)
        XCTAssertNil(NameTable<Int>([(longest + "n", 1)])[longest + "n"])
    }
}
