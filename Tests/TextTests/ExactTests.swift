import Foundation
import Text
import XCTest

final class ExactTests: XCTestCase {
    private struct Name: Hashable, Codable {
        @Exact var first: String
        @Exact var second: String?
        var number: Int?
    }

    func testTextsOfOtherBytesAreOtherTexts() {
        for (left, right) in [
            ("caf\u{E9}", "cafe\u{301}"), ("K", "\u{212A}"), (";", "\u{37E}"), ("a", "a\0"), ("", "\u{200B}"),
        ] {
            XCTAssertNotEqual(ExactText(left), ExactText(right))
            XCTAssertEqual(Set([ExactText(left), ExactText(right), ExactText(left)]).count, 2)
            XCTAssertNotEqual(Name(first: left), Name(first: right))
            XCTAssertNotEqual(Name(first: "", second: left), Name(first: "", second: right))
            XCTAssertNotEqual(Exact([left, ""]), Exact([right, ""]))
            XCTAssertTrue(left.isSame(as: String(decoding: Array(left.utf8), as: UTF8.self)))
        }
        XCTAssertNotEqual(Name(first: "a", second: nil), Name(first: "a", second: ""))
        XCTAssertNotEqual(ExactText("ab"), ExactText("ac"))
    }

    func testOrderIsThatOfTheBytes() {
        let texts: [ExactText] = ["z", "e\u{301}", "\u{E9}", "Z", "\u{FF5A}", "\u{1F600}"]
        XCTAssertEqual(texts.sorted(), ["Z", "e\u{301}", "z", "\u{E9}", "\u{FF5A}", "\u{1F600}"])
    }

    func testIsCodedAsTheTextItself() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for (name, json) in [
            (
                Name(first: "e\u{301}", second: "\u{E9}", number: 1),
                "{\"first\":\"e\u{301}\",\"number\":1,\"second\":\"\u{E9}\"}"
            ),
            (Name(first: "a"), #"{"first":"a"}"#),
        ] {
            XCTAssertTrue(String(decoding: try encoder.encode(name), as: UTF8.self).isSame(as: json))
            XCTAssertEqual(try JSONDecoder().decode(Name.self, from: Data(json.utf8)), name)
        }
        XCTAssertEqual(try JSONDecoder().decode([ExactText].self, from: Data(#"["a"]"#.utf8)), ["a"])
        XCTAssertThrowsError(try JSONDecoder().decode(Name.self, from: Data("{}".utf8)))
        XCTAssertNil(try JSONDecoder().decode(Name.self, from: Data(#"{"first":"a","second":null}"#.utf8)).second)
    }
}
