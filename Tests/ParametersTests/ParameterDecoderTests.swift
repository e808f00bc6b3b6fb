import Parameters
import TestSupport
import XCTest

final class ParameterDecoderTests: XCTestCase {
    // MARK: - Requests as the API has them

    private struct KillRequest: Decodable, Equatable {
        enum Stage: String, Decodable { case prepare = "Prepare", commit = "Commit" }
        var instance: String
        var stage: Stage
        var threads: [Int64]?
        var recordHistory: Bool?

        enum CodingKeys: String, CodingKey {
            case instance = "InstanceId", stage = "Stage", threads = "Threads", recordHistory = "RecordHistory"
        }
    }

    private struct ListRequest: Decodable, Equatable {
        struct Dimension: Decodable, Equatable {
            var Dimension: String
            var Data: [String]?
        }
        var StatDimensions: [Dimension]
    }

    func testReadsARequest() throws {
        XCTAssertEqual(
            try decode(
                KillRequest.self, #"{"Threads":[7,8],"Stage":"Prepare","InstanceId":"cdb-1","RecordHistory":false}"#),
            KillRequest(instance: "cdb-1", stage: .prepare, threads: [7, 8], recordHistory: false))
        XCTAssertEqual(
            try decode(
                ListRequest.self, #"{"StatDimensions":[{"Dimension":"SqlTag","Data":["p=1"]},{"Dimension":"x"}]}"#),
            ListRequest(StatDimensions: [.init(Dimension: "SqlTag", Data: ["p=1"]), .init(Dimension: "x")]))
    }

    /// `String` compares texts of combining marks in quadratic time, also where
    /// the compiler writes the comparison.
    func testCombiningMarksTakeLittleTime() {
        let marks = String(repeating: "\u{301}\u{323}", count: 50_000)
        let requests = [
            #"{"InstanceI\#(marks)":"a"}"#, #"{"InstanceId":"a","Stage":"Prepare","InstanceI\#(marks)":1}"#,
            #"{"InstanceId":"a","Stage":"P\#(marks)"}"#,
            #"{"InstanceId":"a","Stage":"Prepare","Threads":["\#(marks)"]}"#,
        ]
        for json in requests {
            let time = processorTime { XCTAssertNil(try? decode(KillRequest.self, json)) }
            XCTAssertLessThan(time, .seconds(1) * slowdown, String(json.unicodeScalars.prefix(80)))
        }
    }

    func testAnEnumerationHasNoLongValue() {
        let text = String(repeating: "P", count: 129)
        assertRejects(
            KillRequest.self, #"{"InstanceId":"a","Stage":"\#(text)"}"#, .invalidValue(path: "Stage", value: text))
        assertRejects(KillRequest.self, #"{"\#(text)":1}"#, .unknown(path: text))
    }

    func testTakesNullForAbsence() throws {
        XCTAssertEqual(
            try decode(KillRequest.self, #"{"InstanceId":"i","Stage":"Commit","Threads":null,"RecordHistory":null}"#),
            KillRequest(instance: "i", stage: .commit))
        assertRejects(KillRequest.self, #"{"InstanceId":null,"Stage":"Commit"}"#, .missing(path: "InstanceId"))
        assertRejects(KillRequest.self, #"{"InstanceId":"i","Stage":null}"#, .missing(path: "Stage"))
        assertRejects(
            KillRequest.self, #"{"InstanceId":"i","Stage":"Commit","Threads":[1,null]}"#, .missing(path: "Threads.1"))
        assertRejects(ListRequest.self, #"{"StatDimensions":null}"#, .missing(path: "StatDimensions"))
        assertRejects(ListRequest.self, #"{"StatDimensions":[null]}"#, .missing(path: "StatDimensions.0"))
    }

    func testNamesAnUnknownParameterByItsPath() {
        assertRejects(KillRequest.self, #"{"InstanceId":"i","Stage":"Commit","X":1}"#, .unknown(path: "X"))
        assertRejects(KillRequest.self, #"{"instanceId":"i"}"#, .unknown(path: "instanceId"))
        assertRejects(KillRequest.self, #"{"":1}"#, .unknown(path: ""))
        assertRejects(
            ListRequest.self, #"{"StatDimensions":[{"Dimension":"a"},{"Dimension":"a","Extra":1}]}"#,
            .unknown(path: "StatDimensions.1.Extra"))
    }

    func testRefusesANameThatOnlyLooksLikeAParameter() {
        struct Request: Decodable { var KeyDelimiters: String? }
        assertRejects(Request.self, "{\"\u{212A}eyDelimiters\":\"a\"}", .unknown(path: "\u{212A}eyDelimiters"))
    }

    func testNamesAMissingParameterByItsPath() {
        assertRejects(KillRequest.self, "{}", .missing(path: "InstanceId"))
        assertRejects(KillRequest.self, #"{"InstanceId":"i"}"#, .missing(path: "Stage"))
        assertRejects(
            ListRequest.self, #"{"StatDimensions":[{"Dimension":"a"},{"Data":[]}]}"#,
            .missing(path: "StatDimensions.1.Dimension"))
    }

    func testNamesAValueOfTheWrongTypeByItsPath() {
        assertRejects(KillRequest.self, #"{"InstanceId":1}"#, .wrongType(path: "InstanceId"))
        assertRejects(
            KillRequest.self, #"{"InstanceId":"i","Stage":"Commit","Threads":[1,"2"]}"#, .wrongType(path: "Threads.1"))
        assertRejects(
            KillRequest.self, #"{"InstanceId":"i","Stage":"Commit","Threads":{}}"#, .wrongType(path: "Threads"))
        assertRejects(ListRequest.self, #"{"StatDimensions":["SqlTag"]}"#, .wrongType(path: "StatDimensions.0"))
        assertRejects(
            ListRequest.self, #"{"StatDimensions":[{"Dimension":"a","Data":[1]}]}"#,
            .wrongType(path: "StatDimensions.0.Data.0"))
    }

    func testReportsUnknownParametersFirstAndTheOthersInOrderOfDeclaration() {
        assertRejects(KillRequest.self, #"{"Stage":1,"Zzz":1,"Aaa":1}"#, .unknown(path: "Zzz"))
        assertRejects(KillRequest.self, #"{"RecordHistory":1,"Threads":1,"Stage":1}"#, .missing(path: "InstanceId"))
        assertRejects(
            KillRequest.self, #"{"RecordHistory":1,"Threads":1,"Stage":1,"InstanceId":1}"#,
            .wrongType(path: "InstanceId"))
    }

    // MARK: - Types

    private func assertTakes<T: Decodable & Equatable>(
        _ type: T.Type, _ text: String, as expected: T, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertEqual(try decode(Box<T>.self, "{\"a\":\(text)}").a, expected, text, file: file, line: line)
        XCTAssertEqual(try decode(Box<[T]>.self, "{\"a\":[\(text)]}").a, [expected], text, file: file, line: line)
    }

    private func assertWrongType<T: Decodable>(
        _ type: T.Type, _ texts: [String], file: StaticString = #filePath, line: UInt = #line
    ) {
        for text in texts {
            assertRejects(Box<T>.self, "{\"a\":\(text)}", .wrongType(path: "a"), file: file, line: line)
            assertRejects(Box<[T]>.self, "{\"a\":[\(text)]}", .wrongType(path: "a.0"), file: file, line: line)
            assertRejects(Box<T?>.self, "{\"a\":\(text)}", .wrongType(path: "a"), file: file, line: line)
        }
    }

    private func assertHoldsExactlyItsRange<T: FixedWidthInteger & Decodable>(
        _ type: T.Type, below: String, above: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        assertTakes(type, "\(T.min)", as: T.min, file: file, line: line)
        assertTakes(type, "\(T.max)", as: T.max, file: file, line: line)
        let wrong = [below, above, "1.0", "1e2", "1E0", "0.5", "true", "\"1\"", "[]", "[1]", "{}"]
        assertWrongType(type, wrong, file: file, line: line)
    }

    func testEveryIntegerTypeHoldsExactlyItsRange() {
        assertHoldsExactlyItsRange(Int8.self, below: "-129", above: "128")
        assertHoldsExactlyItsRange(Int16.self, below: "-32769", above: "32768")
        assertHoldsExactlyItsRange(Int32.self, below: "-2147483649", above: "2147483648")
        assertHoldsExactlyItsRange(Int64.self, below: "-9223372036854775809", above: "9223372036854775808")
        assertHoldsExactlyItsRange(Int.self, below: "-9223372036854775809", above: "9223372036854775808")
        assertHoldsExactlyItsRange(UInt8.self, below: "-1", above: "256")
        assertHoldsExactlyItsRange(UInt16.self, below: "-1", above: "65536")
        assertHoldsExactlyItsRange(UInt32.self, below: "-1", above: "4294967296")
        assertHoldsExactlyItsRange(UInt64.self, below: "-1", above: "18446744073709551616")
        assertHoldsExactlyItsRange(UInt.self, below: "-1", above: "18446744073709551616")
        assertWrongType(Int64.self, [String(repeating: "9", count: 100_000)])
    }

    func testBooleansAndStringsAreNothingElse() {
        assertTakes(Bool.self, "true", as: true)
        assertTakes(Bool.self, "false", as: false)
        assertWrongType(Bool.self, ["1", "0", "\"true\"", "\"\"", "[]", "{}"])
        assertTakes(String.self, "\"a\"", as: "a")
        assertWrongType(String.self, ["1", "true", "[]", "[\"a\"]", "{}"])
    }

    func testFloatingPointTakesEveryFiniteNumber() {
        assertTakes(Double.self, "1.5", as: 1.5)
        assertTakes(Double.self, "-2", as: -2)
        assertTakes(Double.self, "1e2", as: 100)
        assertTakes(Float.self, "0.5", as: 0.5)
        assertWrongType(Double.self, ["1e999", "-1e999", "\"1\"", "true"])
        assertWrongType(Float.self, ["1e39"])
    }

    func testContainersAreNothingElse() {
        assertWrongType(Box<Int>.self, ["1", "\"a\"", "true", "[]"])
        assertWrongType([Int].self, ["1", "\"a\"", "true", "{}"])
    }

    func testReadsOptionalElementsAndNestedArrays() throws {
        XCTAssertEqual(try decode(Box<[Int?]>.self, #"{"a":[1,null,2]}"#).a, [1, nil, 2])
        XCTAssertEqual(try decode(Box<[[Int]]>.self, #"{"a":[[1],[],[2,3]]}"#).a, [[1], [], [2, 3]])
        XCTAssertEqual(try decode(Box<[String: Int]>.self, #"{"a":{"x":1,"y":2}}"#).a, ["x": 1, "y": 2])
        assertRejects(Box<[[Int]]>.self, #"{"a":[[1],[2,true]]}"#, .wrongType(path: "a.1.1"))
    }
}
