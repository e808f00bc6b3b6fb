import Foundation
import HTTPServer
import RequestDispatch
import RequestSigning
import Synchronization
import TestSupport
import XCTest

@testable import DASAPI

/// The gates that a request has to pass before its action is called.
final class DASGateTests: XCTestCase {
    func testACommonParameterThatIsMissingIsNamed() async throws {
        let world = DASWorld()
        for name in [
            "Action", "Version", "AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp",
        ] {
            for value in [nil, ""] {
                try assertError(
                    try await world.response(to: world.request { $0.common[name] = .some(value) }.signedV1()),
                    .badRequest,
                    "Missing\(name)", "\(name) is mandatory for this action.")
            }
        }
        for (header, name) in [
            ("x-acs-action", "Action"), ("x-acs-version", "Version"), ("x-acs-date", "Timestamp"),
            ("x-acs-signature-nonce", "SignatureNonce"),
        ] {
            for value in [nil, ""] {
                try assertError(
                    try await world.response(to: world.request { $0.headers[header] = .some(value) }.signedV3()),
                    .badRequest,
                    "Missing\(name)")
            }
        }
        XCTAssertEqual(world.calls, 0)
    }

    /// Unicode takes the Kelvin sign for a K.
    func testNamesAndKeysAreComparedByTheirBytes() async throws {
        let world = DASWorld()
        try assertError(
            try await world.response(to: world.request { $0.common["AccessKeyId"] = "A\u{212A}IDEXAMPLE" }.signedV1()),
            .notFound,
            "InvalidAccessKeyId.NotFound")
        let parameters = [("InstanceId", "rm-1"), ("Access\u{212A}eyId", "x")]
        try assertError(
            try await world.response(to: world.request("GetMySQLAllSessionAsync", parameters).signedV1()), .badRequest,
            "InvalidParams")
        XCTAssertEqual(world.calls, 0)
    }

