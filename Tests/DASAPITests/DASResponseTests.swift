import Foundation
import RequestDispatch
import TestSupport
import XCTest

@testable import DASAPI
@testable import HTTPServer

/// How responses and errors are written.
final class DASResponseTests: XCTestCase {
    func testTheFormatIsWhatWasAskedForAndXMLForV1OtherwiseJSON() async throws {
        let world = DASWorld(limit: 1_000)
        let (json, xml) = ("application/json;charset=utf-8", "text/xml;charset=utf-8")
        for (format, ofV1, ofV3) in [
            ("JSON", json, json), ("json", json, json), ("Json", json, json), ("XML", xml, xml), ("xml", xml, xml),
            ("None", json, json), ("", xml, json), (nil, xml, json),
        ] {
            let v1 = try await world.response(to: world.request { $0.common["Format"] = .some(format) }.signedV1())
            XCTAssertEqual(v1.status, .ok, v1.text)
            XCTAssertEqual(v1.headers["Content-Type"], ofV1, format ?? "none")
            let v3 = try await world.response(
                to: world.request { if let format { $0.query.append(("Format", format)) } }.signedV3())
            XCTAssertEqual(v3.status, .ok, v3.text)
            XCTAssertEqual(v3.headers["Content-Type"], ofV3, format ?? "none")
        }
        let other = try await world.response(to: world.request { $0.common["Format"] = "YAML" }.signedV1())
        try assertError(
            other, .badRequest, "InvalidParameter.Format", "Specified parameter format is not valid.")
    }

