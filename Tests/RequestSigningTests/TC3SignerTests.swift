import RequestSigning
import XCTest

final class TC3SignerTests: XCTestCase {
    private let signer = TC3Signer(
        secretID: "AKIDEXAMPLE", secretKey: Secret("SKEXAMPLE"), host: "KillD.example:8155", service: "dbbrain")

    func testSignsWhatTheVerifierAccepts() throws {
        let contentType = "application/json; charset=UTF-8"
        let authorization = try signer.authorization(
            method: "POST", query: "", contentType: contentType, payload: [0x7B, 0x7D], timestamp: 1_700_000_000)
        let request = TC3Request(
            method: "POST", query: "",
            headers: SentHeaders(fields: [
                ("host", "KillD.example:8155"), ("content-type", contentType),
                ("authorization", authorization.headerValue),
            ]),
            payload: [0x7B, 0x7D], timestamp: 1_700_000_000, region: nil)
        let verdict = try TC3SignedRequest(request, signedHosts: .none).verify(
            secretKey: Secret("SKEXAMPLE"), at: 1_700_000_000)
        XCTAssertEqual(verdict, .verified)
    }

    func testRefusesATimestampThatHasNoDate() {
        for timestamp in [Int64.min, -100_000_000_000, 253_402_300_800, .max] {
            XCTAssertThrowsError(
                try signer.authorization(
                    method: "POST", query: "", contentType: "application/json", payload: [], timestamp: timestamp)
            ) { error in
                guard case .timestampOutOfRange? = error as? TC3SigningError else {
                    return XCTFail("\(timestamp): \(error)")
                }
            }
        }
    }
}
