import Foundation
import HTTPServer
import TestSupport
import XCTest

@testable import DASAPI

/// The forms of a request, and what of it is read.
final class DASRequestTests: XCTestCase {
    private let awkward = "p@ss w*rd~+/%&=é"

    func testEveryFormOfARequestMeansTheSame() async throws {
        let world = DASWorld()
        let parameters: [DASRequest.Pair] = [
            ("InstanceId", "rm-1"), ("DbUserPassword", awkward), ("KillAllSessions", "True"), ("SessionIds", "[1,2]"),
        ]
        var responses: [HTTPResponse] = []
        for method in ["GET", "POST"] {
            responses += try await world.responses(
                to: world.request(DASWorld.Echo.name, parameters) { $0.method = method })
            responses += try await world.responses(
                to: world.request(DASWorld.Echo.name, []) {
                    $0.method = method
                    $0.form = parameters
                })
        }
        responses.append(
            try await world.response(
                to: world.request(DASWorld.Echo.name, []) {
                    $0.json =
                        #"{"InstanceId":"rm-1","DbUserPassword":"\#(awkward)","KillAllSessions":true,"#
                        + #""SessionIds":"[1,2]"}"#
                }.signedV3()))
        XCTAssertEqual(responses.count, 9)
        for response in responses {
            XCTAssertEqual(response.status, .ok, response.text)
            let data = try response.data()
            XCTAssertEqual(data["InstanceId"] as? String, "rm-1")
            XCTAssertEqual(data["PasswordBytes"] as? Int, awkward.utf8.count)
            XCTAssertEqual(data["KillAllSessions"] as? Bool, true)
            XCTAssertEqual(data["SessionIds"] as? String, "[1,2]")
            XCTAssertEqual(data["Account"] as? String, "ci")
        }
    }

