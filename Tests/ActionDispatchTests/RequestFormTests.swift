import ActionDispatch
import HTTPServer
import RequestDispatch
import TestSupport
import XCTest

/// The forms in which a request may come: each gives the same response.
final class RequestFormTests: XCTestCase {
    private let world = World()
    private let form = "application/x-www-form-urlencoded"

    private func text(_ response: HTTPResponse) throws -> String {
        XCTAssertEqual(response.status, .ok)
        XCTAssertEqual(response.headers["Content-Type"], "application/json")
        let text = String(decoding: response.body, as: UTF8.self)
        return String(
            try XCTUnwrap(text.wholeMatch(of: /\{"Response":\{"RequestId":"[^"]*","Text":"(.*)"\}\}/), text).1)
    }

    /// `String` compares texts of combining marks in quadratic time.
    /// Unicode takes the Kelvin sign for a K.
    func testNamesAndKeysAreComparedByTheirBytes() async throws {
        let world = World()
        let key = try await world.response(to: world.signedByParameter(["SecretId": "A\u{212A}IDEXAMPLE"])).error()
        XCTAssertEqual(key?.code, "AuthFailure.SecretIdNotFound")
        XCTAssertEqual(world.calls, 0)
    }

    func testCombiningMarksTakeLittleTime() async throws {
        let marks = String(repeating: "\u{301}\u{323}", count: 50_000)
        let requests = [
            ("content type", try world.signed(headers: ["Content-Type": "a\(marks)"])),
            ("content type in capitals", try world.signed(headers: ["Content-Type": "application/json; A\(marks)"])),
            ("language", try world.signed(headers: ["X-TC-Language": "z\(marks)"])),
            ("version", try world.signed(headers: ["X-TC-Version": "2021\(marks)"])),
            ("action", try world.signed(headers: ["X-TC-Action": "E\(marks)"])),
            ("unsigned payload", try world.signed(headers: ["X-TC-Content-SHA256": "U\(marks)"])),
            ("name in a form", try world.signedByParameter(tail: "&Signatur\(marks)=")),
            ("value in a form", try world.signedByParameter(["Version": marks])),
            ("signature", try world.signedByParameter(["Signature": "-"], tail: "&Signature=\(marks)")),
            ("signature method", try world.signedByParameter(["SignatureMethod": marks])),
        ]
        for (name, request) in requests {
            let time = await processorTimeOfAllThreads { _ = await world.response(to: request) }
            XCTAssertLessThan(time, .seconds(1) * slowdown, name)
        }
    }

    func testEveryFormReachesTheAction() async throws {
        let forms: [(form: String, request: HTTPRequest)] = [
            ("POST JSON, TC3", try world.signed(body: #"{"Text":"a b"}"#)),
            (
                "POST JSON without a content type, but signed as if",
                try world.signed(headers: ["Content-Type": "application/json; charset=utf-8"], body: #"{"Text":"a b"}"#)
            ),
            (
                "GET, TC3",
                try world.signed(
                    method: "GET", headers: ["Content-Type": form], body: "", query: "Text=a+b&Numbers.0=1")
            ),
            ("POST form, V1", try world.signedByParameter(["Text": "a b", "Numbers.0": "4294967295"])),
            ("GET, V1", try world.signedByParameter(method: "GET", ["Text": "a b"])),
            (
                "GET, V1, no content type (java)",
                try world.signedByParameter(method: "GET", ["Text": "a b"], contentType: nil)
            ),
            (
                "POST form with charset, V1 (java)",
                try world.signedByParameter(["Text": "a b"], contentType: "\(form); charset=utf-8")
            ),
        ]
        for (form, request) in forms {
            let response = await world.response(to: request)
            XCTAssertEqual(try text(response), "a b", form)
        }
        XCTAssertEqual(world.calls, forms.count)
    }

    func testFormsThatDoNotGoTogetherAreRefusedInWords() async throws {
        let forms: [(form: String, request: HTTPRequest)] = [
            ("POST form, TC3", try world.signed(headers: ["Content-Type": form], body: "Text=x")),
            ("GET JSON, TC3", try world.signed(method: "GET", body: "", query: "Text=x")),
            ("multipart", try world.signed(headers: ["Content-Type": "multipart/form-data; boundary=x"])),
            ("text", try world.signed(headers: ["Content-Type": "text/plain"])),
            ("multipart without Authorization", try world.signedByParameter(contentType: "multipart/form-data")),
        ]
        for (form, request) in forms {
            let error = try await world.response(to: request).error()
            XCTAssertEqual(error?.code, "UnsupportedOperation", form)
        }
        XCTAssertEqual(world.calls, 0)
    }

    func testRefusesWhatIsWrongWithASignatureOfVersion1() async throws {
        let rejections: [(request: HTTPRequest, code: String)] = [
            (try world.signedByParameter(secretKey: "another"), "AuthFailure.SignatureFailure"),
            (try world.signedByParameter(tail: "&Text2=y"), "AuthFailure.SignatureFailure"),
            (try world.signedByParameter(["Signature": "AAAA"]), "AuthFailure.SignatureFailure"),
            (try world.signedByParameter(["Signature": "-"]), "MissingParameter"),
            (try world.signedByParameter(["SecretId": nil]), "MissingParameter"),
            (try world.signedByParameter(["Timestamp": nil]), "MissingParameter"),
            (try world.signedByParameter(["Version": nil]), "MissingParameter"),
            (try world.signedByParameter(["Action": ""]), "MissingParameter"),
            (try world.signedByParameter(["SecretId": "AKID\n"]), "AuthFailure.SecretIdNotFound"),
            (
                try world.signedByParameter(["SecretId": String(repeating: "\u{301}", count: 80_000)]),
                "AuthFailure.SecretIdNotFound"
            ),
            (try world.signedByParameter(["Timestamp": "\(World.now - 301)"]), "AuthFailure.SignatureExpire"),
            (try world.signedByParameter(["Timestamp": "0"]), "AuthFailure.SignatureExpire"),
            (try world.signedByParameter(["Timestamp": "now"]), "InvalidParameterValue"),
            (try world.signedByParameter(["Token": "TOKEN"]), "AuthFailure.TokenFailure"),
            (try world.signedByParameter(["Version": "2020-01-01"]), "NoSuchVersion"),
            (try world.signedByParameter(["Action": "EchoNothing"]), "InvalidAction"),
            (try world.signedByParameter(["Text": nil]), "MissingParameter"),
            (try world.signedByParameter(["Extra": "1"]), "UnknownParameter"),
            (try world.signedByParameter(["Numbers.0": "x"]), "InvalidParameter"),
            (try world.signedByParameter(["Numbers.1": "1"]), "MissingParameter"),
            (try world.signedByParameter(tail: "&Text=y"), "InvalidParameter"),
            (try world.signedByParameter(tail: "&Region"), "InvalidParameter"),
            (try world.signedByParameter(method: "GET", tail: "&Region=%"), "InvalidParameter"),
            (try world.signedByParameter(method: "GET", tail: "&"), "OK"),
        ]
        for (index, rejection) in rejections.enumerated() {
            let error = try await world.response(to: rejection.request).error()
            XCTAssertEqual(error?.code ?? "OK", rejection.code, "\(index): \(error?.message ?? "")")
        }
        XCTAssertEqual(world.calls, 1)
    }

    func testAPairWithoutAnEqualsSignIsToldInTheVendorsWords() async throws {
        let error = try await world.response(to: try world.signedByParameter(tail: "&Region")).error()
        XCTAssertEqual(error?.message, "Url key and value should be splited by `=`.")
    }

    func testAnswersInTheLanguageOfTheParameter() async throws {
        let error = try await world.response(
            to: try world.signedByParameter(["Language": "zh-CN"], secretKey: "another")
        ).error()
        XCTAssertEqual(error?.message, "请求签名验证失败，请检查您的签名计算是否正确。")
    }

    func testEchoesTheTraceIDInEveryForm() async throws {
        let (post, get) = (
            try world.signedByParameter(headers: [("X-TC-TraceId", "trace")]),
            try world.signedByParameter(method: "GET", tail: "&Region", headers: [("X-TC-TraceId", "trace")])
        )
        for request in [post, get] {
            let response = await world.response(to: request)
            XCTAssertEqual(response.headers["X-TC-TraceId"], "trace")
        }
    }

    // MARK: Sizes

    func testEachFormHasALimitAndACodeOfItsOwn() async throws {
        let fits = String(repeating: "x", count: 30_000)
        let query = "Text=" + String(repeating: "x", count: 32 * 1_024 - 5)
        let headers = ["Content-Type": form]
        let responses: [(request: HTTPRequest, code: String)] = [
            (try world.signedByParameter(method: "GET", ["Text": fits]), "OK"),
            (try world.signedByParameter(method: "GET", ["Text": fits + fits]), "RequestSizeLimitExceeded"),
            (try world.signed(method: "GET", headers: headers, body: "", query: query), "OK"),
            (
                try world.signed(method: "GET", headers: headers, body: "", query: query + "x"),
                "RequestSizeLimitExceeded"
            ),
            (try world.signedByParameter(["Text": String(repeating: "x", count: 1_048_000)]), "OK"),
            (
                try world.signedByParameter(["Text": String(repeating: "x", count: 1 << 20)]),
                "AuthFailure.SignatureFailure"
            ),
        ]
        for (index, response) in responses.enumerated() {
            let error = try await world.response(to: response.request).error()
            XCTAssertEqual(error?.code ?? "OK", response.code, "\(index)")
        }
        let error = try await world.response(to: responses[5].request).error()
        XCTAssertEqual(
            error?.message,
            "The provided credentials could not be validated because of exceeding request size limit, please use new signature method `TC3-HMAC-SHA256`."
        )
    }

    // MARK: Tokens and requests that are not signed

    func testAnAccountWithATokenTakesRequestsWithThatTokenOnly() async throws {
        let world = World(token: "TOKEN")
        let responses: [(request: HTTPRequest, code: String)] = [
            (try world.signed(headers: ["X-TC-Token": "TOKEN"]), "OK"),
            (try world.signed(headers: ["X-TC-Token": "TOKEM"]), "AuthFailure.TokenFailure"),
            (try world.signed(), "AuthFailure.TokenFailure"),
            (try world.signedByParameter(["Token": "TOKEN"]), "OK"),
            (try world.signedByParameter(["Token": "TOKEN2"]), "AuthFailure.TokenFailure"),
            (try world.signedByParameter(), "AuthFailure.TokenFailure"),
        ]
        for (index, response) in responses.enumerated() {
            let error = try await world.response(to: response.request).error()
            XCTAssertEqual(error?.code ?? "OK", response.code, "\(index)")
        }
    }

    func testSkippingTheSignatureIsRefusedInWords() async throws {
        let skipped = try await world.response(to: try world.signed(headers: ["Authorization": "SKIP"])).error()
        XCTAssertEqual(
            skipped?.message,
            "The request `Authorization` header does not conform to tencentcloud standards: the request is not signed.")
    }

    // MARK: The log

    func testTheLogNamesNoActionThatIsTooLongToBeOne() async throws {
        _ = await world.response(to: try world.signedByParameter(["Action": String(repeating: "a", count: 129)]))
        XCTAssertEqual(world.records.map(\.action), [nil])
    }
}
