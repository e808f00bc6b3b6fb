import Cryptography
import XCTest

final class CryptographyTests: XCTestCase {
    func testDigestsMatchThePublishedExamplesOfFIPS180() throws {
        XCTAssertEqual(
            hexadecimal(try Digest.sha256.hash("abc".utf8)),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        XCTAssertEqual(hexadecimal(try Digest.sha1.hash("abc".utf8)), "a9993e364706816aba3e25717850c26c9cd0d89d")
        XCTAssertEqual(
            hexadecimal(try Digest.sha256.hash([])),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    func testAuthenticationCodesMatchRFC4231AndRFC2202() throws {
        let message = Array("what do ya want for nothing?".utf8)
        XCTAssertEqual(
            hexadecimal(try Digest.sha256.authenticationCode(of: message, key: "Jefe".utf8)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        XCTAssertEqual(
            hexadecimal(try Digest.sha1.authenticationCode(of: message, key: "Jefe".utf8)),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
    }

    func testEqualityNeedsTheSameLengthAndTheSameBytes() {
        XCTAssertTrue(equalInConstantTime([1, 2, 3], [1, 2, 3]))
        XCTAssertTrue(equalInConstantTime([], []))
        XCTAssertFalse(equalInConstantTime([1, 2, 3], [1, 2, 4]))
        XCTAssertFalse(equalInConstantTime([1, 2, 3], [1, 2]))
    }

    func testHexadecimalReadsBackWhatItWritesAndRefusesTheRest() {
        let every = Array(UInt8.min...UInt8.max)
        XCTAssertEqual(bytes(hexadecimal: hexadecimal(every)), every)
        XCTAssertEqual(bytes(hexadecimal: "AbCd"), [0xAB, 0xCD])
        for wrong in ["a", "zz", "0x", "+1", "é0"] { XCTAssertNil(bytes(hexadecimal: wrong), wrong) }
    }

    func testRandomTextUsesItsWholeAlphabetAndNothingElse() throws {
        let text = try randomText(count: 2_000, alphabet: "abc")
        XCTAssertEqual(text.count, 2_000)
        XCTAssertEqual(Set(text), ["a", "b", "c"])
        XCTAssertNotEqual(
            try randomText(count: 32, alphabet: "0123456789"), try randomText(count: 32, alphabet: "0123456789"))
    }

    func testRandomUUIDIsLowerCaseVersionFour() throws {
        for _ in 0..<100 {
            XCTAssertNotNil(
                try randomUUID().wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/))
        }
    }
}
