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
        var answers: [HTTPResponse] = []
        for method in ["GET", "POST"] {
            answers += try await world.answers(world.request(DASWorld.Echo.name, parameters) { $0.method = method })
            answers += try await world.answers(
                world.request(DASWorld.Echo.name, []) {
                    $0.method = method
                    $0.form = parameters
                })
        }
        answers.append(
            try await world.answer(
                world.request(DASWorld.Echo.name, []) {
                    $0.json =
                        #"{"InstanceId":"rm-1","DbUserPassword":"\#(awkward)","KillAllSessions":true,"#
                        + #""SessionIds":"[1,2]"}"#
                }.signedV3()))
        XCTAssertEqual(answers.count, 9)
        for answer in answers {
            XCTAssertEqual(answer.status, .ok, answer.text)
            let data = try answer.data()
            XCTAssertEqual(data["InstanceId"] as? String, "rm-1")
            XCTAssertEqual(data["PasswordBytes"] as? Int, awkward.utf8.count)
            XCTAssertEqual(data["KillAllSessions"] as? Bool, true)
            XCTAssertEqual(data["SessionIds"] as? String, "[1,2]")
            XCTAssertEqual(data["Account"] as? String, "ci")
        }
    }

    func testBlankParametersAreSignedAndCountAsAbsent() async throws {
        let world = DASWorld()
        for answer in try await world.answers(
            world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), ("NodeId", ""), ("KillAllSessions", "")]))
        {
            XCTAssertEqual(answer.status, .ok, answer.text)
            XCTAssertNil(try answer.data()["NodeId"])
            XCTAssertNil(try answer.data()["KillAllSessions"])
        }
        for answer in try await world.answers(world.request(DASWorld.Echo.name, [("InstanceId", "")])) {
            try assertError(
                answer, .badRequest, "MissingInstanceId", "InstanceId is mandatory for this action.")
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
            for answer in try await world.answers(request) {
                try assertError(
                    answer, .badRequest, "InvalidIgnoredUsers", "Specified parameter IgnoredUsers is not valid.")
            }
        }
        for json in [#"{"IgnoredUsers":null}"#, #"{"IgnoredUsers":""}"#] {
            let answer = try await world.answer(kill([("IgnoredUsers", "['a']")]) { $0.json = json }.signedV3())
            try assertError(answer, .badRequest, "InvalidIgnoredUsers")
        }
        // A name that is none is no better for being blank.
        for answer in try await world.answers(kill([("IgnoredUser", "")])) {
            try assertError(answer, .badRequest, "InvalidIgnoredUser")
        }
        XCTAssertEqual(world.calls, 0)
        for answer in try await world.answers(kill([("SessionIds", "")])) {
            XCTAssertEqual(answer.status, .ok, answer.text)
        }
        for answer in try await world.answers(world.request(DASWorld.Kill.name, [("InstanceId", "")])) {
            try assertError(answer, .badRequest, "MissingInstanceId")
        }
    }

    func testTheFormWinsOverTheQuery() async throws {
        let world = DASWorld()
        let request = world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), ("NodeId", "pi-1")]) {
            $0.form = [("InstanceId", "rm-2")]
        }
        for answer in try await world.answers(request) {
            XCTAssertEqual(try answer.data()["InstanceId"] as? String, "rm-2", answer.text)
            XCTAssertEqual(try answer.data()["NodeId"] as? String, "pi-1")
        }
        let json = world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), ("NodeId", "pi-1")]) {
            $0.json = #"{"InstanceId":"rm-2"}"#
        }
        let answer = try await world.answer(json.signedV3())
        XCTAssertEqual(try answer.data()["InstanceId"] as? String, "rm-2", answer.text)
        XCTAssertEqual(try answer.data()["NodeId"] as? String, "pi-1")
    }

    func testTheSpellingsOfTheSDKsAreBooleans() async throws {
        let world = DASWorld()
        for (text, value) in [
            ("true", true), ("True", true), ("TRUE", true), ("false", false), ("False", false), ("1", nil),
            ("yes", nil), ("truee", nil), ("truetrue", nil),
        ] as [(String, Bool?)] {
            let answer = try await world.answer(
                world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), ("KillAllSessions", text)]).signedV3())
            if let value {
                XCTAssertEqual(try answer.data()["KillAllSessions"] as? Bool, value, text)
            } else {
                try assertError(
                    answer, .badRequest, "InvalidKillAllSessions", "Specified parameter KillAllSessions is not valid.")
            }
        }
    }

    func testAnyContentTypeIsTakenForAnEmptyBody() async throws {
        let world = DASWorld()
        for type in ["application/octet-stream", "application/json", "application/x-www-form-urlencoded", "x", ""] {
            for answer in try await world.answers(
                world.request { $0.unsignedHeaders = [("Content-Type", type)] })
            {
                XCTAssertEqual(answer.status, .ok, "\(type): \(answer.text)")
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
            let answer = try await world.answer(
                world.request {
                    $0.json = body
                    $0.headers["content-type"] = type
                }.signedV3())
            try assertError(answer, .badRequest, "InvalidParams", "The request parameters are invalid.")
        }
        // A signature of V1 does not cover what is no form.
        let unsigned = try await world.answer(world.request { $0.json = #"{"NodeId":"pi-1"}"# }.signedV1())
        try assertError(unsigned, .badRequest, "InvalidParams")
        XCTAssertEqual(world.calls, 0)
    }

    func testTheAuthorizationHeaderAndNotXAcsActionDecidesTheVersion() async throws {
        let world = DASWorld()
        let v1 = try world.request().signedV1()
        XCTAssertTrue(v1.headers.contains { $0.name == "x-acs-action" })
        let answerToV1 = try await world.answer(v1)
        XCTAssertEqual(answerToV1.status, .ok, answerToV1.text)

        let v3 = try world.request().signedV3()
        for name in ["Action=", "Version=", "Format=", "AccessKeyId="] { XCTAssertFalse(v3.target.contains(name)) }
        let answerToV3 = try await world.answer(v3)
        XCTAssertEqual(answerToV3.status, .ok, answerToV3.text)
    }

    func testAMisspelledParameterIsRefusedByName() async throws {
        let world = DASWorld()
        let request = world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), ("IgnoredUser", "['app']")])
        for answer in try await world.answers(request) {
            try assertError(
                answer, .badRequest, "InvalidIgnoredUser", "Specified parameter IgnoredUser is not valid.")
        }
        for name in ["a.b", "é", String(repeating: "a", count: 65), "a b", "<"] {
            let odd = world.request(DASWorld.Echo.name, [("InstanceId", "rm-1"), (name, "1")])
            try assertError(try await world.answer(odd.signedV3()), .badRequest, "InvalidParams")
        }
        XCTAssertEqual(world.calls, 0)
    }

    func testAWrongValueIsRefusedWithoutBeingRepeated() async throws {
        let world = DASWorld()
        let answer = try await world.answer(
            world.request(DASWorld.Echo.name, []) {
                $0.json = #"{"InstanceId":"rm-1","DbUserPassword":["hunter2"]}"#
            }.signedV3())
        try assertError(answer, .badRequest, "InvalidDbUserPassword")
        XCTAssertFalse(answer.text.contains("hunter2"))
    }

    func testOnlyGETAndPOSTOfTheOnePathAreServed() async throws {
        let world = DASWorld()
        var signed = try world.request { $0.method = "PUT" }.signedV3()
        try assertError(
            try await world.answer(signed), .forbidden, "UnsupportedHTTPMethod", "This http method is not supported.")
        signed = try world.request().signedV3()
        signed.target = "/other?InstanceId=rm-1"
        try assertError(
            try await world.answer(signed), .notFound, "InvalidAction.NotFound",
            "Specified api is not found, please check your url and method.")
    }
}
