import SessionKill
import XCTest

@testable import Webhooks

/// Whether a message was delivered is what the receiver says, in its body where its format has it there.
final class DeliveryResultTests: XCTestCase {
    private func result(
        _ status: Int, _ body: String = "", retryAfter: String? = nil, _ format: WebhookFormat = .standard
    ) -> DeliveryResult {
        DeliveryResult(
            status: status, body: Array(body.utf8), retryAfter: retryAfter, format: format,
            at: UnixTime(milliseconds: 784_111_777_000))
    }

    func testEveryStatusOf2xxDeliversWhereTheBodySaysNothing() {
        for format in [WebhookFormat.standard, .slack] {
            for status in [200, 201, 202, 204] { XCTAssertEqual(result(status, "any", format), .delivered) }
        }
    }

    func testTwoHundredWithAnErrorInTheBodyIsNotDelivered() {
        XCTAssertEqual(result(200, #"{"code":0,"msg":"success"}"#, .feishu), .delivered)
        XCTAssertEqual(result(200, #"{"code":19021,"msg":"sign match fail"}"#, .feishu), .failed(.code(19_021)))
        XCTAssertEqual(result(200, #"{"code":9499,"msg":"Bad Request"}"#, .feishu), .refused(.code(9_499)))
        XCTAssertEqual(result(200, #"{"code":11232}"#, .feishu), .busy(.code(11_232), seconds: 60))
        XCTAssertEqual(result(200, #"{"errcode":0,"errmsg":"ok"}"#, .wecom), .delivered)
        XCTAssertEqual(
            result(200, #"{"errcode":93000,"errmsg":"invalid webhook url"}"#, .wecom), .failed(.code(93_000)))
        XCTAssertEqual(result(200, #"{"errcode":45009}"#, .wecom), .busy(.code(45_009), seconds: 60))
        XCTAssertEqual(result(200, #"{"errcode":0}"#, .dingtalk), .delivered)
        XCTAssertEqual(result(200, #"{"errcode":130101}"#, .dingtalk), .busy(.code(130_101), seconds: 600))
    }

    func testAnAnswerThatIsNoneOfTheFormatIsNotTakenForASuccess() {
        for format in [WebhookFormat.feishu, .wecom, .dingtalk] {
            for body in ["", "ok", "<html>", "[]", "{}", #"{"other":0}"#, #"{"code":"0","errcode":"0"}"#, "{"] {
                XCTAssertEqual(result(200, body, format), .failed(.unknownBody), body)
            }
        }
        XCTAssertEqual(result(200, #"{"errcode":0}"#, .feishu), .failed(.unknownBody))
        XCTAssertEqual(result(200, #"{"code":0}"#, .wecom), .failed(.unknownBody))
    }

    func testOnlyWhatMayPassIsTriedAgain() {
        for status in [408, 500, 502, 504, 599] { XCTAssertEqual(result(status), .failed(.status(status))) }
        for status in [301, 302, 307, 308] { XCTAssertEqual(result(status), .failed(.redirect(status))) }
        for status in [400, 401, 403, 404, 405, 413, 422] { XCTAssertEqual(result(status), .refused(.status(status))) }
        XCTAssertEqual(result(410), .gone)
        XCTAssertEqual(result(429), .busy(.status(429), seconds: nil))
    }

    func testRetryAfterIsObeyedAsSecondsAndAsADateUpToADay() {
        func seconds(_ text: String) -> DeliveryResult { result(429, retryAfter: text) }
        XCTAssertEqual(seconds("120"), .busy(.status(429), seconds: 120))
        XCTAssertEqual(seconds("0"), .busy(.status(429), seconds: 0))
        XCTAssertEqual(seconds("Sun, 06 Nov 1994 08:50:37 GMT"), .busy(.status(429), seconds: 60))
        XCTAssertEqual(seconds("Sun, 06 Nov 1994 08:00:00 GMT"), .busy(.status(429), seconds: 0))
        for text in ["999999999999999999999999", "99999999", "Fri, 01 Jan 2100 00:00:00 GMT"] {
            XCTAssertEqual(seconds(text), .busy(.status(429), seconds: 86_400), text)
        }
        for text in ["", "soon", "-5", "1.5"] { XCTAssertEqual(seconds(text), .busy(.status(429), seconds: nil), text) }
        XCTAssertEqual(result(503, retryAfter: "7"), .busy(.status(503), seconds: 7))
    }
}
