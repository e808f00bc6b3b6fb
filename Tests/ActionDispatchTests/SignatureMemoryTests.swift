import RequestSigning
import TencentCloudErrors
import XCTest

@testable import ActionDispatch

final class SignatureMemoryTests: XCTestCase {
    private func mark(_ number: Int, _ timestamp: Int64, payload: [UInt8]? = nil) -> SignatureMark {
        SignatureMark(
            bytes: withUnsafeBytes(of: number) { Array($0) }, timestamp: timestamp, unsignedPayload: payload)
    }

    private func rejection(_ body: () throws(TencentCloudError) -> Void) -> TencentCloudError? {
        do {
            try body()
            return nil
        } catch {
            return error
        }
    }

    func testASignatureIsKeptForAsLongAsItIsGood() throws {
        for timestamp in [700, 1_000, 1_300] as [Int64] {
            var memory = SignatureMemory()
            try memory.note(mark(1, timestamp), for: .changesNothing, at: 1_000)
            XCTAssertEqual(
                rejection { () throws(TencentCloudError) in
                    try memory.note(mark(1, timestamp), for: .endsNobody, at: timestamp + 300)
                }, .signatureUsed)
            XCTAssertEqual(memory.count, 1)
            try memory.note(mark(2, timestamp + 301), for: .changesNothing, at: timestamp + 301)
            XCTAssertEqual(memory.count, 1)
            XCTAssertEqual(memory.floor, timestamp + 1)
        }
    }

    func testAClockThatIsSetBackForgetsNothing() throws {
        var memory = SignatureMemory()
        try memory.note(mark(1, 10_000), for: .changesNothing, at: 10_000)
        try memory.note(mark(2, 5_000), for: .changesNothing, at: 5_000)
        XCTAssertEqual(memory.count, 2)
        XCTAssertEqual(
            rejection { () throws(TencentCloudError) in
                try memory.note(mark(1, 10_000), for: .endsNobody, at: 10_000)
            }, .signatureUsed)
    }

    func testBeyondItsCapacityNoChangeIsMadeByAForgottenSignature() throws {
        var memory = SignatureMemory(capacity: 100)
        for number in 0..<1_000 {
            let timestamp = 1_000 + Int64(number / 10)
            try memory.note(mark(number, timestamp), for: .changesNothing, at: timestamp)
            XCTAssertLessThanOrEqual(memory.count, 100)
        }
        XCTAssertEqual(memory.floor, 1_090)
        // The oldest that is known, and the latest that is not.
        XCTAssertEqual(
            rejection { () throws(TencentCloudError) in
                _ = try memory.change(mark(900, 1_090), action: "a", latest: 0, at: 1_100)
            }, .signatureUsed)
        XCTAssertEqual(
            rejection { () throws(TencentCloudError) in
                _ = try memory.change(mark(899, 1_089), action: "a", latest: 0, at: 1_100)
            }, .signatureForgotten(since: 1_090))
        // Calls that change nothing go on.
        try memory.note(mark(899, 1_089), for: .changesNothing, at: 1_100)
        XCTAssertNil(try memory.change(mark(5_000, 1_100), action: "a", latest: 0, at: 1_100))
    }

    func testMoreOfOneSecondThanItHoldsLeavesThatSecondWithoutChanges() throws {
        var memory = SignatureMemory(capacity: 10)
        for number in 0..<25 { try memory.note(mark(number, 1_000), for: .changesNothing, at: 1_000) }
        XCTAssertEqual(memory.floor, 1_001)
        XCTAssertEqual(memory.count, 0)
        XCTAssertNil(try memory.change(mark(99, 1_001), action: "a", latest: 0, at: 1_001))
    }

    func testSignaturesWithoutAPayloadAreHeldToTheCapacityToo() throws {
        var memory = SignatureMemory(capacity: 10)
        for number in 0..<100 {
            let timestamp = 1_000 + Int64(number)
            try memory.note(mark(number, timestamp, payload: [1]), for: .changesNothing, at: timestamp)
            XCTAssertLessThanOrEqual(memory.count, 11)
        }
        XCTAssertGreaterThan(memory.floor, 1_090)
    }
}
