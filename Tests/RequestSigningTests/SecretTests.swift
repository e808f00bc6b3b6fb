import RequestSigning
import XCTest

final class SecretTests: XCTestCase {
    private let text = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"

    func testRevealsItselfOnlyWhenAsked() {
        XCTAssertEqual(Secret(text).reveal(), text)
        for shown in everyWayToShow(Secret(text)) {
            XCTAssertFalse(shown.contains(text), shown)
            XCTAssertTrue(shown.contains("<secret>"), shown)
        }
        XCTAssertTrue(Mirror(reflecting: Secret(text)).children.isEmpty)
    }

    func testIsNotShownByWhatHoldsIt() {
        struct Account {
            let name = "ci"
            let secretKey: Secret?
        }
        let account = Account(secretKey: Secret(text))
        let signer = TC3Signer(secretID: "AKID", secretKey: Secret(text), host: "localhost", service: "dbbrain")
        for shown in everyWayToShow(account) + everyWayToShow([account]) + everyWayToShow(signer)
            + everyWayToShow(["key": Secret(text)])
        {
            XCTAssertFalse(shown.contains(text), shown)
        }
    }

    func testSigningKeyShowsNoneOfItsBytes() throws {
        let key = try TC3SigningKey(
            secretKey: Secret(text), scope: TC3CredentialScope(date: "2023-11-14", service: "dbbrain"))
        for shown in everyWayToShow(key) {
            XCTAssertNil(shown.firstMatch(of: /[0-9]{2}/), shown)
        }
    }

    private func everyWayToShow(_ value: some Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        var printed = ""
        print(value, to: &printed)
        return [dumped, printed, "\(value)", String(describing: value), String(reflecting: value)]
    }
}
