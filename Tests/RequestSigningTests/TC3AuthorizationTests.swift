import RequestSigning
import TestSupport
import XCTest

final class TC3AuthorizationTests: XCTestCase {
    private let signature = String(repeating: "0a", count: 32)

    func testReadsItsParts() throws {
        let authorization = try TC3Authorization(parsing: header())
        XCTAssertEqual(authorization.secretID, "AKIDEXAMPLE")
        XCTAssertEqual(authorization.scope.date, "2023-11-14")
        XCTAssertEqual(authorization.scope.service, "dbbrain")
        XCTAssertEqual(authorization.signedHeaders, ["content-type", "host"])
        XCTAssertEqual(authorization.signature, [UInt8](repeating: 10, count: 32))
        XCTAssertEqual(authorization.headerValue, header())
    }

    /// `String` compares texts of combining marks in quadratic time.
    func testCombiningMarksTakeLittleTime() {
        let marks = String(repeating: "\u{301}\u{323}", count: 50_000)
        let texts = [
            marks, "TC3\(marks)", header(credential: marks), header(signedHeaders: "a;\(marks);\(marks)a"),
        ]
        for text in texts {
            let time = processorTime { XCTAssertNil(try? TC3Authorization(parsing: text)) }
            XCTAssertLessThan(time, .seconds(1) * slowdown, String(text.unicodeScalars.prefix(80)))
        }
    }

    func testToleratesTheBlanksThatClientsSend() throws {
        let expected = try TC3Authorization(parsing: header())
        for text in [
            header(gap: "  "), header(gap: " \t "), header(comma: ","), header(comma: ",\t"), header(comma: " ,  "),
            " " + header() + " ",
        ] {
            XCTAssertEqual(try TC3Authorization(parsing: text), expected, text)
        }
    }

    func testRefusesEverythingElseWithItsReason() {
        let cases: [(text: String, reason: TC3AuthorizationError)] = [
            ("SKIP", .unsigned),
            ("", .unsupportedAlgorithm),
            ("skip", .unsupportedAlgorithm),
            ("Bearer abc", .unsupportedAlgorithm),
            ("TC3-HMAC-SHA1 Credential=a/b/c/tc3_request", .unsupportedAlgorithm),
            ("tc3-hmac-sha256 Credential=a/b/c/tc3_request", .unsupportedAlgorithm),
            (header(gap: ""), .unsupportedAlgorithm),
            ("TC3-HMAC-SHA256", .missing(.credential)),
            ("TC3-HMAC-SHA256,Credential=a/b/c/tc3_request", .missing(.credential)),
            ("TC3-HMAC-SHA256 credential=a/b/c/tc3_request", .missing(.credential)),
            ("TC3-HMAC-SHA256 Credential =a/b/c/tc3_request", .missing(.credential)),
            ("TC3-HMAC-SHA256 SignedHeaders=host, Credential=a/b/c/tc3_request", .missing(.credential)),
            (header(credential: ""), .invalid(.credential)),
            (header(credential: "AKIDEXAMPLE"), .invalid(.credential)),
            (header(credential: "/2023-11-14/dbbrain/tc3_request"), .invalid(.credential)),
            (header(credential: "a//dbbrain/tc3_request"), .invalid(.credential)),
            (header(credential: "a/2023-11-14//tc3_request"), .invalid(.credential)),
            (header(credential: "a/2023-11-14/dbbrain/tc2_request"), .invalid(.credential)),
            (header(credential: "a/2023-11-14/dbbrain/tc3_request/"), .invalid(.credential)),
            (header(credential: "a/b/2023-11-14/dbbrain/tc3_request"), .invalid(.credential)),
            (header(credential: "é/2023-11-14/dbbrain/tc3_request"), .invalid(.credential)),
            (header(credential: "a\u{0}/2023-11-14/dbbrain/tc3_request"), .invalid(.credential)),
            ("TC3-HMAC-SHA256 Credential=a/b/c/tc3_request", .missing(.signedHeaders)),
            ("TC3-HMAC-SHA256 Credential=a/b/c/tc3_request,", .missing(.signedHeaders)),
            (header(comma: " "), .missing(.signedHeaders)),
            (header(comma: ";"), .invalid(.credential)),
            (header(comma: ",,"), .missing(.signedHeaders)),
            (header(comma: ",\u{A0}"), .missing(.signedHeaders)),
            (header(signedHeaders: ""), .invalid(.signedHeaders)),
            (header(signedHeaders: ";"), .invalid(.signedHeaders)),
            (header(signedHeaders: "content-type;host;"), .invalid(.signedHeaders)),
            (header(signedHeaders: "Content-Type;Host"), .invalid(.signedHeaders)),
            (header(signedHeaders: "host;content-type"), .invalid(.signedHeaders)),
            (header(signedHeaders: "content-type;host;host"), .invalid(.signedHeaders)),
            (header(signedHeaders: "content-type;host:x"), .invalid(.signedHeaders)),
            (header(signedHeaders: "content-type;höst"), .invalid(.signedHeaders)),
            ("TC3-HMAC-SHA256 Credential=a/b/c/tc3_request, SignedHeaders=host", .missing(.signature)),
            (header(signature: ""), .invalid(.signature)),
            (header(signature: String(signature.dropLast())), .invalid(.signature)),
            (header(signature: signature + "00"), .invalid(.signature)),
            (header(signature: signature.uppercased()), .invalid(.signature)),
            (header(signature: "g" + signature.dropFirst()), .invalid(.signature)),
            (header() + ",", .trailingText),
            (header() + " x", .trailingText),
            (header() + ", Signature=\(signature)", .trailingText),
        ]
        for (text, reason) in cases {
            XCTAssertThrowsError(try TC3Authorization(parsing: text), text) { error in
                XCTAssertEqual(error as? TC3AuthorizationError, reason, text)
            }
        }
    }

    private func header(
        gap: String = " ", credential: String = "AKIDEXAMPLE/2023-11-14/dbbrain/tc3_request", comma: String = ", ",
        signedHeaders: String = "content-type;host", signature: String? = nil
    ) -> String {
        "TC3-HMAC-SHA256\(gap)Credential=\(credential)\(comma)SignedHeaders=\(signedHeaders)\(comma)"
            + "Signature=\(signature ?? self.signature)"
    }
}
