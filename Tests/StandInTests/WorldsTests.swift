import StandInKeys
import APIClient
import Foundation
import HTTPServer
import RequestSigning
import SQLiteStore
import ScriptedServers
import SessionKill
import Synchronization
import TestSupport
import XCTest

@testable import StandIn

/// Worlds that know nothing of each other, by requests to the listeners.
final class WorldsTests: XCTestCase {
    private static let seed = """
        {"instances":[{"id":"cdb-test","sessions":[{"id":11,"user":"app"},{"id":12,"user":"app"},{"id":13,"user":"ops"}]}]}
        """

    /// Of DescribeDiagDBInstances.
    private static let anyRequest = #"{"IsSupported":true,"Product":"mysql","Offset":0,"Limit":20}"#

    private func start(
        _ seed: String = WorldsTests.seed, loose: Set<LooseCheck> = []
    ) throws -> StandInServer {
        let free = ListenAddress(host: "127.0.0.1", port: 0)
        let server = try StandInServer(
            .init(seed: Seed(json: Array(seed.utf8)), loose: loose, listen: free, dasListen: free, version: "0"))
        try server.start()
        return server
    }

    private struct Answer: Decodable {
        var error: Failure? { Response.Error }
        let Response: Content

        struct Content: Decodable {
            var Error: Failure?
            var SqlExecId: String?
            var Threads: [Int]?
            var ProcessList: [Session]?
            var Plan: Plan?
        }
        struct Failure: Decodable { let Code: String, Message: String }
        struct Session: Decodable { let ID: String, User: String }
        struct Plan: Decodable { let State: String }
    }

    private func call(
        _ server: StandInServer, _ key: String, _ action: String, _ body: String, at timestamp: Int64? = nil,
        secret: String = StandInKey.secretKey
    ) async throws -> Answer {
        let endpoint = try XCTUnwrap(Endpoint(server.endpoint))
        let client = DBbrainClient(
            endpoint: endpoint, credentials: APICredentials(secretID: key, secretKey: Secret(secret)),
            region: "ap-guangzhou")
        let time = timestamp ?? Int64(Date().timeIntervalSince1970)
        let signed = try client.signed(action, body: Array(body.utf8), timestamp: time)
        let response = try HTTPClient(endpoint: endpoint).connect().exchange(signed.message(keepsConnection: false))
        return try JSONDecoder().decode(Answer.self, from: Data(response.body))
    }

