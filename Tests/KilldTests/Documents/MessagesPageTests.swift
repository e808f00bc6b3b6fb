import Foundation
import TencentCloudErrors
import XCTest

/// The page `Messages` of killd.docc is true.
final class MessagesPageTests: XCTestCase {
    func testItsFileHasAllTextsOfOursAndNoOther() throws {
        let block = try XCTUnwrap(Document.page("Messages").blocks(of: "json").first)
        let texts = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(block.utf8)) as? [String: String])
        XCTAssertEqual(
            Set(MessageOverrides.textsOfOurs.map(\.template)).symmetricDifference(texts.keys), [])
        for (text, replacement) in texts { XCTAssertEqual(text, replacement) }
        XCTAssertNoThrow(try MessageOverrides(texts.map { ($0.key, $0.value) }))
    }
}
