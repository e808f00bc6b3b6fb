import TestSupport
import Parameters
import XCTest

/// The cases follow the categories of JSONTestSuite (Seriot, "Parsing JSON is a minefield").
final class JSONParserTests: XCTestCase {
    /// What `text` means as the value of a parameter `a`.
    private func value(of text: String) throws -> ParameterTree {
        let tree = try ParameterTree(json: Array("{\"a\":\(text)}".utf8))
        guard case .object(let members) = tree, members.count == 1 else {
            XCTFail("\(tree) has not one member")
            return .null
        }
        return members[0].value
    }

    private func assertMalformed(
        _ bytes: [UInt8], _ reason: JSONDefect, at offset: Int, file: StaticString = #filePath, line: UInt = #line
    ) {
        let text = String(decoding: bytes.prefix(80), as: UTF8.self)
        XCTAssertThrowsError(try ParameterTree(json: bytes), text, file: file, line: line) { error in
            XCTAssertEqual(
                error as? ParameterError, .malformed(offset: offset, reason: reason), text, file: file, line: line)
        }
    }

    func testReadsEveryKindOfValue() throws {
        let cases: [(String, ParameterTree)] = [
            ("null", .null), ("true", .boolean(true)), ("false", .boolean(false)),
            ("{}", .object([])), ("[]", .array([])), ("[ ]", .array([])),
            (
                "\t[\n1\r,\t2 ]\n",
                .array([
                    .number("1"), .number("2"),
                ])
            ),
            (
                "[[],{\"b\":[null]}]",
                .array([
                    .array([]), .object([.init(name: "b", value: .array([.null]))]),
                ])
            ),
            ("\"\"", .string("")), ("\"a\"", .string("a")), ("\"会话\"", .string("会话")),
        ]
        for (text, expected) in cases { XCTAssertEqual(try value(of: text), expected, text) }
    }

    func testKeepsEveryNumberAsItsText() throws {
        let numbers = [
            "0", "-0", "1", "-1", "20", "9223372036854775807", "18446744073709551616", "0.0", "-0.0", "1.0", "1.5e3",
            "1e2", "1E2", "1e+2", "1e-2", "0e1", "123.456e78", "1e999",
        ]
        for number in numbers { XCTAssertEqual(try value(of: number), .number(number)) }
    }

    func testRefusesNumbersOutsideTheGrammar() {
        let cases: [(String, JSONDefect, Int)] = [
            ("01", .invalidNumber, 5), ("-01", .invalidNumber, 5), ("00", .invalidNumber, 5), ("-a", .invalidNumber, 5),
            ("1.", .invalidNumber, 5), ("1.e1", .invalidNumber, 5), ("1e", .invalidNumber, 5),
            ("1e+", .invalidNumber, 5), ("1e1.5", .unexpectedByte(UInt8(ascii: ".")), 8),
            ("-", .invalidNumber, 5), ("--1", .invalidNumber, 5), ("0x1", .unexpectedByte(UInt8(ascii: "x")), 6),
            ("1_000", .unexpectedByte(UInt8(ascii: "_")), 6), ("1 000", .unexpectedByte(UInt8(ascii: "0")), 7),
            ("+1", .unexpectedByte(UInt8(ascii: "+")), 5), (".5", .unexpectedByte(UInt8(ascii: ".")), 5),
            ("NaN", .unexpectedByte(UInt8(ascii: "N")), 5), ("Infinity", .unexpectedByte(UInt8(ascii: "I")), 5),
            ("-Infinity", .invalidNumber, 5), ("１", .unexpectedByte(0xEF), 5),
        ]
        for (text, reason, offset) in cases { assertMalformed(Array("{\"a\":\(text)}".utf8), reason, at: offset) }
    }

