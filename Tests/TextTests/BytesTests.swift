import Text
import TestSupport
import XCTest

final class BytesTests: XCTestCase {
    func testABeginningEndsBetweenTwoCharacters() {
        let family = "👨‍👩‍👧‍👦"
        let cases: [(String, Int, String)] = [
            ("", 0, ""), ("abc", 3, "abc"), ("abc", 2, "ab"), ("abc", 0, ""), ("日本", 5, "日"), ("日本", 2, ""),
            ("xe\u{301}!", 2, "x"), ("xe\u{301}!", 4, "xe\u{301}"), ("x\r\n!", 2, "x"), ("🇨🇳🇩🇪", 12, "🇨🇳"),
            ("x" + family, family.utf8.count, "x"), (family + "x", family.utf8.count, family),
            (String(repeating: "x", count: 100) + family, 110, String(repeating: "x", count: 100)),
        ]
        for (text, limit, beginning) in cases {
            XCTAssertTrue(text.beginning(bytes: limit).isSame(as: beginning), "\(text), \(limit)")
        }
        for (text, limit, beginning) in [
            ("", 0, ""), ("abc", 3, "abc"), ("abc", 2, "ab"), ("日本", 1, "日"), ("xe\u{301}!", 2, "x"),
            ("xe\u{301}!", 3, "xe\u{301}"), ("x" + family, 3, "x"), (family + "x", 7, family), ("abc", -1, ""),
        ] {
            XCTAssertTrue(text.beginning(scalars: limit).isSame(as: beginning), "\(text), \(limit)")
        }
        // Of a character without end the scalars are all there is.
        let marks = "e" + String(repeating: "\u{301}", count: 1_000)
        XCTAssertEqual(marks.beginning(bytes: 500).utf8.count, 499)
        XCTAssertEqual(family.beginning(bytes: 6), "👨")
    }

    func testFindsAPartByItsBytes() {
        let cases: [(String, String, Bool)] = [
            ("xabcabcabd", "abcabd", true), ("xabcabcab", "abcabd", false), ("", "a", false), ("a", "", true),
            ("日本語", "本", true), ("a,\u{301}b", ",", true), ("caf\u{E9}", "e\u{301}", false),
        ]
        for (text, part, isThere) in cases {
            XCTAssertEqual(text.hasBytes(of: part), isThere, "\(text), \(part)")
            XCTAssertEqual(Array(text.utf8).hasBytes(of: part), isThere, "\(text), \(part)")
        }
    }

    func testAWordIsTheSameInEitherCaseOfASCIILettersOnly() {
        XCTAssertTrue("Sleep".utf8.isSameWord(as: "sLEEP"))
        for other in ["\u{17F}leep", "Slee", "Sleep\u{301}", "sleep "] {
            XCTAssertFalse("Sleep".utf8.isSameWord(as: other), other)
        }
        XCTAssertFalse("K".utf8.isSameWord(as: "\u{212A}"))
    }

    /// Four million bytes that are one character to Unicode: by characters each of these takes a quarter of a minute or more.
    func testCombiningMarksByTheMegabyteTakeNoLongerThanOtherTexts() {
        let marks = "e" + String(repeating: "\u{301}\u{316}", count: 1_000_000)
        let other = marks + "!"
        let time = processorTime {
            XCTAssertEqual(marks.beginning(bytes: 1_024).utf8.count, 1_023)
            XCTAssertEqual(marks.beginning(scalars: 60).unicodeScalars.count, 60)
            XCTAssertFalse(marks.hasBytes(of: "\u{316}\u{316}"))
            XCTAssertFalse(marks.isSame(as: other))
            XCTAssertTrue(marks.isSame(as: String(decoding: Array(marks.utf8), as: UTF8.self)))
            XCTAssertEqual(Set([ExactText(marks), ExactText(other), ExactText(marks)]).count, 2)
            XCTAssertLessThan(ExactText(marks), ExactText(other))
            XCTAssertFalse(marks.utf8.isSameWord(as: other))
        }
        XCTAssertLessThan(time, .seconds(12) * slowdown, "three seconds a megabyte, without optimization")
    }
}
