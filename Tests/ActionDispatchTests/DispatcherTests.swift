import ActionDispatch
import Foundation
import HTTPServer
import RateLimiting
import RequestDispatch
import RequestSigning
import Synchronization
import TencentCloudErrors
import XCTest

final class DispatcherTests: XCTestCase {
    private let world = World()

    // MARK: The envelope

    func testAnAnswerIsWrappedInResponseWithARequestID() async throws {
        let response = await world.send(body: #"{"Text":"你好/"}"#)
        XCTAssertEqual(response.status, .ok)
        XCTAssertEqual(response.headers["Content-Type"], "application/json")
        let text = String(decoding: response.body, as: UTF8.self)
        XCTAssertNotNil(
            text.wholeMatch(
                of:
                    /\{"Response":\{"RequestId":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}","Text":"你好\/"\}\}/
            ),
            text)
    }

    func testAnErrorIsAnsweredWithStatus200AndErrorFirst() async throws {
        let response = await world.send(body: "{}")
        XCTAssertEqual(response.status, .ok)
        XCTAssertEqual(response.headers["Content-Type"], "application/json")
        let text = String(decoding: response.body, as: UTF8.self)
        XCTAssertTrue(
            text.hasPrefix(
                #"{"Response":{"Error":{"Code":"MissingParameter","Message":"The request is missing a required parameter `Text`."},"RequestId":""#
            ),
            text)
        XCTAssertFalse(text.hasSuffix("\n"))
    }

    func testTheTraceIDIsEchoed() async throws {
        let response = await world.send(headers: ["X-TC-TraceId": "d75f5dfa-5706"])
        XCTAssertEqual(response.headers["X-TC-TraceId"], "d75f5dfa-5706")
        let without = await world.send()
        XCTAssertNil(without.headers["X-TC-TraceId"])
    }

    func testEveryAnswerHasARequestIDOfItsOwn() async throws {
        var ids: Set<String> = []
        for _ in 0..<10 { ids.insert(try await world.send().requestID()) }
        XCTAssertEqual(ids.count, 10)
    }

    // MARK: The gates

    private struct Rejection {
        var method = "POST"
        var headers: [String: String?] = [:]
        var body = #"{"Text":"x"}"#
        var secretID = "AKIDEXAMPLE"
        var secretKey = "SKEXAMPLE"
        var timestamp = World.now
        let code: String
        let english: String
        let chinese: String?
    }

    private let rejections: [Rejection] = [
        Rejection(
            headers: ["X-TC-Action": nil], code: "MissingParameter",
            english: "The request is missing a required parameter `Action`.", chinese: nil),
        Rejection(
            headers: ["X-TC-Version": nil], code: "MissingParameter",
            english: "The request is missing a required parameter `Version`.", chinese: nil),
        Rejection(
            headers: ["X-TC-Timestamp": nil], code: "MissingParameter",
            english: "The request is missing a required parameter `Timestamp`.", chinese: nil),
        Rejection(
            headers: ["Authorization": nil], code: "MissingParameter",
            english: "The request is missing a required parameter `SecretId`.", chinese: nil),
        Rejection(
            headers: ["X-TC-Timestamp": "soon"], code: "InvalidParameterValue",
            english: "The value `soon` specified in the parameter `Timestamp` is not valid.", chinese: nil),
        Rejection(
            secretID: "AKIDNOBODY", code: "AuthFailure.SecretIdNotFound",
            english: "The SecretId is not found, please ensure that your SecretId is correct.",
            chinese: "SecretId不存在，请输入正确的密钥。"),
        Rejection(
            secretKey: "SKWRONG", code: "AuthFailure.SignatureFailure",
            english: "The provided credentials could not be validated. Please check your signature is correct.",
            chinese: "请求签名验证失败，请检查您的签名计算是否正确。"),
        Rejection(
            timestamp: World.now - 301, code: "AuthFailure.SignatureExpire",
            english:
                "Signature expired. Please use local time and enable NTP service for time synchronization to avoid a deviation between `Timestamp` and the server time 1700000000.",
            chinese: nil),
        Rejection(
            headers: ["X-TC-Version": "2000-01-01"], code: "NoSuchVersion",
            english: "The specified api version=`2000-01-01` does not exist in service=`dbbrain`.", chinese: nil),
        Rejection(
            headers: ["X-TC-Action": "EchoText2"], code: "InvalidAction",
            english:
                "The request action=`EchoText2` is invalid or not found in service=`dbbrain` and version=`2021-05-27`.",
            chinese: nil),
        Rejection(
            headers: ["X-TC-Version": "2019-10-16"], code: "InvalidAction",
            english:
                "The request action=`EchoText` is invalid or not found in service=`dbbrain` and version=`2019-10-16`.",
            chinese: nil),
        Rejection(
            body: #"{"Text":"x","Extra":1}"#, code: "UnknownParameter",
            english: "The parameter `Extra` is not recognized.", chinese: nil),
        Rejection(
            body: #"{"Text":1}"#, code: "InvalidParameter", english: "The value type of parameter `Text` is not valid.",
            chinese: "参数 `Text` 取值类型错误。"),
        Rejection(
            body: #"{"Text":"x","Numbers":[1,-1]}"#, code: "InvalidParameter",
            english: "The value type of parameter `Numbers.1` is not valid.", chinese: "参数 `Numbers.1` 取值类型错误。"),
    ]

    func testEveryRefusalHasTheDocumentedCodeAndText() async throws {
        for rejection in rejections {
            let request = try world.signed(
                method: rejection.method, headers: rejection.headers, body: rejection.body,
                secretID: rejection.secretID,
                secretKey: rejection.secretKey, timestamp: rejection.timestamp)
            let english = try await world.response(to: request).error()
            XCTAssertEqual(english?.code, rejection.code)
            XCTAssertEqual(english?.message, rejection.english)
            let inChinese = try world.signed(
                method: rejection.method, headers: rejection.headers.merging(["X-TC-Language": "zh-CN"]) { $1 },
                body: rejection.body, secretID: rejection.secretID, secretKey: rejection.secretKey,
                timestamp: rejection.timestamp)
            let chinese = try await world.response(to: inChinese).error()
            XCTAssertEqual(chinese?.code, rejection.code)
            XCTAssertTrue(chinese?.message.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) } == true)
            if let expected = rejection.chinese { XCTAssertEqual(chinese?.message, expected) }
        }
        XCTAssertEqual(world.calls, 0)
    }

