import Parameters
import XCTest

@testable import ContractFixtures

final class PatternTests: XCTestCase {
    private func tree(_ json: String) throws -> ParameterTree {
        let whole = try ParameterTree(json: Array(#"{"x":\#(json)}"#.utf8))
        return try XCTUnwrap(whole.value(at: "x"), json)
    }

    private func differences(_ pattern: String, _ value: String) throws -> [String] {
        try Pattern(tree(pattern)).differences(from: tree(value), at: "x")
            .map { "\($0.path): \($0.expected) / \($0.found)" }
    }

    func testMatches() throws {
        for (pattern, value) in [
            (#""a""#, #""a""#), ("1", "1"), ("null", "null"), ("true", "true"), ("[]", "[]"),
            (#"{"A":1}"#, #"{"A":1,"B":2}"#), (#"{"only":{"A":1}}"#, #"{"A":1}"#),
            (#"{"is":"integer"}"#, "18446744073709551615"), (#"{"is":"number"}"#, "1.5"), (#"{"is":"list"}"#, "[1]"),
            (#"{"is":"uuid"}"#, #""8AABDD91-9D41-5BC3-B596-92E4BEB6DE0E""#),
            (#"{"like":"a*c*"}"#, #""abcd""#), (#"{"like":"*"}"#, #""""#), (#"{"like":"a*b*b"}"#, #""abb""#),
            (#"{"oneOf":[1,"a"]}"#, #""a""#), (#"{"each":{"is":"string"},"atLeast":2}"#, #"["a","b"]"#),
            (#"{"contains":{"A":1}}"#, #"[{"A":2},{"A":1}]"#), (#"{"A":{"absent":true}}"#, "{}"),
            (#"{"A":{"maybe":1}}"#, "{}"), (#"{"A":{"maybe":1}}"#, #"{"A":1}"#),
        ] { XCTAssertEqual(try differences(pattern, value), [], "\(pattern) \(value)") }
    }

    func testTellsWhereWhatWasExpectedAndWhatWasFound() throws {
        for (pattern, value, words) in [
            (#""1""#, "1", #"x: "1" / 1"#), ("[1]", "[1,2]", "x: a list of 1 / [1,2]"),
            (#"{"A":[{"is":"integer"}]}"#, #"{"A":["12"]}"#, #"x.A.0: an integer / "12""#),
            (#"{"only":{"A":1}}"#, #"{"A":1,"B":2}"#, "x.B: no such member / 2"),
            (#"{"A":1}"#, "{}", "x.A: 1 / nothing"), (#"{"A":{"absent":true}}"#, #"{"A":null}"#, "x.A: nothing / null"),
            (#"{"like":"a*b"}"#, #""ab c""#, #"x: like "a*b" / "ab c""#),
            (#"{"like":"ab*ba"}"#, #""aba""#, #"x: like "ab*ba" / "aba""#),
            (#"{"oneOf":[1,2]}"#, "3", "x: one of 1, 2 / 3"),
            (#"{"each":1,"atLeast":1}"#, "[]", "x: a list of 1 or more / []"),
            // Canonically equal, and yet other bytes.
            ("\"\u{E9}\"", "\"e\u{301}\"", "x: \"\u{E9}\" / \"e\u{301}\""),
        ] { XCTAssertEqual(try differences(pattern, value), [words], pattern) }
    }

    func testValuesTakeThePlaceOfTheirNames() throws {
        var values = Values(["a": "1"])
        XCTAssertEqual(
            try tree(#"{"A":"x{{a}}y{{a}}","B":{"number":"{{a}}"},"C":["{{ a }}"]}"#).filled(from: values),
            try tree(#"{"A":"x1y1","B":1,"C":["{{ a }}"]}"#))
        XCTAssertThrowsError(try tree(#""{{b}}""#).filled(from: values))
        values["b"] = "{{a}}"
        XCTAssertEqual(try tree(#""{{b}}""#).filled(from: values), .string("{{a}}"))
    }
}
