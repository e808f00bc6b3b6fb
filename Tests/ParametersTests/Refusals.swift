import Parameters
import XCTest

struct Box<Value: Decodable>: Decodable { var a: Value }

extension XCTestCase {
    func decode<T: Decodable>(_ type: T.Type, _ json: String) throws -> T {
        try ParameterDecoder().decode(type, from: ParameterTree(json: Array(json.utf8)))
    }

    func assertRejects<T: Decodable>(
        _ type: T.Type, _ json: String, _ expected: ParameterError, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertThrowsError(try decode(type, json), json, file: file, line: line) { error in
            XCTAssertEqual(error as? ParameterError, expected, json, file: file, line: line)
        }
    }
}
