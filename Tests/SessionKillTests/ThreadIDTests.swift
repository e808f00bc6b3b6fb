import Foundation
import SessionKill
import XCTest

final class ThreadIDTests: XCTestCase {
    func testHoldsWhatMySQLTakesWithoutCuttingItAndNothingElse() {
        XCTAssertEqual(ThreadID(1 as Int)?.description, "1")
        XCTAssertEqual(ThreadID(4_294_967_295 as Int64)?.description, "4294967295")
        for outside: Int64 in [0, -1, -4_294_967_286, 4_294_967_296, 4_294_967_305, .max, .min] {
            XCTAssertNil(ThreadID(outside), "\(outside)")
        }
        XCTAssertNil(ThreadID(UInt64.max))
    }

    func testIsDecodedWithTheSameBounds() throws {
        let decoder = JSONDecoder()
        XCTAssertEqual(try decoder.decode([ThreadID].self, from: Data("[1,4294967295]".utf8)), [1, 4_294_967_295])
        for outside in ["[0]", "[-1]", "[4294967296]", "[\"7\"]", "[1.5]", "[true]"] {
            XCTAssertThrowsError(try decoder.decode([ThreadID].self, from: Data(outside.utf8)), outside)
        }
        XCTAssertEqual(String(decoding: try JSONEncoder().encode([7 as ThreadID]), as: UTF8.self), "[7]")
    }
}
