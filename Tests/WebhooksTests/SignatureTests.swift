import RequestSigning
import SessionKill
import XCTest

@testable import Webhooks

/// Signatures are those that receivers compute.
final class SignatureTests: XCTestCase {
    func testStandardSignaturesAreThoseOfTheProjectsOwnTests() throws {
        let key = try XCTUnwrap(StandardKey(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
        XCTAssertEqual(
            try WebhookSignature.standard(
                id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330,
                body: Array(#"{"test": 2432232314}"#.utf8),
                key: key.bytes),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    func testFeishuSignsAnEmptyMessageWithTimeAndSecretAsTheKey() throws {
        XCTAssertEqual(
            try WebhookSignature.feishu(timestamp: 1_599_360_473, secret: Secret("demo")),
            "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=")
    }

    func testDingTalkSignsTimeAndSecretWithTheSecretAsTheKey() throws {
        XCTAssertEqual(
            try WebhookSignature.dingTalk(timestamp: 1_577_262_236_757, secret: Secret("SECdemo")),
            "sLRlUUvzoOXn5DR/+o+s6tOqX+bWe3JGaZ7JQ7844l8=")
    }

    func testAStandardKeyIsTheBase64OfTwentyFourToSixtyFourBytes() {
        func key(_ count: Int) -> String { Data(repeating: 1, count: count).base64EncodedString() }
        XCTAssertEqual(StandardKey(Secret("whsec_" + key(24)))?.bytes.count, 24)
        XCTAssertEqual(StandardKey(Secret(key(64)))?.bytes.count, 64)
        for wrong in ["whsec_" + key(23), key(65), "whsec_", "no base64 at all, as anybody sees", ""] {
            XCTAssertNil(StandardKey(Secret(wrong)), wrong)
        }
    }

    func testAMessageCarriesItsIdItsTimeAndTheSignatureOfItsBody() throws {
        let key = try XCTUnwrap(StandardKey(Secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
        let target = try WebhookTarget.sample(.standard, key: .standard(key))
        let request = try WebhookRequest([.asking()], to: target, at: UnixTime(milliseconds: 1_790_000_001_999))
        let parts = String(decoding: request.message, as: UTF8.self).components(separatedBy: "\r\n\r\n")
        XCTAssertTrue(parts[0].hasPrefix("POST /services/T0/s3cr3t HTTP/1.1\r\nHost: hooks.example\r\n"), parts[0])
        XCTAssertTrue(parts[0].contains("\r\nwebhook-id: st0re.7\r\nwebhook-timestamp: 1790000001\r\n"), parts[0])
        let signature = try WebhookSignature.standard(
            id: "st0re.7", timestamp: 1_790_000_001, body: Array(parts[1].utf8), key: key.bytes)
        XCTAssertTrue(parts[0].contains("\r\nwebhook-signature: \(signature)\r\n"), parts[0])
    }

    func testFeishuHasTimeAndSignatureInItsBodyAndDingTalkInItsQuery() throws {
        let time = UnixTime(milliseconds: 1_577_262_236_757)
        let feishu = try WebhookRequest(
            [.asking()], to: .sample(.feishu, key: .text(Secret("demo"))), at: UnixTime(milliseconds: 1_599_360_473_000)
        )
        let body = String(decoding: feishu.message, as: UTF8.self)
        XCTAssertTrue(body.contains(#""sign":"l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=""#), body)
        XCTAssertTrue(body.contains(#""timestamp":"1599360473""#), body)

        let sign = "timestamp=1577262236757&sign=sLRlUUvzoOXn5DR%2F%2Bo%2Bs6tOqX%2BbWe3JGaZ7JQ7844l8%3D"
        for (address, path) in [
            ("https://o.example/send?access_token=t", "/send?access_token=t&"), ("https://o.example", "/?"),
        ] {
            let request = try WebhookRequest(
                [.asking()], to: .sample(.dingtalk, address: address, key: .text(Secret("SECdemo"))), at: time)
            let head = String(decoding: request.message, as: UTF8.self)
            XCTAssertTrue(head.hasPrefix("POST \(path)\(sign) HTTP/1.1\r\n"), head)
        }
    }
}
