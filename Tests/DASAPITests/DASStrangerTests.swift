import HTTPServer
import TestSupport
import XCTest

@testable import DASAPI

/// What is done for requests of DAS of which nobody knows who sent them.
final class DASStrangerTests: XCTestCase {
    private let world = DASWorld()

    func testALongBodyIsReadForAKnownAccessKeyOnlyAndNoLongerThanParametersAre() throws {
        for sign in [{ try $0.signedV1() }, { try $0.signedV3() }] as [(DASRequest) throws -> DASRequest.Signed] {
            let known = world.allowance(of: try sign(world.request()))
            XCTAssertEqual(known.bytes, 64 * 1_024 + 16 * 1_000)
            try assertError(known.rejection(), .badRequest, "InvalidParams")

            let unknown = world.allowance(of: try sign(world.request { $0.accessKeyID = "AKIDSTRANGER" }))
            XCTAssertEqual(unknown.bytes, 0)
            try assertError(unknown.rejection(), .notFound, "InvalidAccessKeyId.NotFound")
        }
    }

    func testALongFormOfAnUnknownAccessKeyIsNotParsed() async throws {
        let filler = String(repeating: "x", count: 70_000)
        func response(accessKeyID: String?) async throws -> HTTPResponse {
            let signed = try world.request {
                $0.common["AccessKeyId"] = .some(nil)
                $0.form = accessKeyID.map { [("AccessKeyId", $0)] } ?? []
                $0.form.append(("InstanceId", filler))
            }.signedV1()
            // A malformed pair.
            return try await world.response(
                to: DASRequest.Signed(
                    method: signed.method, target: signed.target, headers: signed.headers,
                    body: signed.body + Array("&nonsense".utf8)))
        }
        try assertError(try await response(accessKeyID: "AKIDSTRANGER"), .notFound, "InvalidAccessKeyId.NotFound")
        try assertError(try await response(accessKeyID: nil), .badRequest, "MissingAccessKeyId")
        try assertError(try await response(accessKeyID: "AKIDEXAMPLE"), .badRequest, "InvalidParams")
    }

    func testAFormOfMoreParametersThanAnyActionHasIsNotSorted() async throws {
        let response = try await world.response(
            to: world.request { request in request.form = (0..<300).map { ("Name\($0)", "x") } }.signedV1())
        try assertError(response, .badRequest, "InvalidParams")
    }

    func testABodyOfJSONIsHashedBeforeItIsParsed() async throws {
        let response = try await world.response(
            to: world.request {
                $0.json = "[[[["
                $0.accessKeySecret = "wrong"
            }.signedV3())
        try assertError(response, .badRequest, "SignatureDoesNotMatch")
    }

    func testNoAnswerRepeatsARequestAtLength() async throws {
        for text in [String(repeating: "&", count: 20_000), "e" + String(repeating: "\u{301}", count: 10_000)] {
            for format in ["JSON", "XML"] {
                let wrong = world.request {
                    $0.accessKeySecret = "wrong"
                    $0.common["Format"] = format
                }
                for request in [
                    try wrong.with { $0.form = [("InstanceId", text)] }.signedV1(),
                    try wrong.with { $0.form = [(text, "x")] }.signedV1(),
                    try wrong.with { $0.action = text }.signedV1(), try wrong.with { $0.accessKeyID = text }.signedV1(),
                    try wrong.with { $0.common["Format"] = text }.signedV1(),
                    try wrong.with { $0.unsignedHeaders = [("Host", text)] }.signedV1(),
                ] {
                    let response = try await world.response(to: request)
                    XCTAssertNotEqual(response.status, .ok)
                    XCTAssertLessThan(response.body.count, 8_192)
                }
            }
        }
    }
}