    func testTheCodeOfASuccessIsANumber() async throws {
        let world = DASWorld()
        let response = try await world.response(to: world.request().signedV3())
        let requestID = try XCTUnwrap(response.headers["x-acs-request-id"])
        XCTAssertNotNil(requestID.wholeMatch(of: /[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}/))
        XCTAssertEqual(
            response.text,
            #"{"Code":200,"Message":"Successful","Data":{"InstanceId":"rm-1","Account":"ci","List":[1,2],"Empty":[],"#
                + #""Objects":[{"Key":"a<&>\u0001b"}]},"RequestId":"\#(requestID)","Success":true}"#)
    }

    func testEverythingInTheAnswerOfKillInstanceAllSessionIsText() async throws {
        let world = DASWorld()
        let response = try await world.response(to: world.request(DASWorld.Kill.name).signedV3())
        let requestID = try XCTUnwrap(response.headers["x-acs-request-id"])
        XCTAssertEqual(
            response.text,
            #"{"Code":"200","Message":"Successful","Data":"","RequestId":"\#(requestID)","Success":"true"}"#)
    }

    func testAListInXMLIsAContainerOfElementsWithItsOwnName() async throws {
        let world = DASWorld()
        let response = try await world.response(to: world.request { $0.common["Format"] = "XML" }.signedV1())
        let requestID = try XCTUnwrap(response.headers["x-acs-request-id"])
        XCTAssertEqual(
            response.text,
            "<?xml version='1.0' encoding='UTF-8'?><GetMySQLAllSessionAsyncResponse><Code>200</Code>"
                + "<Message>Successful</Message><Data><InstanceId>rm-1</InstanceId><Account>ci</Account>"
                + "<List><List>1</List><List>2</List></List><Empty></Empty>"
                + "<Objects><Objects><Key>a&lt;&amp;&gt;\u{FFFD}b</Key></Objects></Objects></Data>"
                + "<RequestId>\(requestID)</RequestId><Success>true</Success></GetMySQLAllSessionAsyncResponse>")
    }

    func testAnErrorInXMLHasTheRootError() async throws {
        let world = DASWorld()
        let response = try await world.response(
            to: world.request(DASWorld.Echo.name, []) { $0.common["Format"] = .some(nil) }.signedV1())
        XCTAssertEqual(response.status, .badRequest)
        XCTAssertEqual(response.headers["Content-Type"], "text/xml;charset=utf-8")
        let requestID = try XCTUnwrap(response.headers["x-acs-request-id"])
        XCTAssertEqual(
            response.text,
            "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>\(requestID)</RequestId>"
                + "<HostId>127.0.0.1:8156</HostId><Code>MissingInstanceId</Code>"
                + "<Message>InstanceId is mandatory for this action.</Message>"
                + "<Recommend>https://api.aliyun.com/troubleshoot?q=MissingInstanceId&amp;product=DAS"
                + "&amp;requestId=\(requestID)</Recommend></Error>")
    }

    func testErrorsHaveAStatusOfTheirOwnAndACodeThatIsText() async throws {
        let world = DASWorld()
        for (instance, status, code) in [
            ("unknown", .badRequest, "InvalidParams"), ("broken", .internalServerError, "InternalError"),
        ] as [(String, HTTPStatus, String)] {
            for response in try await world.responses(to: world.request(DASWorld.Echo.name, [("InstanceId", instance)]))
            {
                try assertError(response, status, code)
                XCTAssertEqual(try response.object()["HostId"] as? String, "127.0.0.1:8156")
            }
        }
        XCTAssertEqual(
            world.records.map { $0.rejection?.cause.map { "\($0)" } }, [nil, nil, "secret detail", "secret detail"])
        XCTAssertFalse(world.records.contains { $0.rejection == nil })
    }

    func testARefusalByTheHTTPServerIsAnErrorThatSDKsCanRead() throws {
        for (status, code) in [
            (.contentTooLarge, "InvalidParams"), (.serviceUnavailable, "ServiceUnavailable"),
        ] as [(HTTPStatus, String)] {
            let response = DASDispatcher.rejection(of: HTTPProtocolError(status, "the reason"))
            try assertError(response, status, code)
            XCTAssertTrue(response.text.contains("the reason"))
            XCTAssertEqual(response.headers["Content-Type"], "application/json;charset=utf-8")
        }
    }

    private func written(_ value: ResponseValue, as format: DASFormat) -> String {
        var writer = ResponseWriter(format)
        writer.append(document: value, root: "R")
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    func testXMLHasNoCharacterThatXMLForbids() {
        XCTAssertEqual(
            written(.text("a\u{0}\t\n\r\u{1F}\u{7F}\u{FFFE}é😀]]>"), as: .xml),
            "<?xml version='1.0' encoding='UTF-8'?><R>a\u{FFFD}\t\n&#13;\u{FFFD}\u{7F}\u{FFFD}é😀]]&gt;</R>")
    }

    private struct Element: ResponseElement {
        let number: Int64
        let text: String?

        func write(to response: inout ResponseWriter) {
            response.beginObject()
            if number > 0 { response.append("Number", number) }
            if let text { response.append("Text", text) }
            response.endObject()
        }

        var value: ResponseValue { ["Number": number > 0 ? .integer(number) : nil, "Text": text.map { .text($0) }] }
    }

    func testALongListIsWrittenAsAList() {
        let objects = [
            Element(number: 1, text: nil), Element(number: 0, text: nil), Element(number: 2, text: "{"),
            Element(number: 3, text: "a\"<\\&\u{1}é"), Element(number: 0, text: ""),
        ]
        for format in [DASFormat.json, .xml] {
            for count in 0...objects.count {
                let some = Array(objects.prefix(count))
                XCTAssertEqual(
                    written(["A": "{", "L": .longList(.init(some)), "B": 1], as: format),
                    written(["A": "{", "L": .list(some.map(\.value)), "B": 1], as: format))
            }
        }
        XCTAssertEqual(
            written(["L": .longList(.init(objects))], as: .json),
            ##"{"L":[{"Number":1},{},{"Number":2,"Text":"{"},{"Number":3,"Text":"a\"<\\&\u0001é"},{"Text":""}]}"##)
        XCTAssertEqual(
            written(["L": .longList(.init([Element(number: 7, text: "<")]))], as: .xml),
            "<?xml version='1.0' encoding='UTF-8'?><R><L><L><Number>7</Number><Text>&lt;</Text></L></L></R>")
    }

    func testNumbersAreWrittenInDecimalDigits() {
        for number in [0, 7, 10, -1, 4_294_967_295, 1_766_632_214_347, Int64.max, .min] {
            XCTAssertEqual(written(.integer(number), as: .json), String(number))
        }
    }
}
