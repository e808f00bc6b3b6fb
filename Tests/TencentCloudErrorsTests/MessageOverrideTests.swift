import TencentCloudErrors
import XCTest

final class MessageOverrideTests: XCTestCase {
    func testEveryTextOfOursCanBeReplacedAndNoneOfTheVendors() throws {
        let texts = Set(MessageOverrides.textsOfOurs.map(\.template))
        for row in MessageTests.rows {
            for language in Language.allCases {
                let wording = row.error.wording(in: language)
                XCTAssertEqual(texts.contains(wording.template), wording.source == .ours, wording.template)
                guard wording.source == .ours else { continue }
                let overrides = try MessageOverrides([(wording.template, "another text")])
                XCTAssertEqual(overrides.message(of: row.error, in: language), "another text")
            }
        }
    }

    func testATextReplacedByItselfSaysTheSame() throws {
        let overrides = try MessageOverrides(MessageOverrides.textsOfOurs.map { ($0.template, $0.template) })
        for row in MessageTests.rows {
            for language in Language.allCases {
                XCTAssertEqual(overrides.message(of: row.error, in: language), row.error.message(in: language))
            }
        }
    }

    func testOtherTextsAndTheOtherLanguageStay() throws {
        let overrides = try MessageOverrides([("请求缺少必要参数 `{1}`。", "少了 `{1}`：{1}")])
        let missing = TencentCloudError.missingParameter("Stage")
        XCTAssertEqual(overrides.message(of: missing, in: .chinese), "少了 `Stage`：Stage")
        XCTAssertEqual(
            overrides.message(of: missing, in: .english), "The request is missing a required parameter `Stage`.")
        XCTAssertEqual(
            overrides.message(of: .planNotFound, in: .chinese), TencentCloudError.planNotFound.message(in: .chinese))
    }

    func testValuesKeepTheirPlacesWhateverTheyContain() throws {
        let ours = "The parameters `{1}` and `{2}` cannot be used together."
        let overrides = try MessageOverrides([(ours, "{2} excludes {1}, {2}!")])
        XCTAssertEqual(
            overrides.message(of: .conflictingParameters("{2}", "你"), in: .english), "你 excludes {2}, 你!")
    }

    func testRefusesATextThatIsNotOurs() {
        for text in ["InstanceId is invalid", "nothing", "", "The parameters `a` and `b` cannot be used together."] {
            XCTAssertThrowsError(try MessageOverrides([(text, "x")])) { error in
                XCTAssertEqual(error as? MessageOverrideError, .unknownText(text))
            }
        }
    }

    func testRefusesValuesThatTheTextDoesNotHave() {
        let ours = "The parameters `{1}` and `{2}` cannot be used together."
        for replacement in ["{3}", "{0}", "{-1}", "{", "{1", "a {} b", "{one}", "{1} {"] {
            XCTAssertThrowsError(try MessageOverrides([(ours, replacement)]), replacement) { error in
                XCTAssertEqual(
                    error as? MessageOverrideError, .unknownValue(in: replacement, valueCount: 2), replacement)
            }
        }
    }
}
