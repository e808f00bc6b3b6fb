import ActionDispatch
import XCTest

final class WrittenJSONTests: XCTestCase {
    private struct Value: Encodable { let number: Int }

    func testAValueIsWrittenAgainOnlyWhenItsStateIsAnother() throws {
        let written = WrittenJSON<String, Int>()
        func json(_ number: Int, in state: Int, for key: String = "a") throws -> String {
            String(decoding: try written.json(of: Value(number: number), in: state, for: key), as: UTF8.self)
        }
        XCTAssertEqual(try json(1, in: 1), #"{"number":1}"#)
        XCTAssertEqual(try json(2, in: 1), #"{"number":1}"#)
        XCTAssertEqual(try json(2, in: 1, for: "b"), #"{"number":2}"#)
        XCTAssertEqual(try json(3, in: 2), #"{"number":3}"#)
        XCTAssertEqual(try json(4, in: 1), #"{"number":4}"#)
    }
}