    func testBlankParametersAreSignedAndCountAsAbsent() async throws {
        let world = DASWorld()
        for response in try await world.responses(
            to: world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), ("NodeId", ""), ("KillAllSessions", "")]))
        {
            XCTAssertEqual(response.status, .ok, response.text)
            XCTAssertNil(try response.data()["NodeId"])
            XCTAssertNil(try response.data()["KillAllSessions"])
        }
        for response in try await world.responses(to: world.request(DASWorld.Echo.name, [("InstanceId", "")])) {
            try assertError(
                response, .badRequest, "MissingInstanceId", "InstanceId is mandatory for this action.")
        }
    }

    func testAnActionThatKillsRefusesABlankParameterByName() async throws {
        let world = DASWorld()
        func kill(_ query: [DASRequest.Pair], _ change: (inout DASRequest) -> Void = { _ in }) -> DASRequest {
            world.request(DASWorld.Kill.name, [("InstanceId", "rm-1")] + query, change)
        }
        for request in [
            kill([("IgnoredUsers", "")]), kill([("IgnoredUsers", "['a']")]) { $0.form = [("IgnoredUsers", "")] },
            kill([]) { $0.form = [("IgnoredUsers", ""), ("SessionIds", "[1]")] },
        ] {
            for response in try await world.responses(to: request) {
                try assertError(
                    response, .badRequest, "InvalidIgnoredUsers", "Specified parameter IgnoredUsers is not valid.")
            }
        }
        for json in [#"{"IgnoredUsers":null}"#, #"{"IgnoredUsers":""}"#] {
            let response = try await world.response(to: kill([("IgnoredUsers", "['a']")]) { $0.json = json }.signedV3())
            try assertError(response, .badRequest, "InvalidIgnoredUsers")
        }
        // A name that is none is no better for being blank.
        for response in try await world.responses(to: kill([("IgnoredUser", "")])) {
            try assertError(response, .badRequest, "InvalidIgnoredUser")
        }
        XCTAssertEqual(world.calls, 0)
        for response in try await world.responses(to: kill([("SessionIds", "")])) {
            XCTAssertEqual(response.status, .ok, response.text)
        }
        for response in try await world.responses(to: world.request(DASWorld.Kill.name, [("InstanceId", "")])) {
            try assertError(response, .badRequest, "MissingInstanceId")
        }
    }

    func testTheFormWinsOverTheQuery() async throws {
        let world = DASWorld()
        let request = world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), ("NodeId", "pi-1")]) {
            $0.form = [("InstanceId", "rm-2")]
        }
        for response in try await world.responses(to: request) {
            XCTAssertEqual(try response.data()["InstanceId"] as? String, "rm-2", response.text)
            XCTAssertEqual(try response.data()["NodeId"] as? String, "pi-1")
        }
        let json = world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), ("NodeId", "pi-1")]) {
            $0.json = #"{"InstanceId":"rm-2"}"#
        }
        let response = try await world.response(to: json.signedV3())
        XCTAssertEqual(try response.data()["InstanceId"] as? String, "rm-2", response.text)
        XCTAssertEqual(try response.data()["NodeId"] as? String, "pi-1")
    }

    func testTheSpellingsOfTheSDKsAreBooleans() async throws {
        let world = DASWorld()
        for (text, value) in [
            ("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false), ("1", nil),
            ("yes", nil), ("truee", nil), ("truetrue", nil),
        ] as [(String, Bool?)] {
            let response = try await world.response(
                to: world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), ("KillAllSessions", text)]).signedV3())
            if let value {
                XCTAssertEqual(try response.data()["KillAllSessions"] as? Bool, value, text)
            } else {
                try assertError(
                    response, .badRequest, "InvalidKillAllSessions", "Specified parameter KillAllSessions is not valid."
                )
            }
        }
    }

    func testAnyContentTypeIsTakenForAnEmptyBody() async throws {
        let world = DASWorld()
        for type in ["application/octet-stream", "application/json", "application/x-www-form-urlencoded", "x", ""] {
            for response in try await world.responses(
                to: world.request { $0.unsignedHeaders = [("Content-Type", type)] })
            {
                XCTAssertEqual(response.status, .ok, "\(type): \(response.text)")
            }
        }
    }

    func testABodyThatCannotBeReadIsRefusedAndNotOverlooked() async throws {
        let world = DASWorld()
        for (type, body) in [
            ("application/octet-stream", "InstanceId=rm-1"), ("application/json", "{"), ("application/json", "[]"),
            ("application/json", #"{"InstanceId":"a","InstanceId":"b"}"#),
            ("application/x-www-form-urlencoded", "InstanceId=%4"),
            ("application/x-www-form-urlencoded", "InstanceId=a&InstanceId=b"),
        ] {
            let response = try await world.response(
                to: world.request {
                    $0.json = body
                    $0.headers["content-type"] = type
                }.signedV3())
            try assertError(response, .badRequest, "InvalidParams", "The request parameters are invalid.")
        }
        // A signature of V1 does not cover what is no form.
        let unsigned = try await world.response(to: world.request { $0.json = #"{"NodeId":"pi-1"}"# }.signedV1())
        try assertError(unsigned, .badRequest, "InvalidParams")
        XCTAssertEqual(world.calls, 0)
    }

    func testTheAuthorizationHeaderAndNotXAcsActionDecidesTheVersion() async throws {
        let world = DASWorld()
        let v1 = try world.request().signedV1()
        XCTAssertTrue(v1.headers.contains { $0.name == "x-acs-action" })
        let answerToV1 = try await world.response(to: v1)
        XCTAssertEqual(answerToV1.status, .ok, answerToV1.text)

        let v3 = try world.request().signedV3()
        for name in ["Action=", "Version=", "Format=", "AccessKeyId="] { XCTAssertFalse(v3.target.contains(name)) }
        let answerToV3 = try await world.response(to: v3)
        XCTAssertEqual(answerToV3.status, .ok, answerToV3.text)
    }

    func testAMisspelledParameterIsRefusedByName() async throws {
        let world = DASWorld()
        let request = world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), ("IgnoredUser", "['app']")])
        for response in try await world.responses(to: request) {
            try assertError(
                response, .badRequest, "InvalidIgnoredUser", "Specified parameter IgnoredUser is not valid.")
        }
        for name in ["a.b", "é", String(repeating: "a", count: 65), "a b", "<"] {
            let odd = world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), (name, "1")])
            try assertError(try await world.response(to: odd.signedV3()), .badRequest, "InvalidParams")
        }
        XCTAssertEqual(world.calls, 0)
    }

    func testAWrongValueIsRefusedWithoutBeingRepeated() async throws {
        let world = DASWorld()
        let response = try await world.response(
            to: world.request(DASWorld.Echo.name, []) {
                $0.json = #"{"InstanceId":"rm-1","DbUserPassword":["hunter2"]}"#
            }.signedV3())
        try assertError(response, .badRequest, "InvalidDbUserPassword")
        XCTAssertFalse(response.text.contains("hunter2"))
    }

    func testOnlyGETAndPOSTOfTheOnePathAreServed() async throws {
        let world = DASWorld()
        var signed = try world.request { $0.method = "PUT" }.signedV3()
        try assertError(
            try await world.response(to: signed), .forbidden, "UnsupportedHTTPMethod",
            "This http method is not supported.")
        signed = try world.request().signedV3()
        signed.target = "/other?InstanceId=rm-1"
        try assertError(
            try await world.response(to: signed), .notFound, "InvalidAction.NotFound",
            "Specified api is not found, please check your url and method.")
    }
}
