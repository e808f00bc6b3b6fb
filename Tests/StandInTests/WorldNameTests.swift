import StandInKeys
import XCTest

@testable import StandIn

final class WorldNameTests: XCTestCase {
    func testAKeyNamesAWorldAndAnAccount() {
        let keys: [(String, world: String, account: String)] = [
            ("AKIDstandin", "default", "standin"), ("AKIDstandin.alice", "default", "alice"),
            ("AKIDstandin-orders", "orders", "standin"), ("AKIDstandin-orders.ci", "orders", "ci"),
            ("AKIDstandin-a_B-9.x", "a_B-9", "x"),
        ]
        for (id, world, account) in keys {
            let key = StandInKey(id: id)
            XCTAssertEqual(key?.world.description, world, id)
            XCTAssertEqual(key?.account, account, id)
        }
        XCTAssertEqual(StandInKey(id: "AKIDstandin-orders.ci")?.id, "AKIDstandin-orders.ci")
        XCTAssertEqual(StandInKey(id: "AKIDstandin")?.id, "AKIDstandin")
    }

    func testWhatIsNoNameIsNone() {
        let longest = String(repeating: "n", count: 64)
        XCTAssertNotNil(StandInKey(id: "AKIDstandin-\(longest)"))
        for id in [
            "AKIDstandin-", "AKIDstandin-\(longest)n", "AKIDstandinx", "AKIDstandin-ä", "akidstandin", "", "x",
            "AKIDstandin-default",
        ] {
            XCTAssertNil(StandInKey(id: id), id)
        }
        for name in ["a b", "a.b", "a/b", "é", longest + "n", "\u{0}"] { XCTAssertNil(WorldName(name), name) }
        XCTAssertEqual(WorldName(""), .default)
        XCTAssertEqual(WorldName("default"), .default)
    }
}
