import Foundation
import XCTest

/// Replays the corpus that the fuzzer starts from, and every input that it once
/// made a finding of.
final class CorpusTests: XCTestCase {
    func testEveryHTTPConnectionOfTheCorpusHasItsProperties() throws { try replay(.http) }

    func testEveryFormOfTheCorpusHasItsProperties() throws { try replay(.form) }

    func testEveryJSONTextOfTheCorpusHasItsProperties() throws { try replay(.json) }

    func testEverySignedRequestOfTheCorpusHasItsProperties() throws { try replay(.signing) }

    func testEveryRequestForDASOfTheCorpusHasItsProperties() throws { try replay(.das) }

    func testEveryTextOfTheCorpusInWhichHeadsAreSearchedHasItsProperties() throws { try replay(.audit) }

    private func replay(_ target: FuzzTarget, file: StaticString = #filePath, line: UInt = #line) throws {
        let folder = try XCTUnwrap(Bundle.module.resourceURL).appendingPathComponent("Corpus/\(target.rawValue)")
        let inputs = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        XCTAssertGreaterThan(inputs.count, 5, file: file, line: line)
        for input in inputs {
            let bytes = Array(try Data(contentsOf: input))
            XCTAssertNoThrow(
                try target.check(bytes, isThorough: true), input.lastPathComponent, file: file, line: line)
        }
    }
}