    private func sessions(_ server: StandInServer, _ key: String) async throws -> Set<Int> {
        let answer = try await call(
            server, key, "DescribeMySqlProcessList", #"{"InstanceId":"cdb-test","Product":"mysql"}"#)
        XCTAssertNil(answer.error?.Message)
        // Once killd has connected, it is there too.
        let others = (answer.Response.ProcessList ?? []).filter { $0.User != "killd" }
        return Set(others.compactMap { Int($0.ID) })
    }

    private func kill(_ server: StandInServer, _ key: String, _ threads: [Int]) async throws -> [Int] {
        let prepared = try await call(
            server, key, "KillMySqlThreads", #"{"InstanceId":"cdb-test","Stage":"Prepare","Threads":\#(threads)}"#)
        let ticket = try XCTUnwrap(prepared.Response.SqlExecId, prepared.error?.Message ?? "")
        let committed = try await call(
            server, key, "KillMySqlThreads", #"{"InstanceId":"cdb-test","Stage":"Commit","SqlExecId":"\#(ticket)"}"#)
        return try XCTUnwrap(committed.Response.Threads, committed.error?.Message ?? "").sorted()
    }

    func testWorldsDoNotSeeEachOther() async throws {
        let server = try start()
        let killed = try await kill(server, "AKIDstandin-one", [11, 12])
        XCTAssertEqual(killed, [11, 12])
        let (one, two, own) = (
            try await sessions(server, "AKIDstandin-one"), try await sessions(server, "AKIDstandin-two"),
            try await sessions(server, "AKIDstandin")
        )
        XCTAssertEqual(one, [13])
        XCTAssertEqual(two, [11, 12, 13])
        XCTAssertEqual(own, [11, 12, 13])
        XCTAssertEqual(server.worlds.all.map(\.name.description), ["default", "one", "two"])
    }

    func testAPlanOfOneWorldIsUnknownInAnother() async throws {
        let server = try start()
        let prepared = try await call(
            server, "AKIDstandin-one", "KillMySqlThreads",
            #"{"InstanceId":"cdb-test","Stage":"Prepare","Threads":[11]}"#)
        let ticket = try XCTUnwrap(prepared.Response.SqlExecId)
        let elsewhere = try await call(
            server, "AKIDstandin-two", "KillMySqlThreads",
            #"{"InstanceId":"cdb-test","Stage":"Commit","SqlExecId":"\#(ticket)"}"#)
        XCTAssertNotNil(elsewhere.error)
        let bystanders = try await sessions(server, "AKIDstandin-two")
        XCTAssertEqual(bystanders, [11, 12, 13])
    }

    func testAKeyThatNobodyHasIsRejectedAsByKilld() async throws {
        let server = try start()
        for key in ["AKIDsomebody", "AKIDstandin.nobody", "AKIDstandin-one.nobody", "AKIDstandin-", "AKIDstandinx"] {
            let answer = try await call(server, key, "DescribeDiagDBInstances", Self.anyRequest)
            XCTAssertEqual(answer.error?.Code, "AuthFailure.SecretIdNotFound", key)
        }
        let wrong = try await call(server, "AKIDstandin", "DescribeDiagDBInstances", Self.anyRequest, secret: "another")
        XCTAssertEqual(wrong.error?.Code, "AuthFailure.SignatureFailure")
    }

    func testAWorldIsFoundByTheKeyWhereverARequestHasIt() {
        let header =
            "TC3-HMAC-SHA256 Credential=AKIDstandin-a/2026-11-30/dbbrain/tc3_request, "
            + "SignedHeaders=content-type;host, Signature=" + String(repeating: "0", count: 64)
        let acs =
            "ACS3-HMAC-SHA256 Credential=AKIDstandin-a,SignedHeaders=host;x-acs-date,Signature="
            + String(repeating: "0", count: 64)
        let requests = [
            HTTPRequest(
                method: "POST", target: "/", headers: ["Authorization": header, "Content-Type": "application/json"],
                remoteAddress: ""),
            HTTPRequest(method: "GET", target: "/?Action=A&SecretId=AKIDstandin-a&Signature=x", remoteAddress: ""),
            HTTPRequest(
                method: "POST", target: "/", headers: ["Content-Type": "application/x-www-form-urlencoded"],
                body: Array("Action=A&SecretId=AKIDstandin-a".utf8), remoteAddress: ""),
            HTTPRequest(method: "POST", target: "/", headers: ["Authorization": acs], remoteAddress: ""),
            HTTPRequest(method: "GET", target: "/?AccessKeyId=AKIDstandin-a&Signature=x", remoteAddress: ""),
            HTTPRequest(
                method: "POST", target: "/?Action=B", headers: ["Content-Type": "application/x-www-form-urlencoded"],
                body: Array("AccessKeyId=AKIDstandin-a".utf8), remoteAddress: ""),
        ]
        for request in requests { XCTAssertEqual(request.claimedWorld.description, "a", "\(request.target)") }
        let none = HTTPRequest(method: "GET", target: "/", remoteAddress: "")
        XCTAssertEqual(none.claimedWorld, .default)
    }

    func testManyFirstRequestsAtOnceMakeOneWorld() async throws {
        let made = Counter()
        let stores = try MemoryStores()
        let seed = try Seed(json: Array(Self.seed.utf8))
        let worlds = Worlds { name, beginning in
            made.increment()
            return try await World(name, from: beginning ?? .init(seed), loose: [], in: stores)
        }
        let name = try XCTUnwrap(WorldName("one"))
        let found = try await withThrowingTaskGroup(of: ObjectIdentifier.self) { group in
            for _ in 0..<50 { group.addTask { ObjectIdentifier(try await worlds.world(name)) } }
            return try await group.reduce(into: Set<ObjectIdentifier>()) { $0.insert($1) }
        }
        XCTAssertEqual(found.count, 1)
        XCTAssertEqual(made.value, 1)
    }

    func testAResetPutsANewWorldInPlaceOfTheOldOneAndNothingBetweenThem() async throws {
        let server = try start()
        let name = try XCTUnwrap(WorldName("one"))
        _ = try await kill(server, "AKIDstandin-one", [11])
        let old = try await server.worlds.world(name)
        let resets = Task {
            for _ in 0..<20 { try await server.worlds.replace(name) }
        }
        // Whoever kills 12 in one world finds it in the next.
        for _ in 0..<40 {
            let list = try await sessions(server, "AKIDstandin-one")
            XCTAssertTrue(list == [12, 13] || list == [11, 12, 13], "\(list)")
        }
        try await resets.value
        XCTAssertFalse(server.worlds.existing(name) === old)
        let list = try await sessions(server, "AKIDstandin-one")
        XCTAssertEqual(list, [11, 12, 13])
        XCTAssertEqual(server.worlds.all.count, 1)
    }

    func testNothingIsLeftOfAWorldThatWasReplaced() async throws {
        let server = try start()
        let name = try XCTUnwrap(WorldName("one"))
        _ = try await kill(server, "AKIDstandin-one", [11])
        weak let world = server.worlds.existing(name)
        weak let store = world?.store
        weak let clock = world?.clock
        XCTAssertNotNil(store)
        try await server.worlds.replace(name)
        try await eventually("the end of the world, its clock and its store") {
            world == nil && clock == nil && store == nil
        }
    }

    func testARemovedWorldIsMadeAnew() async throws {
        let server = try start()
        let name = try XCTUnwrap(WorldName("one"))
        _ = try await kill(server, "AKIDstandin-one", [11])
        let (isRemoved, isRemovedAgain) = (await server.worlds.remove(name), await server.worlds.remove(name))
        XCTAssertTrue(isRemoved)
        XCTAssertFalse(isRemovedAgain)
        XCTAssertNil(server.worlds.existing(name))
        let list = try await sessions(server, "AKIDstandin-one")
        XCTAssertEqual(list, [11, 12, 13])
    }

    func testTheNextWorldBeyondTheMostIsRefusedInWordsAndTheOthersGoOn() async throws {
        let stores = try MemoryStores()
        let seed = try Seed(json: Array(Self.seed.utf8))
        let worlds = Worlds(most: 2) { name, beginning in
            try await World(name, from: beginning ?? .init(seed), loose: [], in: stores)
        }
        let reception = Reception(worlds)
        func answer(_ key: String, at api: CloudAPI) async -> String {
            let target = api == .dbbrain ? "/?Action=A&SecretId=\(key)" : "/?Action=A&Format=JSON&AccessKeyId=\(key)"
            let request = HTTPRequest(method: "GET", target: target, remoteAddress: "127.0.0.1")
            return String(decoding: await reception.answer(request, at: api).response().body, as: UTF8.self)
        }
        for name in ["a", "b"] { _ = try await worlds.world(try XCTUnwrap(WorldName(name))) }
        let refused = await answer("AKIDstandin-c", at: .dbbrain)
        XCTAssertTrue(refused.contains(#""Code":"RequestLimitExceeded""#), refused)
        XCTAssertTrue(refused.contains("has 2 worlds already"), refused)
        let refusedByDAS = await answer("AKIDstandin-c", at: .das)
        XCTAssertTrue(refusedByDAS.contains("ServiceUnavailable"), refusedByDAS)
        XCTAssertTrue(refusedByDAS.contains("has 2 worlds already"), refusedByDAS)
        let known = await answer("AKIDstandin-b", at: .dbbrain)
        XCTAssertFalse(known.contains("worlds already"), known)
        _ = await worlds.remove(try XCTUnwrap(WorldName("a")))
        let taken = await answer("AKIDstandin-c", at: .dbbrain)
        XCTAssertFalse(taken.contains("worlds already"), taken)
    }

    func testTheClockOfAWorldLetsItsPlansExpireAndItsSignaturesAge() async throws {
        let server = try start()
        let prepared = try await call(
            server, "AKIDstandin-one", "KillMySqlThreads",
            #"{"InstanceId":"cdb-test","Stage":"Prepare","Threads":[11]}"#)
        let ticket = try XCTUnwrap(prepared.Response.SqlExecId)
        let world = try await server.worlds.world(try XCTUnwrap(WorldName("one")))
        try world.clock.advance(by: .seconds(601))
        let commit = #"{"InstanceId":"cdb-test","Stage":"Commit","SqlExecId":"\#(ticket)"}"#
        let aged = try await call(server, "AKIDstandin-one", "KillMySqlThreads", commit)
        XCTAssertEqual(aged.error?.Code, "AuthFailure.SignatureExpire")
        let late = try await call(
            server, "AKIDstandin-one", "KillMySqlThreads", commit,
            at: Int64(Date().timeIntervalSince1970) + 601)
        XCTAssertTrue(late.error?.Message.contains("expired") == true, "\(late)")
        let other = try await sessions(server, "AKIDstandin-two")
        XCTAssertEqual(other, [11, 12, 13])
    }

    func testRateLimitsBeginAnewWhenTheClockIsAdvanced() async throws {
        let server = try start()
        let world = try await server.worlds.world(.default)
        world.clock.stop()
        let time = world.clock.now.milliseconds / 1_000
        func code() async throws -> String? {
            try await call(server, "AKIDstandin", "DescribeDiagDBInstances", Self.anyRequest, at: time).error?.Code
        }
        for _ in 0..<20 {
            let code = try await code()
            XCTAssertNil(code)
        }
        let rejected = try await code()
        XCTAssertEqual(rejected, "RequestLimitExceeded")
        try world.clock.advance(by: .seconds(1))
        let admitted = try await code()
        XCTAssertNil(admitted)
    }

    func testPlansAreDeletedAfterNinetyDaysOfTheWorld() async throws {
        let server = try start()
        _ = try await kill(server, "AKIDstandin", [11])
        let world = try await server.worlds.world(.default)
        let before = try await world.store.plans(
            PlanQuery(instances: [InstanceID(rawValue: "cdb-test")], limit: 10), at: world.clock.now)
        XCTAssertEqual(before.count, 1)
        try world.clock.advance(by: .seconds(91 * 86_400))
        try await eventually("the deletion of the plan") {
            try await world.store.plans(
                PlanQuery(instances: [InstanceID(rawValue: "cdb-test")], limit: 10), at: world.clock.now
            ).isEmpty
        }
    }

    func testAWorldIsBroughtBackFromWhatItHad() async throws {
        let server = try start()
        _ = try await kill(server, "AKIDstandin-one", [11])
        let name = try XCTUnwrap(WorldName("one"))
        let world = try await server.worlds.world(name)
        var states: [String: ScriptedServerState] = [:]
        for (place, scripted) in world.servers { states[place] = await scripted.state }
        let kept = World.Beginning(world.seed, servers: states, store: try await world.store.serialized())
        _ = try await kill(server, "AKIDstandin-one", [12])
        try await server.worlds.replace(name, by: kept)
        let list = try await sessions(server, "AKIDstandin-one")
        XCTAssertEqual(list, [12, 13])
        let plans = try await server.worlds.world(name).store.plans(
            PlanQuery(instances: [InstanceID(rawValue: "cdb-test")], limit: 10), at: world.clock.now)
        XCTAssertEqual(plans.count, 1)
    }

    // MARK: Loose checks

    func testEachLooseCheckLeavesOutThatOneOnly() async throws {
        let now = Int64(Date().timeIntervalSince1970)
        let unsigned = try start(loose: [.signature])
        var answer = try await call(
            unsigned, "AKIDstandin", "DescribeDiagDBInstances", Self.anyRequest, secret: "another")
        XCTAssertNil(answer.error?.Message)
        answer = try await call(unsigned, "AKIDstandin", "DescribeDiagDBInstances", Self.anyRequest, at: now - 3_600)
        XCTAssertEqual(answer.error?.Code, "AuthFailure.SignatureExpire")
        answer = try await call(unsigned, "AKIDnobody", "DescribeDiagDBInstances", Self.anyRequest)
        XCTAssertEqual(answer.error?.Code, "AuthFailure.SecretIdNotFound")

        let ageless = try start(loose: [.signatureTime])
        for time in [now - 86_400 * 365, 1, 4_000_000_000] {
            answer = try await call(ageless, "AKIDstandin", "DescribeDiagDBInstances", Self.anyRequest, at: time)
            XCTAssertNil(answer.error?.Message)
        }
        answer = try await call(ageless, "AKIDstandin", "DescribeDiagDBInstances", Self.anyRequest, secret: "another")
        XCTAssertEqual(answer.error?.Code, "AuthFailure.SignatureFailure")

        // Times that nobody has are judged too, and refused.
        for time in [Int64.min, .max] {
            let target =
                "/?Action=DescribeDiagDBInstances&Version=2021-05-27&SecretId=AKIDstandin&Nonce=1&Timestamp=\(time)"
            let request = HTTPRequest(method: "GET", target: target + "&Signature=x", remoteAddress: "127.0.0.1")
            let response = await Reception(ageless.worlds).answer(request, at: .dbbrain).response()
            XCTAssertTrue(String(decoding: response.body, as: UTF8.self).contains("AuthFailure"), "\(time)")
        }

        let unlimited = try start(loose: [.rateLimit])
        for _ in 0..<60 {
            answer = try await call(unlimited, "AKIDstandin", "DescribeDiagDBInstances", Self.anyRequest)
            XCTAssertNil(answer.error?.Message)
        }
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func increment() { count.withLock { $0 += 1 } }
}