    func testResolvesEscapes() throws {
        let cases: [(String, String)] = [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{08}\u{0C}\n\r\t"), (#""\u0041""#, "A"), (#""\u00e9\u00E9""#, "éé"),
            (#""\ud83d\ude00""#, "😀"), (#""\uD834\uDD1Ex""#, "𝄞x"), (#""\u0000""#, "\0"), (#""\uFFFF""#, "\u{FFFF}"),
            (#""a\\u0041""#, "a\\u0041"), (#""\u2028""#, "\u{2028}"), ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"),
            (#""前\n后""#, "前\n后"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
        ]
        for (text, expected) in cases { XCTAssertEqual(try value(of: text), .string(expected), text) }
    }

    func testRefusesStringsOutsideTheGrammar() {
        let cases: [(String, JSONDefect, Int)] = [
            (#""\x""#, .invalidEscape, 6), (#""\U0041""#, .invalidEscape, 6), (#""\'""#, .invalidEscape, 6),
            (#""\u00G0""#, .invalidEscape, 6), (#""\u004""#, .invalidEscape, 6), (#""\u 041""#, .invalidEscape, 6),
            (#""\ud83d""#, .loneSurrogate, 6), (#""\ude00""#, .loneSurrogate, 6), (#""\ud83dx""#, .loneSurrogate, 6),
            (#""\ud83d\n""#, .loneSurrogate, 6), (#""\ud83d\u0041""#, .loneSurrogate, 6),
            (#""\ud83d\ud83d""#, .loneSurrogate, 6), (#""\ud83d\uZZZZ""#, .invalidEscape, 12),
            ("\"a\u{00}b\"", .controlCharacter, 7), ("\"a\nb\"", .controlCharacter, 7),
            ("\"a\tb\"", .controlCharacter, 7), ("\"\u{1F}\"", .controlCharacter, 6),
            ("'a'", .unexpectedByte(UInt8(ascii: "'")), 5),
        ]
        for (text, reason, offset) in cases { assertMalformed(Array("{\"a\":\(text)}".utf8), reason, at: offset) }
    }

    func testRefusesInvalidUTF8AtItsFirstByte() {
        let cases: [(String, [UInt8])] = [
            ("continuation alone", [0x80]), ("lead byte alone", [0xC3]), ("overlong slash", [0xC0, 0xAF]),
            ("overlong of three bytes", [0xE0, 0x80, 0xAF]), ("overlong of four bytes", [0xF0, 0x80, 0x80, 0xAF]),
            ("encoded surrogate", [0xED, 0xA0, 0x80]), ("above U+10FFFF", [0xF4, 0x90, 0x80, 0x80]),
            ("five bytes", [0xF8, 0x88, 0x80, 0x80, 0x80]), ("0xFE", [0xFE]), ("0xFF", [0xFF]),
            ("cut short", [0xE4, 0xBC]), ("Latin-1", [0xE9]),
        ]
        for (_, invalid) in cases {
            assertMalformed(Array("{\"a\":\"é".utf8) + invalid + Array("\"}".utf8), .invalidUTF8, at: 8)
            assertMalformed(Array("{\"é".utf8) + invalid + Array("\":1}".utf8), .invalidUTF8, at: 4)
            assertMalformed(Array("{\"a\":".utf8) + invalid + Array("}".utf8), .unexpectedByte(invalid[0]), at: 5)
        }
    }

    func testRefusesStructureOutsideTheGrammar() {
        let cases: [(String, JSONDefect, Int)] = [
            ("", .unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("{", .unexpectedEnd, 1), ("{\"a\"", .unexpectedEnd, 4),
            ("{\"a", .unexpectedEnd, 3), ("{\"a\":", .unexpectedEnd, 5), ("{\"a\":1", .unexpectedEnd, 6),
            ("{\"a\":1,", .unexpectedEnd, 7), ("{\"a\":[", .unexpectedEnd, 6), ("{\"a\":[1", .unexpectedEnd, 7),
            ("{\"a\":tru", .unexpectedEnd, 8), ("{\"a\":\"\\", .unexpectedEnd, 7),
            ("{\"a\":\"\\u00", .unexpectedEnd, 10),
            ("{\"a\":-", .unexpectedEnd, 6), ("{\"a\":1e", .unexpectedEnd, 7),
            ("{\"a\":1,}", .unexpectedByte(UInt8(ascii: "}")), 7), ("{,}", .unexpectedByte(UInt8(ascii: ",")), 1),
            ("{\"a\":[1,]}", .unexpectedByte(UInt8(ascii: "]")), 8),
            ("{\"a\":[,1]}", .unexpectedByte(UInt8(ascii: ",")), 6),
            ("{\"a\":[1 2]}", .unexpectedByte(UInt8(ascii: "2")), 8),
            ("{\"a\":[1,,2]}", .unexpectedByte(UInt8(ascii: ",")), 8),
            ("{\"a\":[1}", .unexpectedByte(UInt8(ascii: "}")), 7),
            ("{\"a\" 1}", .unexpectedByte(UInt8(ascii: "1")), 5), ("{\"a\":}", .unexpectedByte(UInt8(ascii: "}")), 5),
            ("{\"a\"::1}", .unexpectedByte(UInt8(ascii: ":")), 5),
            ("{a:1}", .unexpectedByte(UInt8(ascii: "a")), 1), ("{1:1}", .unexpectedByte(UInt8(ascii: "1")), 1),
            ("{\"a\":1;}", .unexpectedByte(UInt8(ascii: ";")), 6),
            ("{\"a\":1 /* c */}", .unexpectedByte(UInt8(ascii: "/")), 7),
            ("// c\n{}", .unexpectedByte(UInt8(ascii: "/")), 0), ("{}// c", .trailingText, 2),
            ("{\"a\":True}", .unexpectedByte(UInt8(ascii: "T")), 5),
            ("{\"a\":nul}", .unexpectedByte(UInt8(ascii: "}")), 8),
            ("{\"a\":truth}", .unexpectedByte(UInt8(ascii: "t")), 8),
            ("{}{}", .trailingText, 2), ("{}x", .trailingText, 2), ("{}\0", .trailingText, 2),
            ("{} }", .trailingText, 3),
            ("\u{0B}{}", .unexpectedByte(0x0B), 0), ("\u{A0}{}", .unexpectedByte(0xC2), 0),
            ("{\u{0C}}", .unexpectedByte(0x0C), 1), ("a=1", .unexpectedByte(UInt8(ascii: "a")), 0),
        ]
        for (text, reason, offset) in cases { assertMalformed(Array(text.utf8), reason, at: offset) }
    }

    func testRefusesByteOrderMarksAndOtherEncodings() {
        assertMalformed([0xEF, 0xBB, 0xBF] + Array("{}".utf8), .byteOrderMark, at: 0)
        assertMalformed([0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00], .unexpectedByte(0xFF), at: 0)
        assertMalformed([0x00, 0x7B, 0x00, 0x7D], .unexpectedByte(0x00), at: 0)
        assertMalformed([0x7B, 0x00, 0x7D, 0x00], .unexpectedByte(0x00), at: 1)
    }

    func testRefusesAnyOfManyNamesThatOccursTwice() throws {
        let names = (0..<40).map { #""n\#($0)":0"# }
        XCTAssertNoThrow(try ParameterTree(json: Array("{\(names.joined(separator: ","))}".utf8)))
        for (number, name) in names.enumerated() {
            let text = "{\(names.joined(separator: ",")),\(name)}"
            let offset = text.utf8.count - name.utf8.count - 1
            assertMalformed(Array(text.utf8), .duplicateName("n\(number)"), at: offset)
        }
    }

    func testRefusesANameThatOccursTwiceHoweverItIsWritten() throws {
        assertMalformed(Array(#"{"x":1,"x":1}"#.utf8), .duplicateName("x"), at: 7)
        assertMalformed(Array(#"{"x":1,"y":2,"\u0078":3}"#.utf8), .duplicateName("x"), at: 13)
        assertMalformed(Array(#"{"a":[{"é":1,"\u00e9":2}]}"#.utf8), .duplicateName("é"), at: 14)
        assertMalformed(Array(#"{"":1,"":2}"#.utf8), .duplicateName(""), at: 6)
    }

    func testTakesNamesForEqualOnlyIfTheirBytesAre() throws {
        let text = #"{"x":1,"X":2,"a":{"x":3},"é":4,"e\u0301":5,"K":6,"\u212a":7}"#
        guard case .object(let members) = try ParameterTree(json: Array(text.utf8)) else { return XCTFail("no object") }
        XCTAssertEqual(
            members.map { Array($0.name.unicodeScalars) },
            [
                ["x"], ["X"], ["a"], ["é"], ["e", "\u{301}"], ["K"], ["\u{212A}"],
            ])
    }

    func testRefusesATopLevelThatIsNoObject() {
        for text in ["[]", "[{}]", "null", "true", "1", "1.5", "\"a\"", " [1] "] {
            XCTAssertThrowsError(try ParameterTree(json: Array(text.utf8)), text) { error in
                XCTAssertEqual(error as? ParameterError, .notAnObject, text)
            }
        }
        assertMalformed(Array("[1,]".utf8), .unexpectedByte(UInt8(ascii: "]")), at: 3)
    }

    func testReads32LevelsAndRefuses33() throws {
        func nested(_ levels: Int, open: String, close: String) -> [UInt8] {
            let inner = levels - 1
            let text = String(repeating: open, count: inner) + "1" + String(repeating: close, count: inner)
            return Array("{\"a\":\(text)}".utf8)
        }
        XCTAssertNoThrow(try ParameterTree(json: nested(32, open: "[", close: "]")))
        assertMalformed(nested(33, open: "[", close: "]"), .nestedTooDeeply, at: 5 + 31)
        XCTAssertNoThrow(try ParameterTree(json: nested(32, open: "{\"b\":", close: "}")))
        assertMalformed(nested(33, open: "{\"b\":", close: "}"), .nestedTooDeeply, at: 5 + 31 * 5)
        assertMalformed(nested(1_000_000, open: "[", close: "]"), .nestedTooDeeply, at: 5 + 31)
    }

    func testCountsNestingNotBrackets() throws {
        let siblings = Array(repeating: "[[]],{\"b\":{}}", count: 1_000).joined(separator: ",")
        XCTAssertNoThrow(try ParameterTree(json: Array("{\"a\":[\(siblings)]}".utf8)))
    }

    func testRefusesAMegabyteOfGarbage() {
        var generator = randomNumbers()
        let garbage = (0..<1_000_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        XCTAssertThrowsError(try ParameterTree(json: garbage))
        XCTAssertThrowsError(try ParameterTree(json: Array("{\"a\":\"".utf8) + garbage))
        XCTAssertThrowsError(try ParameterTree(json: Array(repeating: UInt8(ascii: "{"), count: 1_000_000)))
        XCTAssertThrowsError(try ParameterTree(json: Array(repeating: UInt8(ascii: "\""), count: 1_000_000)))
    }

    func testAnyTruncationOfARequestIsMalformed() throws {
        let text = #"{"InstanceId":"cdb-é","Threads":[1,-2.5e3,{"b":null}],"On":true,"S":"\ud83d\ude00"}"#
        let request = Array(text.utf8)
        XCTAssertNoThrow(try ParameterTree(json: request))
        for end in 0..<request.count {
            XCTAssertThrowsError(try ParameterTree(json: Array(request[..<end])), "cut at \(end)") { error in
                guard case .malformed(let offset, _) = error as? ParameterError else { return XCTFail("\(error)") }
                XCTAssertLessThanOrEqual(offset, end)
            }
        }
    }

    func testANameOfManyCombiningMarksCostsNoMoreThanAnyOther() throws {
        // String's own hashing takes about half an hour for this name: a regression is a test that does not end.
        let name = "a" + String(repeating: "\u{0301}\u{0323}", count: 1_000_000)
        XCTAssertThrowsError(try ParameterTree(json: Array("{\"\(name)\":1,\"\(name)\":2}".utf8)))
    }
}