    func testARequestWithoutASignatureIsRefused() async throws {
        let world = DASWorld()
        func response(_ target: String, _ headers: [DASRequest.Pair] = []) async throws -> HTTPResponse {
            try await world.response(
                to: DASRequest.Signed(method: "POST", target: target, headers: [("host", "a")] + headers, body: []))
        }
        // The Python SDK's anonymous client.
        try assertError(
            try await response("/?InstanceId=rm-1&Format=json", [("x-acs-action", "GetMySQLAllSessionAsync")]),
            .badRequest, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.")
        try assertError(
            try await response("/?InstanceId=rm-1&Format=json&AccessKeyId=AKIDEXAMPLE"), .badRequest, "MissingSignature"
        )
        // Its bearer token.
        try assertError(
            try await response(
                "/?InstanceId=rm-1&SignatureType=BEARERTOKEN&Format=json", [("x-acs-bearer-token", "tok")]),
            .badRequest, "InvalidSignatureType")
        // The Go SDK's.
        try assertError(
            try await world.response(
                to: world.request {
                    $0.common["SignatureType"] = "BEARERTOKEN"
                    $0.common["AccessKeyId"] = ""
                    $0.query.append(("BearerToken", "tok"))
                }.signedV1()), .badRequest, "InvalidSignatureType")
        for authorization in ["Bearer tok", "acs a:b", "TC3-HMAC-SHA256 Credential=a"] {
            try assertError(
                try await response("/?Format=json", [("Authorization", authorization)]), .badRequest,
                "IncompleteSignature", "The request signature does not conform to Aliyun standards.")
        }
    }

    func testAnotherSignatureMethodIsRefusedAsSuch() async throws {
        let world = DASWorld()
        var signed = try world.request().signedV3()
        signed.headers = signed.headers.map {
            $0.name == "Authorization"
                ? ($0.name, $0.value.replacingOccurrences(of: "ACS3-HMAC-SHA256", with: "ACS3-HMAC-SM3")) : $0
        }
        let message = "Specified signature method is not valid."
        try assertError(try await world.response(to: signed), .badRequest, "InvalidSignatureMethod", message)
        try assertError(
            try await world.response(to: world.request { $0.common["SignatureMethod"] = "HMAC-SHA256" }.signedV1()),
            .badRequest, "InvalidSignatureMethod", message)
        try assertError(
            try await world.response(to: world.request { $0.common["SignatureVersion"] = "2.0" }.signedV1()),
            .badRequest, "InvalidSignatureVersion")
    }

    func testAnUnknownAccessKeyIsRefusedAsSuch() async throws {
        let world = DASWorld()
        for response in try await world.responses(to: world.request { $0.accessKeyID = "AKIDSTRANGER" }) {
            try assertError(
                response, .notFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        }
    }

    func testAClockMayBeFifteenMinutesOffInEitherDirection() async throws {
        let world = DASWorld()
        for offset in [-900, 900] as [Int64] {
            for response in try await world.responses(to: world.request { $0.timestamp += offset }) {
                XCTAssertEqual(response.status, .ok, response.text)
            }
        }
        for offset in [-901, 901] as [Int64] {
            for response in try await world.responses(to: world.request { $0.timestamp += offset }) {
                try assertError(
                    response, .badRequest, "InvalidTimeStamp.Expired",
                    "Specified time stamp or date value is expired.")
            }
        }
        let message = "Specified time stamp or date value is not well formatted."
        try assertError(
            try await world.response(to: world.request { $0.common["Timestamp"] = "1767323045" }.signedV1()),
            .badRequest,
            "InvalidTimeStamp.Format", message)
        try assertError(
            try await world.response(to: world.request { $0.headers["x-acs-date"] = "2026-01-02 03:04:05" }.signedV3()),
            .badRequest, "InvalidTimeStamp.Format", message)
    }

    // MARK: The signature

    func testTheKeyHasAnAmpersandInV1AndNoneInV3() async throws {
        let world = DASWorld()
        try assertError(
            try await world.response(to: world.request { $0.accessKeySecret = "SKEXAMPLE&" }.signedV1()), .badRequest,
            "SignatureDoesNotMatch")
        try assertError(
            try await world.response(to: world.request { $0.accessKeySecret = "SKEXAMPLE&" }.signedV3()), .badRequest,
            "SignatureDoesNotMatch")
    }

    func testAWrongSignatureIsAnsweredWithTheServersStringToSign() async throws {
        let world = DASWorld()
        let v1 = world.request {
            $0.accessKeySecret = "wrong"
            $0.nonce = "n-1"
        }
        let response = try await world.response(to: v1.signedV1())
        // What the Python core SDK compares with its own.
        let expected =
            "Specified signature is not matched with our calculation. server string to sign is:"
            + "POST&%2F&AccessKeyId%3DAKIDEXAMPLE%26Action%3DGetMySQLAllSessionAsync%26Format%3DJSON"
            + "%26InstanceId%3Drm-1%26RegionId%3Dcn-shanghai%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3Dn-1"
            + "%26SignatureType%3D%26SignatureVersion%3D1.0%26Timestamp%3D2026-01-02T03%253A04%253A05Z"
            + "%26Version%3D2020-01-16"
        try assertError(response, .badRequest, "SignatureDoesNotMatch", expected)

        let ofV3 = try await world.response(to: v1.signedV3())
        let message = try XCTUnwrap(try ofV3.object()["Message"] as? String)
        XCTAssertEqual(ofV3.status, .badRequest)
        XCTAssertNotNil(
            message.wholeMatch(of: /Specified [a-z ]+\. server string to sign is:ACS3-HMAC-SHA256\n[0-9a-f]{64}/),
            message)
    }

    func testAPasswordIsNeitherEchoedNorRecorded() async throws {
        let world = DASWorld()
        let secret = "hunter2:é"
        var responses: [HTTPResponse] = []
        for name in ["DbUserPassword", "dbuserpassword"] {
            let parameters: [DASRequest.Pair] = [("InstanceId", "rm-1"), ("DbUser", "app"), (name, secret)]
            let inQuery = world.request(DASWorld.Echo.name, parameters) { $0.accessKeySecret = "wrong" }
            let inForm = inQuery.with {
                $0.form = parameters
                $0.query = []
            }
            let inJSON = inQuery.with {
                $0.json = #"{"InstanceId":"rm-1","\#(name)":"\#(secret)"}"#
                $0.query = []
            }
            let ofV1 = [
                try await world.response(to: inQuery.signedV1()), try await world.response(to: inForm.signedV1()),
            ]
            for response in ofV1 {
                XCTAssertTrue(response.text.contains("%26\(name)%3DREDACTED"), response.text)
            }
            let ofV3 = [
                try await world.response(to: inQuery.signedV3()), try await world.response(to: inForm.signedV3()),
                try await world.response(to: inJSON.signedV3()),
            ]
            for response in ofV3 {
                try assertError(
                    response, .badRequest, "SignatureDoesNotMatch",
                    "Specified signature is not matched with our calculation. "
                        + "server string to sign is:ACS3-HMAC-SHA256\nREDACTED")
            }
            responses += ofV1 + ofV3
        }
        for response in responses {
            XCTAssertFalse(response.text.contains("hunter2"), response.text)
            // One colon, behind which the text begins.
            let message = try XCTUnwrap(try response.object()["Message"] as? String)
            XCTAssertEqual(message.filter { $0 == ":" }.count, 1, message)
        }
        XCTAssertFalse("\(world.records)".contains("hunter2"))
        XCTAssertEqual(world.records.count, 10)
    }

    func testAnAccountWithATokenNeedsItAndOthersHaveNone() async throws {
        let world = DASWorld(token: "stsTok/en+=")
        for response in try await world.responses(to: world.request { $0.securityToken = "stsTok/en+=" }) {
            XCTAssertEqual(response.status, .ok, response.text)
        }
        for response in try await world.responses(to: world.request()) {
            try assertError(response, .badRequest, "MissingSecurityToken")
        }
        for response in try await world.responses(to: world.request { $0.securityToken = "other" }) {
            try assertError(response, .badRequest, "InvalidSecurityToken.MismatchWithAccessKey")
        }
        let reader = world.request {
            $0.accessKeyID = "AKIDREADER"
            $0.accessKeySecret = "SKREADER"
            $0.securityToken = "stsTok/en+="
        }
        for response in try await world.responses(to: reader) {
            try assertError(response, .badRequest, "InvalidSecurityToken.MismatchWithAccessKey")
        }
    }

    // MARK: Action, version, rights

    func testActionsAndVersionsAreKnownByTheirExactNames() async throws {
        let world = DASWorld()
        for name in ["GetMySqlAllSessionAsync", "GetAsyncResult", String(repeating: "é", count: 20_000)] {
            let request = world.request(name) { $0.common["Format"] = "json" }
            try assertError(
                try await world.response(to: request.signedV1()), .notFound, "InvalidAction.NotFound",
                "Specified api is not found, please check your url and method.")
        }
        for response in try await world.responses(to: world.request { $0.version = "2020-01-17" }) {
            try assertError(response, .badRequest, "InvalidVersion", "Specified parameter Version is not valid.")
        }
    }

    func testAnAccountNeedsAllRightsOfAnAction() async throws {
        let world = DASWorld()
        func asReader(_ action: String) -> DASRequest {
            world.request(action, []) {
                $0.accessKeyID = "AKIDREADER"
                $0.accessKeySecret = "SKREADER"
            }
        }
        // Before the parameters, of which one is missing here.
        for response in try await world.responses(to: asReader(DASWorld.Kill.name)) {
            try assertError(response, .forbidden, "NoPermission", "You are not authorized to do this action.")
        }
        for response in try await world.responses(to: asReader(DASWorld.Echo.name)) {
            try assertError(response, .badRequest, "MissingInstanceId")
        }
    }

    // MARK: Nonces and rates

    func testANonceIsTakenOnceForHalfAnHour() async throws {
        let world = DASWorld()
        let request = world.request { $0.nonce = "n" }
        let first = try await world.response(to: request.signedV1())
        XCTAssertEqual(first.status, .ok, first.text)
        let message = "Specified signature nonce was used already."
        // Whatever the version of the signature and the time, as long as the request may be current.
        for seconds in [0, 900, 900] as [Int64] {
            world.advance(by: seconds)
            for signed in [
                try world.request { $0.nonce = "n" }.signedV1(), try world.request { $0.nonce = "n" }.signedV3(),
            ] {
                try assertError(try await world.response(to: signed), .badRequest, "SignatureNonceUsed", message)
            }
        }
        XCTAssertEqual(world.calls, 1)
        // Of another access key it is another.
        let reader = world.request {
            $0.nonce = "n"
            $0.accessKeyID = "AKIDREADER"
            $0.accessKeySecret = "SKREADER"
        }
        let response = try await world.response(to: reader.signedV1())
        XCTAssertEqual(response.status, .ok, response.text)
    }

    func testANonceIsRecordedOnlyOnceTheSignatureVerified() async throws {
        let world = DASWorld()
        for wrong in [
            world.request {
                $0.nonce = "n"
                $0.accessKeySecret = "wrong"
            },
            world.request {
                $0.nonce = "n"
                $0.timestamp -= 901
            },
        ] {
            for response in [
                try await world.response(to: wrong.signedV1()), try await world.response(to: wrong.signedV3()),
            ] {
                XCTAssertEqual(response.status, .badRequest)
            }
        }
        let response = try await world.response(to: world.request { $0.nonce = "n" }.signedV1())
        XCTAssertEqual(response.status, .ok, response.text)
    }

    func testAKillThatWasSignedBeforeKilldStartedIsRefused() async throws {
        let world = DASWorld()
        for (action, offset, code) in [
            (DASWorld.Kill.name, -101, "InvalidTimeStamp.Expired"), (DASWorld.Kill.name, -100, nil),
            (DASWorld.Echo.name, -101, nil),
        ] as [(String, Int64, String?)] {
            for response in try await world.responses(to: world.request(action) { $0.timestamp += offset }) {
                XCTAssertEqual(
                    response.status == .ok ? nil : try response.object()["Code"] as? String, code, response.text)
            }
        }
    }

    func testAClockThatIsSetBackMakesNoForgottenKillGoodAgain() async throws {
        let world = DASWorld()
        let kill = try world.request(DASWorld.Kill.name).signedV3()
        let first = try await world.response(to: kill)
        XCTAssertEqual(first.status, .ok, first.text)
        // Long enough for its nonce to be dropped.
        world.advance(by: 2_101)
        _ = try await world.response(to: world.request().signedV3())
        world.setClock(back: 2_000)
        for signed in [kill, try world.request(DASWorld.Kill.name) { $0.timestamp -= 101 }.signedV1()] {
            try assertError(try await world.response(to: signed), .badRequest, "InvalidTimeStamp.Expired")
        }
        let listing = try await world.response(to: world.request().signedV3())
        XCTAssertEqual(listing.status, .ok, listing.text)
        let later = try await world.response(to: world.request(DASWorld.Kill.name).signedV3())
        XCTAssertEqual(later.status, .ok, later.text)
        XCTAssertEqual(world.calls, 4)
    }

    func testCallsBeyondTheRateAreRefusedWithADelayInMilliseconds() async throws {
        let world = DASWorld()
        for call in 1...21 {
            let response = try await world.response(to: world.request { $0.nonce = "\(call)" }.signedV3())
            guard call == 21 else {
                XCTAssertEqual(response.status, .ok, response.text)
                continue
            }
            try assertError(
                response, .badRequest, "Throttling.User", "Request was denied due to user flow control.")
            XCTAssertEqual(response.headers["x-acs-retry-after"], "1000")
        }
        // Each action and account has a limit of its own.
        let other = try await world.response(to: world.request(DASWorld.Kill.name).signedV3())
        XCTAssertEqual(other.status, .ok, other.text)
        world.advance(by: 1)
        let later = try await world.response(to: world.request().signedV3())
        XCTAssertEqual(later.status, .ok, later.text)
        XCTAssertEqual(
            world.records.count { if case .throttled = $0.rejection { $0.account == "ci" } else { false } }, 1)
    }

    func testAFloodOfPollingUsesUpNoRoomForNonces() async throws {
        let world = DASWorld()
        for _ in 0..<1_000 { _ = try await world.response(to: world.request().signedV3()) }
        XCTAssertEqual(world.calls, 20)
        XCTAssertEqual(world.nonces.store.withLock { $0.count(of: "AKIDEXAMPLE") }, 20)
    }

    func testAKillThatTheRateRefusedCannotBeRepeatedLater() async throws {
        let world = DASWorld(limit: 1)
        for (action, repeated) in [(DASWorld.Echo.name, "OK"), (DASWorld.Kill.name, "SignatureNonceUsed")] {
            _ = try await world.response(to: world.request(action).signedV3())
            let rejected = try world.request(action).signedV3()
            try assertError(try await world.response(to: rejected), .badRequest, "Throttling.User")
            world.advance(by: 2)
            let response = try await world.response(to: rejected)
            let code = response.status == .ok ? "OK" : try response.object()["Code"] as? String
            XCTAssertEqual(code, repeated, action)
        }
    }

    func testRequestsAreRefusedRatherThanNoncesForgotten() async throws {
        let world = DASWorld(nonces: 3, limit: 1_000)
        let first = try world.request().signedV3()
        for signed in [first, try world.request().signedV3(), try world.request().signedV3()] {
            let response = try await world.response(to: signed)
            XCTAssertEqual(response.status, .ok, response.text)
        }
        let full = try await world.response(to: world.request().signedV3())
        try assertError(full, .badRequest, "Throttling.User")
        let delay = try XCTUnwrap(full.headers["x-acs-retry-after"].flatMap { Int64($0) }) / 1_000
        XCTAssertTrue((1_800...2_100).contains(delay), "\(delay)")
        try assertError(try await world.response(to: first), .badRequest, "SignatureNonceUsed")
        let reader = world.request {
            $0.accessKeyID = "AKIDREADER"
            $0.accessKeySecret = "SKREADER"
        }
        let other = try await world.response(to: reader.signedV3())
        XCTAssertEqual(other.status, .ok, other.text)
        world.advance(by: delay)
        let later = try await world.response(to: world.request().signedV3())
        XCTAssertEqual(later.status, .ok, later.text)
    }
}
