import TestSupport
import ActionDispatch
import HTTPServer
import RequestDispatch
import RequestSigning
import XCTest

/// Requests that somebody sends a second time, as they were or as another action.
final class ReplayTests: XCTestCase {
    private let world = World()

    private func signed(
        _ action: String, _ text: String = "x", unsignedPayload: Bool = false, timestamp: Int64 = World.now
    ) throws -> HTTPRequest {
        let body = #"{"Text":"\#(text)"}"#
        var headers: [String: String?] = ["X-TC-Action": action]
        if unsignedPayload { headers["X-TC-Content-SHA256"] = "UNSIGNED-PAYLOAD" }
        return try world.signed(
            headers: headers, body: unsignedPayload ? "UNSIGNED-PAYLOAD" : body, sentBody: body, timestamp: timestamp)
    }

    /// `OK`, or the code of the rejection.
    private func code(_ request: HTTPRequest, in world: World? = nil) async throws -> String {
        try await (world ?? self.world).response(to: request).error()?.code ?? "OK"
    }

    private func signature(of request: HTTPRequest) throws -> String {
        try XCTUnwrap(
            String(decoding: request.body, as: UTF8.self).components(separatedBy: "&")
                .first { $0.hasPrefix("Signature=") })
    }

    private let used = "AuthFailure.SignatureFailure"
    private let forgotten = "AuthFailure.SignatureExpire"

    func testAChangeIsMadeOnceAndItsRepetitionGetsTheSameAnswer() async throws {
        let request = try signed("ChangeText")
        let first = await world.response(to: request)
        for _ in 0..<3 {
            let again = await world.response(to: request)
            XCTAssertEqual(try again.text(), try first.text())
            XCTAssertNotEqual(try again.requestID(), try first.requestID())
        }
        XCTAssertEqual(world.changes, ["ChangeText x"])
        XCTAssertEqual(world.records.count, 4)
    }

    func testAChangeThatFailedFailsAgainAndIsNotTriedAgain() async throws {
        let request = try signed("ChangeText", "refuse")
        for _ in 0..<2 {
            let code = try await code(request)
            XCTAssertEqual(code, "ResourceNotFound")
        }
        XCTAssertEqual(world.changes, ["ChangeText refuse"])
    }

    func testOnceSomethingElseWasChangedARepetitionIsRefused() async throws {
        let request = try signed("ChangeText")
        for action in [request, try signed("UndoText", "y")] {
            let code = try await code(action)
            XCTAssertEqual(code, "OK")
        }
        // The first response would be a lie now.
        let response = await world.response(to: request)
        let error = try XCTUnwrap(try response.error())
        XCTAssertEqual(error.code, used)
        XCTAssertTrue(error.message.contains("sign it anew a second later"), error.message)
        XCTAssertEqual(world.changes, ["ChangeText x", "UndoText y"])
        let anew = try await code(signed("ChangeText", timestamp: World.now + 1))
        XCTAssertEqual(anew, "OK")
        XCTAssertEqual(world.changes.count, 3)
    }

    func testTwoAtTheSameMomentMakeOneChange() async throws {
        let (world, request) = (world, try signed("ChangeText", "wait"))
        async let first = world.response(to: request)
        async let second = world.response(to: request)
        async let third = world.response(to: request)
        try await eventually("the arrival of the first") { await world.gate.arrivals > 0 }
        await world.gate.open()
        let responses = await [first, second, third]
        XCTAssertEqual(Set(try responses.map { try $0.text() }), ["ChangeText 1"])
        XCTAssertEqual(world.changes, ["ChangeText wait"])
    }

    func testASignatureIsGoodForOneActionIfThatOrThisIsAChange() async throws {
        for (first, then) in [
            ("EchoText", "ChangeText"), ("ChangeText", "EchoText"), ("ChangeText", "UndoText"),
            ("StageText", "ChangeText"), ("ChangeText", "StageText"), ("NoSuchAction", "ChangeText"),
            ("EchoText", "StageText"), ("StageText", "EchoText"),
        ] {
            let world = World()
            let request = try signed(first)
            _ = await world.response(to: request)
            let before = (world.calls, world.changes)
            let code = try await code(world.resigned(request, as: then), in: world)
            XCTAssertEqual(code, used, "\(first), then \(then)")
            XCTAssertTrue(before == (world.calls, world.changes), "\(first), then \(then)")
        }
    }

