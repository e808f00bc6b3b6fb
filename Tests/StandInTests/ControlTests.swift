import StandInKeys
import APIClient
import Foundation
import HTTPServer
import RequestSigning
import ScriptedServers
import XCTest

@testable import StandIn

/// The control listener, as tests use it.
final class ControlTests: XCTestCase {
    private static let seed = """
        {"instances":[{"id":"cdb-test","sessions":[{"id":11,"user":"app"},{"id":12,"user":"app"},{"id":13,"user":"ops"}]}]}
        """

    private func start() throws -> StandInServer {
        let free = ListenAddress(host: "127.0.0.1", port: 0)
        let server = try StandInServer(
            .init(seed: Seed(json: Array(Self.seed.utf8)), listen: free, dasListen: free, version: "0.0"))
        try server.start()
        return server
    }

    /// Asks the control listener.
    ///
    /// - Returns: the status, and the answer as compact JSON with sorted keys.
    private func control(
        _ server: StandInServer, _ method: String, _ target: String, _ body: String = ""
    ) throws -> (status: Int, text: String) {
        try exchange(
            server.controlEndpoint,
            "\(method) \(target) HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                + body)
    }

    private func exchange(_ endpoint: String, _ message: String) throws -> (status: Int, text: String) {
        let response = try HTTPClient(endpoint: try XCTUnwrap(Endpoint(endpoint))).connect()
            .exchange(Array(message.utf8))
        let text = String(decoding: response.body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return (response.status, text)
    }

    private func object(_ text: String) throws -> [String: Any] {
        try XCTUnwrap(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private struct Answer: Decodable {
        var Response: Content
        struct Content: Decodable {
            var Error: Failure?
            var SqlExecId: String?
            var Threads: [Int]?
        }
        struct Failure: Decodable { let Code: String, Message: String }
    }

    private func call(
        _ server: StandInServer, _ action: String, _ body: String, key: String = "AKIDstandin",
        at time: Int64 = Int64(Date().timeIntervalSince1970)
    ) throws -> Answer.Content {
        let endpoint = try XCTUnwrap(Endpoint(server.endpoint))
        let client = DBbrainClient(
            endpoint: endpoint,
            credentials: APICredentials(secretID: key, secretKey: Secret(StandInKey.secretKey)),
            region: "ap-guangzhou")
        let signed = try client.signed(action, body: Array(body.utf8), timestamp: time)
        let response = try HTTPClient(endpoint: endpoint).connect().exchange(signed.message(keepsConnection: false))
        return try JSONDecoder().decode(Answer.self, from: Data(response.body)).Response
    }

    private func prepare(_ server: StandInServer, _ threads: [Int], key: String = "AKIDstandin") throws -> String {
        let answer = try call(
            server, "KillMySqlThreads", #"{"InstanceId":"cdb-test","Stage":"Prepare","Threads":\#(threads)}"#, key: key)
        return try XCTUnwrap(answer.SqlExecId, answer.Error?.Message ?? "")
    }

    private func commit(
        _ server: StandInServer, _ ticket: String, key: String = "AKIDstandin",
        at time: Int64 = Int64(Date().timeIntervalSince1970)
    ) throws -> Answer.Content {
        try call(
            server, "KillMySqlThreads", #"{"InstanceId":"cdb-test","Stage":"Commit","SqlExecId":"\#(ticket)"}"#,
            key: key, at: time)
    }

    private func sessions(_ server: StandInServer, world: String = "default") throws -> [Int] {
        let answer = try object(try control(server, "GET", "/sessions?World=\(world)&Instance=cdb-test").text)
        let instances = try XCTUnwrap(answer["Instances"] as? [[String: Any]])
        let sessions = try XCTUnwrap(instances.first?["Sessions"] as? [[String: Any]])
        // Besides there is the stand-in's own connection.
        return sessions.compactMap { $0["ID"] as? Int }.filter { [11, 12, 13, 99].contains($0) }
    }

    // MARK: Worlds

    func testHealthOutlivesAReset() throws {
        let server = try start()
        for _ in 0..<2 {
            let health = try control(server, "GET", "/health")
            XCTAssertEqual(health.status, 200)
            XCTAssertEqual(try object(health.text)["Status"] as? String, "ready")
            XCTAssertEqual(try control(server, "POST", "/reset").status, 200)
        }
    }

    func testAResetBringsTheSessionsBackAndForgetsThePlans() throws {
        let server = try start()
        let ticket = try prepare(server, [11])
        let other = try prepare(server, [12])
        XCTAssertEqual(try commit(server, ticket).Threads, [11])
        XCTAssertEqual(try sessions(server), [12, 13])
        XCTAssertEqual(try control(server, "POST", "/reset").text, #"{"World":"default"}"#)
        XCTAssertEqual(try sessions(server), [11, 12, 13])
        XCTAssertEqual(try commit(server, other).Error?.Code, "ResourceNotFound")
    }

    func testASeedReplacesOneWorldAndItsResetsBeginWithIt() throws {
        let server = try start()
        let seed = #"{"World":"a","Seed":{"instances":[{"id":"cdb-test","sessions":[{"id":99,"user":"x"}]}]}}"#
        XCTAssertEqual(try control(server, "POST", "/seed", seed).text, #"{"World":"a"}"#)
        XCTAssertEqual(try sessions(server, world: "a"), [99])
        XCTAssertEqual(try control(server, "POST", "/reset", #"{"World":"a"}"#).status, 200)
        XCTAssertEqual(try sessions(server, world: "a"), [99])
        XCTAssertEqual(try sessions(server), [11, 12, 13])
        XCTAssertEqual(try control(server, "DELETE", "/worlds?World=a").text, #"{"Removed":1}"#)
        XCTAssertEqual(try sessions(server, world: "a"), [11, 12, 13])
        XCTAssertEqual(try control(server, "DELETE", "/worlds").text, #"{"Removed":2}"#)
        XCTAssertEqual(try control(server, "GET", "/worlds").text, #"{"Worlds":[]}"#)
    }

    func testASnapshotBringsBackSessionsPlansAndTheClock() throws {
        let server = try start()
        let committed = try prepare(server, [11])
        XCTAssertEqual(try commit(server, committed).Threads, [11])
        let open = try prepare(server, [12])
        let clock = #"{"Set":"2030-01-01T00:00:00Z","Stopped":true}"#
        XCTAssertEqual(try control(server, "POST", "/clock", clock).status, 200)
        let taken = try object(try control(server, "GET", "/snapshot").text)
        let snapshot = try XCTUnwrap(taken["Snapshot"] as? String)
        XCTAssertEqual(try control(server, "POST", "/reset").status, 200)

        let restored = try control(server, "POST", "/restore", #"{"Snapshot":"\#(snapshot)"}"#)
        XCTAssertEqual(restored.text, #"{"World":"default"}"#)
        XCTAssertEqual(try sessions(server), [12, 13])
        let now = try object(try control(server, "GET", "/clock").text)
        XCTAssertEqual(now["Now"] as? String, "2030-01-01T00:00:00.000Z")
        XCTAssertEqual(now["Stopped"] as? Bool, true)
        // The open plan has expired since 2026, and the committed one answers as it did.
        let time: Int64 = 1_893_456_000
        XCTAssertNotNil(try commit(server, open, at: time).Error)
        XCTAssertEqual(try commit(server, committed, at: time).Threads, [11])

        // Another stand-in reads it too.
        let another = try start()
        let text = try control(another, "POST", "/restore", #"{"World":"b","Snapshot":"\#(snapshot)"}"#).text
        XCTAssertEqual(text, #"{"World":"b"}"#)
        XCTAssertEqual(try sessions(another, world: "b"), [12, 13])
        XCTAssertEqual(try sessions(another), [11, 12, 13])
    }

    // MARK: Time, faults, requests

    func testTheClockMakesAPlanExpireWithoutWaiting() throws {
        let server = try start()
        let ticket = try prepare(server, [11])
        let clock = try object(try control(server, "POST", "/clock", #"{"AdvanceSeconds":601}"#).text)
        XCTAssertEqual(clock["Stopped"] as? Bool, false)
        XCTAssertEqual(try commit(server, ticket).Error?.Code, "AuthFailure.SignatureExpire")
        let later = try commit(server, ticket, at: Int64(Date().timeIntervalSince1970) + 601)
        XCTAssertEqual(later.Error?.Code, "OperationDenied")
        XCTAssertEqual(try sessions(server), [11, 12, 13])
    }

    func testAnAnswerIsLostAfterTheEffectAndTheRepetitionIsToldOfIt() throws {
        let server = try start()
        let ticket = try prepare(server, [11])
        let armed = try control(server, "POST", "/faults", #"{"Action":"KillMySqlThreads","Cut":"after"}"#)
        XCTAssertEqual(
            armed.text,
            #"{"API":"dbbrain","Action":"KillMySqlThreads","Calls":1,"Cut":"after","Hits":0,"Number":1}"#)
        XCTAssertThrowsError(try commit(server, ticket))
        XCTAssertEqual(try sessions(server), [12, 13])
        XCTAssertEqual(try commit(server, ticket).Threads, [11])
        let list = try control(server, "GET", "/faults").text
        XCTAssertTrue(list.contains(#""Hits":1"#), list)
        XCTAssertEqual(try control(server, "DELETE", "/faults").text, #"{"Disarmed":1}"#)
    }

    func testAnAnswerIsLostBeforeTheEffect() throws {
        let server = try start()
        let ticket = try prepare(server, [11])
        _ = try control(server, "POST", "/faults", #"{"Action":"KillMySqlThreads","Cut":"before"}"#)
        XCTAssertThrowsError(try commit(server, ticket))
        XCTAssertEqual(try sessions(server), [11, 12, 13])
        XCTAssertEqual(try commit(server, ticket).Threads, [11])
    }

    func testACodeIsAnsweredInTheWordsOfTheAPIToTheFirstCallsOfOneWorld() throws {
        let server = try start()
        let fault = #"{"World":"a","Action":"KillMySqlThreads","Code":"ResourceInUse","Calls":2}"#
        XCTAssertEqual(try control(server, "POST", "/faults", fault).status, 200)
        _ = try prepare(server, [11])
        for _ in 0..<2 {
            let answer = try call(
                server, "KillMySqlThreads", #"{"InstanceId":"cdb-test","Stage":"Prepare","Threads":[11]}"#,
                key: "AKIDstandin-a")
            XCTAssertEqual(answer.Error?.Code, "ResourceInUse")
        }
        _ = try prepare(server, [11], key: "AKIDstandin-a")
    }

    func testTellsWhatAClientAskedWithoutItsSecrets() throws {
        let server = try start()
        _ = try prepare(server, [11])
        _ = try call(
            server, "VerifyUserAccount", #"{"InstanceId":"cdb-test","User":"app","Password":"hunter2"}"#)
        _ = try call(server, "KillMySqlThreads", #"{"InstanceId":"cdb-test","Stage":"Prepare","Threads":[0]}"#)
        let all = try control(server, "GET", "/requests").text
        XCTAssertEqual(try object(all)["Count"] as? Int, 3)
        XCTAssertFalse(all.contains("hunter2"), all)
        XCTAssertFalse(all.contains("TC3-HMAC"), all)
        let kills = try object(try control(server, "GET", "/requests?Action=KillMySqlThreads&Limit=1").text)
        XCTAssertEqual(kills["Count"] as? Int, 2)
        let first = try XCTUnwrap((kills["Requests"] as? [[String: Any]])?.first)
        let parameters = try XCTUnwrap(first["Parameters"] as? [String: Any])
        XCTAssertEqual(parameters["Threads"] as? [Int], [11])
        XCTAssertEqual(first["Account"] as? String, "standin")
        XCTAssertEqual(first["Status"] as? Int, 200)
        let rejected = try object(try control(server, "GET", "/requests?Code=InvalidParameterValue").text)
        XCTAssertEqual(rejected["Count"] as? Int, 1)
    }

    // MARK: Bad input

    func testWhatMakesNoSenseIsRefusedInWordsThatNameThePlace() throws {
        let server = try start()
        let cases: [(method: String, target: String, body: String, status: Int, words: String)] = [
            ("GET", "/resets", "", 404, "/resets: there is no such page; there are /clock"),
            ("GET", "/reset", "", 405, "/reset: expected POST, found GET"),
            ("POST", "/reset", "{", 400, "the body is not JSON at byte 1"),
            ("POST", "/reset", "[]", 400, "no object"),
            ("POST", "/reset", #"{"Wrold":"a"}"#, 400, "Wrold: this page does not know it"),
            ("POST", "/reset", #"{"World":1}"#, 400, "World: it is of another type"),
            ("POST", "/reset", #"{"World":"a b"}"#, 400, "World: expected 1 to 64 of"),
            ("GET", "/clock?World=a%20b", "", 400, "World: expected"),
            ("GET", "/clock?Wrold=a", "", 400, "Wrold: this page does not know it"),
            ("POST", "/seed", #"{"World":"a"}"#, 400, "Seed: it is missing"),
            (
                "POST", "/seed",
                #"{"Seed":{"instances":[{"id":"c","sessions":[{"id":1,"user":"a","behaviour":"flies"}]}]}}"#, 400,
                "instances[0].sessions[0].behaviour"
            ),
            (
                "POST", "/seed",
                #"{"Seed":{"instances":[{"id":"c","sessions":[{"id":1,"user":"a"},{"id":1,"user":"b"}]}]}}"#, 400,
                "instances[0].sessions[1].id"
            ),
            ("POST", "/restore", #"{"Snapshot":"x"}"#, 400, "Snapshot: expected the text that GET /snapshot answered"),
            (
                "POST", "/restore", #"{"Snapshot":"killd-standin-snapshot:2:e30="}"#, 400,
                "Snapshot: it is of version 2, this stand-in reads version 1"
            ),
            ("POST", "/restore", #"{"Snapshot":"killd-standin-snapshot:1:e30="}"#, 400, "Snapshot: it is damaged"),
            ("POST", "/clock", "{}", 400, "expected one of Set, AdvanceSeconds and Stopped, found none"),
            ("POST", "/clock", #"{"Set":"tomorrow"}"#, 400, "Set: expected a time such as"),
            ("POST", "/clock", #"{"Set":"0001-01-01T00:00:00Z"}"#, 400, "Set: a world's clock shows times from 2001"),
            ("POST", "/clock", #"{"Set":"9999-12-31T23:59:59Z"}"#, 400, "Set: a world's clock shows times from 2001"),
            ("POST", "/clock", #"{"AdvanceSeconds":-1}"#, 400, "AdvanceSeconds: time can only be advanced"),
            (
                "POST", "/clock", #"{"AdvanceSeconds":9223372036854775807}"#, 400,
                "AdvanceSeconds: time can be advanced by at most"
            ),
            ("POST", "/faults", #"{"Code":"InternalError"}"#, 400, "Action: it is missing"),
            (
                "POST", "/faults", #"{"Action":"KillSessions","Code":"InternalError"}"#, 400,
                #"Action: neither API has an action "KillSessions""#
            ),
            (
                "POST", "/faults", #"{"Action":"KillMySqlThreads","Code":"Oops"}"#, 400,
                #"Code: dbbrain has no code "Oops""#
            ),
            ("GET", "/requests?Limit=0", "", 400, "Limit: expected a whole number from 1 to 1000, found 0"),
            ("GET", "/sessions?Instance=cdb-none", "", 404, "Instance: there is no cdb-none; there are cdb-test"),
        ]
        for (method, target, body, status, words) in cases {
            let answer = try control(server, method, target, body)
            XCTAssertEqual(answer.status, status, "\(method) \(target) \(body): \(answer.text)")
            let error = try object(answer.text)["Error"] as? [String: String]
            let message = try XCTUnwrap(error?["Message"], answer.text)
            XCTAssertTrue(message.contains(words), "\(method) \(target) \(body): \(message)")
        }
        XCTAssertEqual(try sessions(server), [11, 12, 13])
    }

    func testWhoeverComesToTheWrongListenerIsToldOfTheRightOne() throws {
        let server = try start()
        let control = try exchange(
            server.controlEndpoint,
            "POST / HTTP/1.1\r\nHost: h\r\nX-TC-Action: KillMySqlThreads\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
        )
        XCTAssertEqual(control.status, 400)
        XCTAssertTrue(control.text.contains("control listener"), control.text)
        XCTAssertTrue(control.text.contains(server.endpoint), control.text)
        for endpoint in [server.endpoint, server.dasEndpoint] {
            let reset = try exchange(
                endpoint, "POST /reset HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            XCTAssertEqual(reset.status, 404)
            XCTAssertTrue(reset.text.contains("/reset: it is a page of the control listener, at http"), reset.text)
            XCTAssertTrue(reset.text.contains(server.controlEndpoint), reset.text)
        }
    }
}