    func testBrokenJSONIsAnInvalidParameter() async throws {
        for body in ["", "{", "[]", "null", #"{"Text":"x",}"#, #"{"Text":"x","Text":"y"}"#, "\u{FEFF}{}"] {
            let error = try await world.send(body: body).error()
            XCTAssertEqual(error?.code, "InvalidParameter", body)
        }
    }

    func testOtherMethodsAreUnsupported() async throws {
        for method in ["PUT", "DELETE", "HEAD"] {
            let error = try await world.response(to: try world.signed(method: method)).error()
            XCTAssertEqual(error?.code, "UnsupportedProtocol")
        }
    }

    func testRequestsThatNobodySignedAreRefused() async throws {
        for authorization in ["SKIP", "", "Bearer x", "TC3-HMAC-SHA256 Credential=a"] {
            let error = try await world.response(to: try world.signed(headers: ["Authorization": authorization]))
                .error()
            XCTAssertEqual(error?.code, "AuthFailure.InvalidAuthorization", authorization)
        }
    }

    func testATokenThatNoAccountHasIsRefused() async throws {
        let error = try await world.send(headers: ["X-TC-Token": "TOKEN"]).error()
        XCTAssertEqual(error?.code, "AuthFailure.TokenFailure")
        let empty = try await world.send(headers: ["X-TC-Token": ""]).error()
        XCTAssertNil(empty)
    }