    func testWhatChangesNothingMayBeRepeatedAlsoAsSomethingElseThatChangesNothing() async throws {
        let request = try signed("EchoText")
        for action in ["EchoText", "EchoText", "NoSuchAction", "EchoText"] {
            let code = try await code(world.resigned(request, as: action))
            XCTAssertEqual(code, action == "EchoText" ? "OK" : "InvalidAction")
        }
        let staged = try signed("StageText", "y")
        for _ in 0..<2 {
            let code = try await code(staged)
            XCTAssertEqual(code, "OK")
        }
        XCTAssertEqual(world.changes.count, 2)
    }

    func testAChangeThatWasRefusedCannotBeMadeLater() async throws {
        let world = World(limit: 1)
        for request in [try signed("ChangeText"), try signed("ChangeText", "y")] {
            _ = await world.response(to: request)
        }
        world.advance(by: .seconds(5))
        let repeated = try await code(signed("ChangeText", "y"), in: world)
        XCTAssertEqual(repeated, used)
        XCTAssertEqual(world.changes, ["ChangeText x"])

        // What has no `Text` might be another action's.
        let broken = try world.signed(headers: ["X-TC-Action": "ChangeText"], body: #"{"InstanceId":"x"}"#)
        let codes = [try await code(broken), try await code(self.world.resigned(broken, as: "EchoText"))]
        XCTAssertEqual(codes, ["UnknownParameter", used])
    }

    func testASignatureOfVersion1IsUsedUpToo() async throws {
        let request = try world.signedByParameter(["Action": "ChangeText"])
        let other = try world.signedByParameter(["Action": "ChangeText", "Nonce": "11887"])
        let responses = [
            try await world.response(to: request).text(), try await world.response(to: request).text(),
            try await world.response(to: other).text(), try await world.response(to: request).text(),
        ]
        XCTAssertEqual(responses, ["ChangeText 1", "ChangeText 1", "ChangeText 2", nil])
        // The line feed of the Ruby SDK makes no other signature of it.
        let spelled = try world.signedByParameter(["Action": "ChangeText", "Signature": "-"])
        let signature = try signature(of: other)
        let form = String(decoding: spelled.body, as: UTF8.self).replacingOccurrences(of: "11886", with: "11887")
        let repeated = HTTPRequest(
            method: "POST", target: "/", headers: spelled.headers, body: Array("\(form)&\(signature)%0A".utf8),
            remoteAddress: "10.0.0.66")
        let again = try await world.response(to: repeated).text()
        XCTAssertEqual(again, "ChangeText 2")
        XCTAssertEqual(world.changes.count, 2)
    }

    func testWhatIsAmbiguousIsRefusedAndUsedUp() async throws {
        for (name, value) in [("Text", "a&Numbers.0=1"), ("a&b", ""), ("a=b", ""), ("Signature&", "")] {
            let request = try world.signedByParameter(["Action": "ChangeText", name: value])
            let response = await world.response(to: request)
            let error = try XCTUnwrap(try response.error(), name)
            XCTAssertEqual(error.code, used)
            XCTAssertTrue(error.message.contains("`\(name)`"), error.message)
            XCTAssertTrue(error.message.hasSuffix("please use new signature method `TC3-HMAC-SHA256`."), error.message)
        }
        XCTAssertEqual(world.changes, [])

        // Whoever saw one of them on its way cannot send what else it would mean.
        let ambiguous = try world.signedByParameter(["Action": "ChangeText", "Nonce": "1&Numbers.0=1"])
        let split = try world.signedByParameter(["Action": "ChangeText", "Nonce": "1", "Numbers.0": "1"])
        XCTAssertEqual(try signature(of: ambiguous), try signature(of: split))
        for request in [ambiguous, split] {
            let code = try await code(request)
            XCTAssertEqual(code, used)
        }
        XCTAssertEqual(world.changes, [])
    }

    func testOnlyTheTwoSignatureMethodsAreTaken() async throws {
        for method in ["HmacMD5", "", "HmacSHA1&Time=1"] {
            let response = await world.response(to: try world.signedByParameter(["SignatureMethod": method]))
            let error = try XCTUnwrap(try response.error())
            XCTAssertEqual(error.code, "InvalidParameterValue")
            XCTAssertTrue(error.message.contains("`SignatureMethod`"), error.message)
        }
    }

    // MARK: Payloads that are not signed

    func testAChangeNeedsASignedPayloadUnlessTheAccountMayLeaveItUnsigned() async throws {
        let request = try signed("ChangeText", unsignedPayload: true)
        let response = await world.response(to: request)
        let error = try XCTUnwrap(try response.error())
        XCTAssertEqual(error.code, "AuthFailure.InvalidAuthorization")
        XCTAssertTrue(error.message.contains("`UNSIGNED-PAYLOAD`"), error.message)
        XCTAssertEqual(world.changes, [])
        for action in ["EchoText", "StageText"] {
            let code = try await code(signed(action, action, unsignedPayload: true, timestamp: World.now + 1))
            XCTAssertEqual(code, "OK", action)
        }

        let trusting = World(mayLeavePayloadUnsigned: true)
        let codes = [
            try await code(request, in: trusting), try await code(request, in: trusting),
            // Of the same second, so with the same signature.
            try await code(signed("ChangeText", "y", unsignedPayload: true), in: trusting),
            try await code(signed("EchoText", "y", unsignedPayload: true), in: trusting),
        ]
        XCTAssertEqual(codes, ["OK", "OK", "OK", used])
        XCTAssertEqual(trusting.changes, ["ChangeText x", "ChangeText y"])
    }

    func testAnUnsignedPayloadCannotBeExchangedLater() async throws {
        let world = World(mayLeavePayloadUnsigned: true)
        for action in ["EchoText", "StageText", "ChangeText"] {
            let first = try await code(signed(action, action, unsignedPayload: true), in: world)
            XCTAssertEqual(first, "OK")
        }
        for (seconds, expected) in [(2, "OK"), (3, used)] as [(Int64, String)] {
            world.setClock(to: World.now + seconds)
            for action in ["EchoText", "StageText", "ChangeText"] {
                let code = try await code(signed(action, "\(action) \(seconds)", unsignedPayload: true), in: world)
                XCTAssertEqual(code, expected, "\(action) after \(seconds) s")
            }
        }
        // The same payload again is a repetition like any other.
        let repeated = try await code(signed("EchoText", "EchoText", unsignedPayload: true), in: world)
        XCTAssertEqual(repeated, "OK")
    }

    // MARK: Time

    func testWhatWasSignedBeforeTheStartMayHaveBeenUsed() async throws {
        let world = World(signatures: UsedSignatures(start: World.now - 10))
        let codes = [
            try await code(signed("ChangeText", timestamp: World.now - 11), in: world),
            try await code(signed("ChangeText", timestamp: World.now - 10), in: world),
            try await code(signed("EchoText", timestamp: World.now - 12), in: world),
            try await code(signed("StageText", timestamp: World.now - 13), in: world),
            try await code(signed("StageText", unsignedPayload: true, timestamp: World.now - 14), in: world),
        ]
        XCTAssertEqual(codes, [forgotten, "OK", "OK", "OK", forgotten])
    }

    func testAClockThatIsBehindTheStoreHindersNoDecision() async throws {
        let world = World(signatures: UsedSignatures(start: World.now + 86_400, startOfDecisions: World.now - 10))
        let codes = [
            try await code(signed("KeepText", timestamp: World.now - 11), in: world),
            try await code(signed("KeepText", timestamp: World.now - 10), in: world),
            try await code(signed("ChangeText", timestamp: World.now - 9), in: world),
        ]
        XCTAssertEqual(codes, [forgotten, "OK", forgotten])
    }

    func testAClockThatIsSetBackMakesNothingGoodAgain() async throws {
        let old = try signed("ChangeText")
        let times = [(0, "OK"), (301, forgotten), (2, forgotten), (301, forgotten)] as [(Int64, String)]
        for (seconds, expected) in times {
            world.setClock(to: World.now + seconds)
            // Something else is done in between.
            _ = try await code(signed("EchoText", "y", timestamp: World.now + seconds))
            let code = try await code(old)
            XCTAssertEqual(code, expected, "at \(seconds) s")
        }
        XCTAssertEqual(world.changes, ["ChangeText x"])
        let staged = try await code(signed("StageText", timestamp: World.now))
        XCTAssertEqual(staged, forgotten)
    }

    func testAReloadForgetsNothing() async throws {
        let signatures = UsedSignatures(start: World.now)
        let (before, after) = (World(signatures: signatures), World(signatures: signatures))
        let request = try signed("EchoText")
        _ = await before.response(to: request)
        let code = try await code(before.resigned(request, as: "ChangeText"), in: after)
        XCTAssertEqual(code, used)
    }

    func testADecisionMayBeRepeatedAndIsKeptAsItWasSigned() async throws {
        for request in [try signed("KeepText"), try world.signedByParameter(["Action": "KeepText"])] {
            var texts: [String?] = []
            for _ in 0..<2 { texts.append(try await world.response(to: request).text()) }
            XCTAssertEqual(texts[0], texts[1])
            let kept = try XCTUnwrap(KeptSignature(try XCTUnwrap(texts[0])))
            XCTAssertTrue(try kept.verify(secretID: "AKIDEXAMPLE", secretKey: Secret("SKEXAMPLE"), token: nil))
            XCTAssertEqual(kept.request(World.EchoRequest.self, of: "KeepText")?.Text, "x")
        }
        XCTAssertEqual(world.changes.first, "KeepText x from 127.0.0.1")
    }

    func testTheSignatureOfAnotherActionDecidesNothingAndThatOfADecisionDoesNothingElse() async throws {
        for (action, another) in [("StageText", "KeepText"), ("EchoText", "KeepText"), ("KeepText", "StageText")] {
            let world = World()
            let request = try signed(action)
            let codes = try await [
                code(request, in: world), code(world.resigned(request, as: another), in: world),
            ]
            XCTAssertEqual(codes, ["OK", used], "\(action) as \(another)")
        }
        // Of what was signed before killd began nobody knows for which action it was taken.
        let world = World(signatures: UsedSignatures(start: World.now + 1))
        let code = try await code(signed("KeepText"), in: world)
        XCTAssertEqual(code, forgotten)
        XCTAssertEqual(world.changes, [])
    }

    func testADecisionWhosePayloadIsNotSignedIsRefusedWhateverTheAccountMay() async throws {
        let world = World(mayLeavePayloadUnsigned: true)
        let code = try await code(signed("KeepText", unsignedPayload: true), in: world)
        XCTAssertEqual(code, "AuthFailure.InvalidAuthorization")
        XCTAssertEqual(world.changes, [])
    }

    func testADecisionIsNotKeptThatCarriesMoreThanItNeeds() async throws {
        let code = try await code(signed("KeepText", String(repeating: "x", count: 20_000)))
        XCTAssertEqual(code, "RequestSizeLimitExceeded")
        XCTAssertEqual(world.changes, [])
    }

    func testWhatWasKeptProvesNoOtherActionAndNoOtherParameters() async throws {
        let signedAction = try world.signedByParameter(["Action": "KeepText"])
        let text = try await world.response(to: signedAction).text()
        let kept = try XCTUnwrap(KeptSignature(try XCTUnwrap(text)))
        XCTAssertNil(kept.request(World.EchoRequest.self, of: "StageText"))
        struct Others: Decodable { var Texts: String }
        XCTAssertNil(kept.request(Others.self, of: "KeepText"))
    }
}
