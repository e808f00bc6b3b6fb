import RequestSigning
import XCTest

final class CloudVendorTests: XCTestCase {
    func testTheMarksOfEachVendorsSDKsTellWhoseAPIIsMeant() {
        func vendor(_ headers: [(String, String)], _ parameters: Set<String> = []) -> CloudVendor? {
            CloudVendor(headers: SentHeaders(fields: headers.map { (name: $0.0, value: $0.1) })) {
                parameters.contains($0)
            }
        }
        XCTAssertEqual(vendor([("X-TC-Action", "A")]), .tencentCloud)
        XCTAssertEqual(vendor([("authorization", "TC3-HMAC-SHA256 Credential=a")]), .tencentCloud)
        XCTAssertEqual(vendor([], ["SecretId", "Action"]), .tencentCloud)
        XCTAssertEqual(vendor([("x-acs-action", "A")]), .alibabaCloud)
        XCTAssertEqual(vendor([("Authorization", "ACS3-HMAC-SHA256 Credential=a")]), .alibabaCloud)
        XCTAssertEqual(vendor([], ["AccessKeyId", "Action"]), .alibabaCloud)
        for (headers, parameters) in [
            ([], []), ([], ["SecretId", "AccessKeyId"]), ([("X-TC-Action", "A"), ("x-acs-action", "A")], []),
        ] as [([(String, String)], Set<String>)] {
            XCTAssertNil(vendor(headers, parameters))
        }
    }
}
