import TestSupport
import Parameters
import XCTest

/// Queries and forms.
final class FlattenedParametersTests: XCTestCase {
    private struct Request: Decodable, Equatable {
        struct Dimension: Decodable, Equatable {
            var Dimension: String
            var Data: [String]?
        }
        var InstanceId: String?
        var Threads: [Int64]?
        var RecordHistory: Bool?
        var StatDimensions: [Dimension]?
        var Limit: UInt64?
        var Ratio: Double?
    }

    private func tree(_ form: String) throws -> ParameterTree {
        try ParameterTree(flattened: FormPairs(form.utf8).pairs)
    }

    private func decode(_ form: String) throws -> Request {
        try ParameterDecoder().decode(Request.self, from: tree(form))
    }

    func testReadsTheSameRequestAsFromJSON() throws {
        let form = """
            InstanceId=cdb-1&Threads.0=4714056&Threads.1=12&RecordHistory=False&StatDimensions.0.Dimension=SqlTag\
            &StatDimensions.0.Data.0=%5Bp%3D1%5D&StatDimensions.0.Data.1=%5Bc%5D&StatDimensions.1.Dimension=x\
            &Limit=18446744073709551615&Ratio=1.5
            """
        let json = """
            {"InstanceId":"cdb-1","Threads":[4714056,12],"RecordHistory":false,"StatDimensions":[{"Dimension":"SqlTag",\
            "Data":["[p=1]","[c]"]},{"Dimension":"x"}],"Limit":18446744073709551615,"Ratio":1.5}
            """
        XCTAssertEqual(try decode(form), try decode(Request.self, json))
        XCTAssertEqual(try decode(""), Request())
    }

    func testTakesElementsInAnyOrder() throws {
        var random = randomNumbers()
        let names = (0..<12).map { "Threads.\($0)=\($0 + 1)" }.shuffled(using: &random)
        XCTAssertEqual(try decode(names.joined(separator: "&")).Threads, Array(1...12))
    }

    func testTakesTheSpellingsOfABooleanThatTheSDKsHave() throws {
        for text in ["true", "True", "1"] { XCTAssertEqual(try decode("RecordHistory=\(text)").RecordHistory, true) }
        for text in ["false", "False", "0", ""] {
            XCTAssertEqual(try decode("RecordHistory=\(text)").RecordHistory, false)
        }
    }

    func testUnescapesNamesAndValues() throws {
        XCTAssertEqual(try decode("InstanceId=a+b%20c%2B%25%26%3D%e4%BD%A0").InstanceId, "a b c+%&=你")
        XCTAssertEqual(try decode("Instance%49d=a&&Threads%2E0=5&").Threads, [5])
        XCTAssertEqual(try decode("InstanceId=a=b").InstanceId, "a=b")
    }

    func testRefusesWhatIsNoNumberOrBoolean() {
        let rejections: [(form: String, error: ParameterError)] = [
            ("Threads.0=", .wrongType(path: "Threads.0")),
            ("Threads.0=1&Threads.1=x", .wrongType(path: "Threads.1")),
            ("Threads.0=%2B5", .wrongType(path: "Threads.0")),
            ("Threads.0=05", .wrongType(path: "Threads.0")),
            ("Threads.0=5.0", .wrongType(path: "Threads.0")),
            ("Threads.0=5e0", .wrongType(path: "Threads.0")),
            ("Threads.0=0x5", .wrongType(path: "Threads.0")),
            ("Threads.0=%205", .wrongType(path: "Threads.0")),
            ("Threads.0=9223372036854775808", .wrongType(path: "Threads.0")),
            ("Limit=-1", .wrongType(path: "Limit")),
            ("RecordHistory=yes", .wrongType(path: "RecordHistory")),
            ("RecordHistory=TRUE", .wrongType(path: "RecordHistory")),
        ]
        for (form, error) in rejections { assertRejects(form, error) }
    }

