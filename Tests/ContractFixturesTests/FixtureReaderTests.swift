import XCTest

@testable import ContractFixtures

/// A file that is no fixture is refused in words that name the file and the place in it.
final class FixtureReaderTests: XCTestCase {
    static let step = #"{"request":{"parameters":{"InstanceId":"{{instance}}"}},"expect":{"body":{"Response":{}}}}"#

    static func fixture(_ steps: String = step, more: String = "") -> String {
        #"{"name":"n","evidence":"ours","source":"s","api":"dbbrain","action":"DescribeMySqlProcessList"\#(more),"steps":[\#(steps)]}"#
    }

    func read(_ json: String) throws -> Fixture { try Fixture(json: Array(json.utf8), file: "f.json") }

    func assertRefused(_ json: String, _ words: String, file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertThrowsError(try read(json), file: file, line: line) {
            XCTAssertEqual("\($0)", words, file: file, line: line)
        }
    }

    func testReadsAFixture() throws {
        let fixture = try read(Self.fixture())
        XCTAssertEqual(fixture.evidence, .ours)
        XCTAssertEqual(fixture.steps[0].request.action, "DescribeMySqlProcessList")
        XCTAssertEqual(fixture.steps[0].request.version, "2021-05-27")
        XCTAssertEqual(fixture.steps[0].expected.status, 200)
        XCTAssertEqual(fixture.needs, .anyServer)
    }

    func testNamesWhatIsMissingUnknownOrOfAnotherKind() {
        assertRefused("[]", "f.json: not JSON as it should be: expected an object: { … }")
        assertRefused(
            "{\n \"name\": }",
            "f.json: not JSON: line 2, column 10: } may not stand here (a comma too many or too few?)")
        assertRefused("{}", "f.json: name: missing; expected a text")
        assertRefused(#"{"name":1}"#, "f.json: name: expected a text, found the number 1")
        assertRefused(
            #"{"name":"n","evidence":"rumour"}"#,
            #"f.json: evidence: expected one of "documented", "seen", "ours", found "rumour""#)
        assertRefused(
            Self.fixture(more: #","needs":"luck""#),
            #"f.json: needs: expected "any server" or { "seed": NAME }, found the text "luck""#)
        assertRefused(
            Self.fixture(""), "f.json: steps: expected a list with at least one object: [{ … }], found a list")
        assertRefused(Self.fixture(#"{"request":{}}"#), "f.json: steps.0.expect: missing; expected an object: { … }")
        assertRefused(
            Self.fixture(#"{"request":{"parameter":{}},"expect":{}}"#),
            "f.json: steps.0.request.parameter: there is no such key; known here: action, api, at, body, headers, "
                + "method, parameters, person, signing, version")
        assertRefused(
            Self.fixture(#"{"request":{},"expect":{"status":"ok"}}"#),
            #"f.json: steps.0.expect.status: expected a whole number from 100 to 599, found the text "ok""#)
        assertRefused(
            Self.fixture(#"{"request":{"signing":{"scheme":"rpc"}},"expect":{}}"#),
            #"f.json: steps.0.request.signing.scheme: "rpc" is none of this API's"#)
    }

    func testNamesThePlaceOfAMistakeInAPattern() {
        assertRefused(
            Self.fixture(#"{"request":{},"expect":{"body":{"Response":{"Threads":{"each":{"is":"thread"}}}}}}"#),
            "f.json: steps.0.expect.body.Response.Threads.each.is: expected one of string, number, integer, boolean, "
                + "list, object, null, uuid, found \"thread\"")
    }

    func testAnActionIsNamedByItsKeyAlone() {
        assertRefused(
            Self.fixture(#"{"request":{"headers":{"X-TC-Action":"KillMySqlThreads"}},"expect":{}}"#),
            "f.json: steps.0.request.headers: the action is named by \"action\" alone")
    }

    func testAFolderThatIsNotThereOrHoldsNothing() throws {
        XCTAssertThrowsError(try FixtureFolder("/nowhere")) {
            XCTAssertEqual("\($0)", "/nowhere: cannot be read: No such file or directory")
        }
        XCTAssertThrowsError(try FixtureFolder("/proc/self/task/self")) { _ in }
    }
}
