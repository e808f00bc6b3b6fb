import Foundation
import HTTPServer
import Parameters
import RequestDispatch
import RequestSigning
import SessionKill
import TestSupport
import XCTest

@testable import DASAPI

/// What the log is told where the vendor's text says little, and what a gateway may change.
final class DASRejectionTests: XCTestCase {
    func testANameOfTheConfigurationMayBeSignedWithAnyPortThatAClientCanHaveMeant() async throws {
        for (signedHost, sentHost, isTaken) in [
            ("das.internal.example", "10.0.0.9:9000", true), ("das.internal.example:9000", "10.0.0.9:9000", true),
            ("das.internal.example:8156", "10.0.0.9", true), ("das.internal.example:443", "10.0.0.9", true),
            ("das.internal.example:80", "10.0.0.9", true), ("das.internal.example:9000", "10.0.0.9", false),
            ("das.other.example", "10.0.0.9", false), ("10.0.0.9", "10.0.0.9:9000", false),
        ] {
            let world = DASWorld()
            var signed = try world.request { $0.host = signedHost }.signedV3()
            signed.headers = signed.headers.map { $0.name == "host" ? ("host", sentHost) : $0 }
            let response = try await world.response(to: signed)
            XCTAssertEqual(response.status, isTaken ? .ok : .badRequest, "\(signedHost) \(sentHost): \(response.text)")
        }
    }

    func testTheLogTellsAWrongKeyFromARewrittenHost() async throws {
        let world = DASWorld()
        var rewritten = try world.request().signedV3()
        rewritten.headers = rewritten.headers.map { $0.name == "host" ? ("host", "backend") : $0 }
        _ = try await world.response(to: rewritten)
        _ = try await world.responses(to: world.request { $0.accessKeySecret = "SKWRONG" })
        _ = try await world.response(to: world.request { $0.accessKeyID = "AKIDNOBODY" }.signedV1())
        _ = try await world.response(to: world.request { $0.accessKeyID = "SKREADER" }.signedV3())
        let rejected = world.records.map(\.rejectedSignature)
        XCTAssertEqual(
            rejected.map { $0?.reason }, [.mismatched, .mismatched, .mismatched, .unknownKey, .unknownKey])
        XCTAssertEqual(rejected.map { $0?.host }, ["backend"] + Array(repeating: "127.0.0.1:8156", count: 4))
        XCTAssertEqual(
            rejected.map { $0?.keyID }, ["AKIDEXAMPLE", "AKIDEXAMPLE", "AKIDEXAMPLE", "AKIDNOBODY", "<secret>"])
    }

    func testInvalidParamsIsTheVendorsTextAndTheLogSaysWhichParameterAndWhy() async throws {
        let cases: [(request: (DASWorld) throws -> DASRequest.Signed, reason: String)] = [
            (
                { try $0.request("GetMySQLAllSessionAsync", [("InstanceId", "unknown")]).signedV1() },
                "InstanceId: not configured, or not the account's"
            ),
            (
                { try $0.request("GetMySQLAllSessionAsync", [("InstanceId", "rm-1"), ("Pass wort", "x")]).signedV3() },
                "Pass wort: the action has no such parameter"
            ),
            (
                { try $0.request("GetMySQLAllSessionAsync") { $0.json = "{" }.signedV3() },
                "body: not JSON, see byte 1"
            ),
        ]
        for (request, reason) in cases {
            let world = DASWorld()
            try assertError(
                try await world.response(to: request(world)), .badRequest, "InvalidParams",
                "The request parameters are invalid.")
            guard case .invalidParameters(let defect) = world.records.last?.rejection else {
                XCTFail(reason)
                continue
            }
            XCTAssertEqual(defect.description, reason)
        }
    }

    func testAListThatIsNoneIsNamed() {
        for (read, reason) in [
            ({ _ = try UserList(text: "root").users }, "IgnoredUsers: not a list of what it should hold"),
            ({ _ = try SessionIDList(text: "[0]").threads }, "SessionIds: not a list of what it should hold"),
        ] as [(() throws -> Void, String)] {
            XCTAssertThrowsError(try read()) { error in
                guard case DASError.invalidParameters(let defect) = error else { return XCTFail("\(error)") }
                XCTAssertEqual(defect.description, reason)
            }
        }
    }

    func testADatabaseServersWordsStandBehindTheVendorsSentence() {
        let sentence = "The request has failed due to a temporary failure of the server."
        let rejected = ServerError(.other, code: 1_047, "a query: Unknown command (1047)")
        XCTAssertEqual(
            DASError.serviceUnavailable(cause: rejected).message, "\(sentence) (a query: Unknown command (1047))")
        XCTAssertEqual(DASError.serviceUnavailable(cause: SessionTaskError.stopping).message, sentence)
        let long = ServerError(.other, code: 1, String(repeating: "x", count: 10_000))
        XCTAssertEqual(DASError.serviceUnavailable(cause: long).message.utf8.count, sentence.utf8.count + 303)
    }

    func testALogLineOfAParameterHasNoValue() {
        let secret = "hunter2"
        for defect in [
            ParameterDefect.malformedRequest(.invalidValue(path: "DbUser", value: secret)), .malformedLogin,
            .malformedList(parameter: "IgnoredUsers"),
        ] {
            XCTAssertFalse(defect.description.contains(secret))
        }
    }

    func testWhoCameToAnotherListenerIsToldInTheWordsOfThisAPI() throws {
        let world = DASWorld()
        try assertError(
            world.rejectElsewhere(world.request().signedV1()), .notFound, "InvalidProduct.NotFound",
            "Cannot find product according to your specified domain.")
        XCTAssertEqual(world.records.map(\.rejection?.code), ["InvalidProduct.NotFound"])
    }
}