    func testRefusesArraysThatAreNotWhole() {
        let rejections: [(form: String, error: ParameterError)] = [
            ("Threads.1=5", .missing(path: "Threads.0")),
            ("Threads.0=5&Threads.2=6", .missing(path: "Threads.1")),
            ("Threads.0=5&Threads.4294967296=6", .missing(path: "Threads.1")),
            ("Threads.0=5&Threads.99999999999999999999999999=6", .missing(path: "Threads.1")),
            ("StatDimensions.0.Data.1=x&StatDimensions.0.Dimension=y", .missing(path: "StatDimensions.0.Data.0")),
            ("Threads=5", .wrongType(path: "Threads")),
            ("Threads.00=5", .wrongType(path: "Threads")),
            ("Threads.-1=5", .wrongType(path: "Threads")),
            ("Threads.=5", .wrongType(path: "Threads")),
            ("Threads.0=5&Threads.x=5", .wrongType(path: "Threads")),
            ("Threads.0.0=5", .wrongType(path: "Threads.0")),
            ("Threads[0]=5", .unknown(path: "Threads[0]")),
            ("0=5", .unknown(path: "0")),
        ]
        for (form, error) in rejections { assertRejects(form, error) }
    }

    func testFindsEachOfManyPairsAndRefusesASecondOne() throws {
        let pairs = (0..<40).map { "n\($0)=\($0)" }
        let form = try FormPairs(pairs.joined(separator: "&").utf8)
        for (number, pair) in pairs.enumerated() {
            XCTAssertEqual(form["n\(number)"], "\(number)")
            XCTAssertThrowsError(try FormPairs((pairs + [pair]).joined(separator: "&").utf8)) { error in
                XCTAssertEqual(error as? ParameterError, .repeated(path: "n\(number)"))
            }
        }
        XCTAssertNil(form["n40"])
    }

    func testRefusesWhatIsThereTwice() {
        let rejections: [(form: String, error: ParameterError)] = [
            ("Threads.0=5&Threads.0=6", .repeated(path: "Threads.0")),
            ("Threads.0=5&Threads%2E0=5", .repeated(path: "Threads.0")),
            ("Threads=5&Threads.0=6", .repeated(path: "Threads")),
            ("Threads.0=6&Threads=5", .repeated(path: "Threads")),
        ]
        for (form, error) in rejections { assertRejects(form, error) }
    }

    func testRefusesWhatIsNoForm() {
        let rejections: [(form: String, error: ParameterError)] = [
            ("InstanceId", .malformedPair),
            ("InstanceId=a&Region", .malformedPair),
            ("InstanceId=%", .malformedEscape(offset: 11)),
            ("InstanceId=%4", .malformedEscape(offset: 11)),
            ("InstanceId=a%4", .malformedEscape(offset: 12)),
            ("InstanceId=%4g", .malformedEscape(offset: 11)),
            ("InstanceId=%+1", .malformedEscape(offset: 11)),
            ("InstanceId=a%FF", .malformedEscape(offset: 11)),
            ("InstanceId=%ED%A0%80", .malformedEscape(offset: 11)),
            ("%=1", .malformedEscape(offset: 0)),
            (
                String(repeating: "a.", count: 40) + "b=1",
                .unknown(path: String(repeating: "a.", count: 40) + "b")
            ),
        ]
        for (form, error) in rejections { assertRejects(form, error) }
    }

    func testTakesNoKelvinSignForAK() throws {
        struct Kelvin: Decodable { var K: String? }
        let tree = try tree("%E2%84%AA=1")
        XCTAssertThrowsError(try ParameterDecoder().decode(Kelvin.self, from: tree)) { error in
            XCTAssertEqual(error as? ParameterError, .unknown(path: "\u{212A}"))
        }
    }

    /// `String` compares texts of combining marks in quadratic time.
    func testABooleanOfCombiningMarksTakesLittleTime() {
        let form = "RecordHistory=T\(String(repeating: "\u{301}\u{323}", count: 50_000))"
        let time = processorTime { assertRejects(form, .wrongType(path: "RecordHistory")) }
        XCTAssertLessThan(time, .seconds(1) * slowdown)
    }

    func testAHundredThousandParametersTakeLittleTime() throws {
        let clock = ContinuousClock()
        let many = (0..<100_000).map { "a\($0).b=" }.joined(separator: "&")
        let marks = (0..<1_000).map { "%CC%81\($0)=" }.joined(separator: "&")
        for form in [many, marks] {
            let start = clock.now
            XCTAssertThrowsError(try decode(form))
            // A few tenths of a second without optimization, some seconds on a machine that runs all tests at once; what is
            // not linear would take minutes.
            XCTAssertLessThan(start.duration(to: clock.now), .seconds(60) * slowdown)
        }
    }

    private func assertRejects(
        _ form: String, _ expected: ParameterError, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertThrowsError(try decode(form), form, file: file, line: line) { error in
            XCTAssertEqual(error as? ParameterError, expected, form, file: file, line: line)
        }
    }
}