    func testABodyThatWasChangedOnTheWayIsRefused() async throws {
        let request = try world.signed(body: #"{"Text":"x"}"#, sentBody: #"{"Text":"y"}"#)
        let error = try await world.response(to: request).error()
        XCTAssertEqual(error?.code, "AuthFailure.SignatureFailure")
    }

    // MARK: The rate limit

    func testTheTwentyFirstCallInASecondIsRefusedWithTheVendorsSentence() async throws {
        for _ in 0..<20 {
            let error = try await world.send().error()
            XCTAssertNil(error)
        }
        let english = try await world.send().error()
        XCTAssertEqual(english?.code, "RequestLimitExceeded")
        XCTAssertEqual(
            english?.message,
            "Your current request times equals to `21` in a second, which exceeds the frequency limit `20` for a second. Please reduce the frequency of calls."
        )
        let chinese = try await world.send(headers: ["X-TC-Language": "zh-CN"]).error()
        XCTAssertEqual(chinese?.message, "您当前每秒请求 `22` 次，超过了每秒频率上限 `20`，请稍后重试。")
        world.advance(by: .seconds(1))
        let later = try await world.send().error()
        XCTAssertNil(later)
    }

    func testEachConfiguredRegionHasALimitOfItsOwnAndInventedOnesShareOne() async throws {
        func rejected(_ region: String?) async throws -> Bool {
            try await world.send(headers: ["X-TC-Region": region]).error()?.code == "RequestLimitExceeded"
        }
        for number in 0..<20 {
            let isRejected = try await rejected("invented-\(number)")
            XCTAssertFalse(isRejected)
        }
        let (another, none, configured) = (
            try await rejected("invented-20"), try await rejected(nil), try await rejected("ap-guangzhou")
        )
        XCTAssertTrue(another)
        XCTAssertTrue(none)
        XCTAssertFalse(configured)
    }

    func testCallsThatFailBeforeTheLimitDoNotUseItUp() async throws {
        for _ in 0..<40 {
            _ = await world.response(to: try world.signed(secretKey: "SKWRONG"))
        }
        let error = try await world.send().error()
        XCTAssertNil(error)
    }

    // MARK: What actions throw

    func testAnUnforeseenErrorIsAnInternalErrorAndItsCauseIsForTheLogOnly() async throws {
        let error = try await world.send(body: #"{"Text":"fail"}"#).error()
        XCTAssertEqual(error?.code, "InternalError")
        XCTAssertFalse(error?.message.contains("secret detail") == true)
        XCTAssertEqual(world.records.last?.rejection?.cause.map { "\($0)" }, "secret detail")
    }

    func testAnActionMayTellTheLogMoreThanTheCaller() async throws {
        let error = try await world.send(body: #"{"Text":"refuse"}"#).error()
        XCTAssertEqual(error?.code, "ResourceNotFound")
        XCTAssertEqual(world.records.last?.rejection?.code.rawValue, "ResourceNotFound")
        XCTAssertEqual(world.records.last?.rejection?.cause.map { "\($0)" }, "secret detail")
    }

    func testAnAccountWithoutTheRightIsToldWhichOneItLacks() async throws {
        let response = await world.send(body: #"{"Text":"approve"}"#)
        let (error, requestID) = (try response.error(), try response.requestID())
        XCTAssertEqual(error?.code, "AuthFailure.UnauthorizedOperation")
        XCTAssertEqual(
            error?.message,
            "You are not authorized to perform this operation. Check your CAM policies, and ensure that you are using the correct access keys. [[request id:\(requestID)]you are not authorized to perform operation (dbbrain:EchoText)\nresource (the thing) has no permission\n]"
        )
    }

    func testEveryRequestIsRecordedOnceWithItsOutcome() async throws {
        _ = await world.send()
        _ = await world.send(body: "{}")
        XCTAssertEqual(world.records.map(\.rejection?.code.rawValue), [nil, "MissingParameter"])
        XCTAssertEqual(world.records.map(\.account), ["ci", "ci"])
        XCTAssertEqual(world.records.map(\.action), ["EchoText", "EchoText"])
    }

    func testANameThatCallersMadeUpIsRecordedAsNoAction() async throws {
        _ = await world.send(headers: ["X-TC-Action": "MadeUp"])
        _ = await world.send(headers: ["X-TC-Version": "2019-10-16"])
        XCTAssertEqual(world.records.map(\.action), ["MadeUp", "EchoText"])
        XCTAssertEqual(world.records.map(\.knownAction), [nil, "EchoText"])
    }

    func testAnswersWithTheTextsOfTheOperator() async throws {
        let world = World(messages: try MessageOverrides([("The request body is not a JSON object.", "No object.")]))
        let error = try await world.send(body: "[]").error()
        XCTAssertEqual(error?.code, "InvalidParameter")
        XCTAssertEqual(error?.message, "No object.")
    }

    func testALargeBodyIsAnsweredTheSameWay() async throws {
        let text = String(repeating: "x", count: 200_000)
        let response = await world.send(body: #"{"Text":"\#(text)"}"#)
        XCTAssertNil(try response.error())
        XCTAssertEqual(response.body.count, text.utf8.count + 75)
    }
}
