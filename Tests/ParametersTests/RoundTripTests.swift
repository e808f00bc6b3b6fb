import SeededRandom
import TestSupport
import Foundation
import Parameters
import XCTest

final class RoundTripTests: XCTestCase {
    private struct Document: Codable, Equatable {
        var text: String
        var signed: Int64
        var unsigned: UInt64
        var small: Int8
        var number: Double
        var flag: Bool
        var absent: String?
        var list: [Int]
        var children: [Document]
    }

    private func text(using generator: inout SplitMix64) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            // Mostly the characters that need escapes, then anything up to U+10FFFF.
            let limit: UInt32 = Bool.random(using: &generator) ? 0x80 : 0x10FFFF
            if let scalar = Unicode.Scalar(UInt32.random(in: 0...limit, using: &generator)) {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private func document(depth: Int, using generator: inout SplitMix64) -> Document {
        Document(
            text: text(using: &generator),
            signed: .random(in: .min ... .max, using: &generator),
            unsigned: .random(in: .min ... .max, using: &generator),
            small: .random(in: .min ... .max, using: &generator),
            number: .random(in: -1e12...1e12, using: &generator),
            flag: .random(using: &generator),
            absent: Bool.random(using: &generator) ? text(using: &generator) : nil,
            list: (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                .random(in: .min ... .max, using: &generator)
            },
            children: (0..<Int.random(in: 0...min(depth, 3), using: &generator)).map { _ in
                document(depth: depth - 1, using: &generator)
            })
    }

    func testReadsBackWhateverJSONEncoderWrites() throws {
        var generator = randomNumbers()
        for round in 0..<500 {
            let encoder = JSONEncoder()
            encoder.outputFormatting = round.isMultiple(of: 2) ? [.prettyPrinted] : [.withoutEscapingSlashes]
            let written = document(depth: 3, using: &generator)
            let tree = try ParameterTree(json: Array(encoder.encode(written)))
            let read = try ParameterDecoder().decode(Document.self, from: tree)
            XCTAssertEqual(read, written)
            XCTAssertEqual(Array(read.text.utf8), Array(written.text.utf8))
        }
    }
}
