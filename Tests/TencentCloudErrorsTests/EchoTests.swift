import TencentCloudErrors
import TestSupport
import XCTest

/// What callers wrote comes back in messages only bounded and stripped.
final class EchoTests: XCTestCase {
    /// `text` as a message echoes it.
    private func echo(_ text: String) throws -> String {
        let message = TencentCloudError.missingParameter(text).message(in: .english)
        let echoed = try XCTUnwrap(message.wholeMatch(of: /The request is missing a required parameter `(.*)`\./))
        return String(echoed.1)
    }

    func testEchoesOrdinaryTextAsItIs() throws {
        let longest = String(repeating: "a", count: 200)
        for text in ["", "Threads.1", "参数", "naïve", "a b", "`", "{0}", "\\(name)", "%s", "👩🏽", longest] {
            XCTAssertEqual(try echo(text), text)
        }
    }

    func testCutsLongTextBetweenCharacters() throws {
        XCTAssertEqual(try echo(String(repeating: "a", count: 201)), String(repeating: "a", count: 200) + "…")
        XCTAssertEqual(try echo(String(repeating: "参", count: 10_000)), String(repeating: "参", count: 200) + "…")
        XCTAssertEqual(
            try echo(String(repeating: "a", count: 199) + "e\u{301}"), String(repeating: "a", count: 199) + "…")
    }

    func testBoundsASingleCharacterOfManyScalars() throws {
        XCTAssertEqual(try echo("ab" + String(repeating: "\u{301}", count: 100_000)), "a…")
    }

    /// Beyond a thousand bytes nothing is looked at, be it visible or not.
    func testTakesNoLongerTheLongerTheTextIs() throws {
        let marks = "e" + String(repeating: "\u{301}", count: 4_000_000)
        var message = ""
        let time = processorTime { message = TencentCloudError.missingParameter(marks).message(in: .english) }
        XCTAssertLessThan(time, .milliseconds(100) * slowdown)
        XCTAssertLessThan(message.utf8.count, 100)
        XCTAssertEqual(try echo(String(repeating: "\u{200B}", count: 400) + "x"), "…")
    }

    func testStripsWhatCouldForgeOrTurnAroundText() throws {
        let cases: [(String, String)] = [
            ("a\nb\r\nc\td\u{0}e", "abcde"), ("\u{1B}[31mred\u{7F}", "[31mred"), ("\u{85}\u{9B}x", "x"),
            ("a\u{2028}b\u{2029}c", "abc"), ("a\u{202E}b\u{2066}c\u{200B}d\u{FEFF}", "abcd"),
        ]
        for (text, expected) in cases { XCTAssertEqual(try echo(text), expected) }
    }

    func testEveryTextOfACallerIsBoundedInBothLanguages() {
        let long = "\n" + String(repeating: "x", count: 5_000)
        let errors: [TencentCloudError] = [
            .unauthorizedOperation(requestID: long, operation: long, resource: long),
            .unsupportedProtocol(method: long), .noSuchVersion(long, service: long),
            .invalidAction(long, service: long, version: long), .unsupportedAction(long),
            .invalidRegion(parameter: long), .repeatedParameter(long), .unknownParameter(long), .missingParameter(long),
            .wrongType(long), .invalidValue(long, of: long), .conflictingParameters(long, long),
            .failedOperation(.privilegeMissing(long)),
        ]
        for error in errors {
            for language in Language.allCases {
                let message = error.message(in: language)
                XCTAssertLessThan(message.count, 1_000, "\(error)".prefix(40).description)
                XCTAssertFalse(message.contains("\nx"), message)
            }
        }
    }
}
