import Foundation
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// The listener for clients of DAS as a part of killd.
final class DASListenerTests: XCTestCase {
    func testARequestIsNotTakenAgainAfterAReload() async throws {
        let killd = try await start()
        let request = try request(of: killd).signedV3()
        let first = try send(request, to: killd)
        XCTAssertEqual(first.status, 200, first.text)
        try await killd.reload { $0.accounts[0].secretKey = "another key" }
        let refused = try send(self.request(of: killd, secret: "key of ci").signedV3(), to: killd)
        XCTAssertEqual(refused.code, "SignatureDoesNotMatch", refused.text)
        let answered = try send(self.request(of: killd).signedV1(), to: killd)
        XCTAssertEqual(answered.status, 200, answered.text)

        try await killd.reload { $0.accounts[0].secretKey = "key of ci" }
        let repeated = try send(request, to: killd)
        XCTAssertEqual(repeated.code, "SignatureNonceUsed", repeated.text)
        try await killd.stop()
    }

    func testItsAddressCannotChangeWhileKilldRuns() async throws {
        let killd = try await start()
        var other = killd.configuration
        other.das = nil
        let log = try await killd.reloadInVain(JSONEncoder().encode(other))
        XCTAssertTrue(log.contains("das.listen: cannot change while killd runs: it is 127.0.0.1:0"), log)
        let answer = try send(request(of: killd).signedV3(), to: killd)
        XCTAssertEqual(answer.status, 200, answer.text)
        try await killd.stop()
    }

    func testLogAndMetricsTellOfItsRequestsButNothingThatTheyHold() async throws {
        let killd = try await start()
        let served = try send(request(of: killd).signedV3(), to: killd)
        XCTAssertEqual(served.status, 200, served.text)
        let wrong = request(of: killd, "CreateKillInstanceSessionTask", secret: "wrong").with {
            $0.query += [("DbUser", "app"), ("DbUserPassword", "hunter2"), ("KillAllSessions", "true")]
        }
        for signed in [try wrong.signedV1(), try wrong.signedV3()] {
            XCTAssertEqual(try send(signed, to: killd).code, "SignatureDoesNotMatch")
        }
        let unknown = try send(request(of: killd, "NoSuchAction").signedV3(), to: killd)
        XCTAssertEqual(unknown.code, "InvalidAction.NotFound", unknown.text)
        let misspelled = try send(request(of: killd).with { $0.query.append(("hunter2", "x")) }.signedV3(), to: killd)
        XCTAssertEqual(misspelled.code, "Invalidhunter2", misspelled.text)

        let metrics = try killd.metrics()
        for (labels, count) in [
            (#"action="GetMySQLAllSessionAsync",code="OK""#, 1),
            (#"action="GetMySQLAllSessionAsync",code="InvalidParameter""#, 1),
            (#"action="CreateKillInstanceSessionTask",code="SignatureDoesNotMatch""#, 2),
            (#"action="other",code="InvalidAction.NotFound""#, 1),
        ] {
            XCTAssertEqual(metrics["killd_requests_total{\(labels)}"], Double(count), labels)
        }
        XCTAssertEqual(metrics[#"killd_http_connections_total{listener="das"}"#], 5)
        let log = try await killd.wholeLog()
        XCTAssertTrue(log.contains(#""action":"GetMySQLAllSessionAsync","account":"ci""#), log)
        XCTAssertTrue(log.contains(#""code":"SignatureDoesNotMatch""#), log)
        for word in ["hunter2=", "DbUserPassword", "REDACTED", "SignatureNonce", "/?"] {
            XCTAssertFalse(log.contains(word), word)
        }
        XCTAssertFalse(log.replacingOccurrences(of: "Invalidhunter2", with: "").contains("hunter2"))
        try await killd.stop()
    }

    func testWhatTheHTTPServerRefusesIsAnErrorThatSDKsCanRead() async throws {
        let killd = try await start()
        for (message, status) in [
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
            ("GET /?\(String(repeating: "a", count: 50_000)) HTTP/1.1\r\n", 414), ("hello\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ] {
            let connection = try TestClient(port: killd.dasPort)
            connection.send(message)
            let answer = try DASResponseText(connection)
            XCTAssertEqual(answer.status, status)
            XCTAssertEqual(answer.code, "InvalidParams", answer.text)
        }
        try await killd.stop()
    }

    func testAParameterThatNamesAnotherProductsInstanceFindsNothing() async throws {
        let killd = try await start()
        // The same for one that is configured but not the account's, so that nobody learns which there are.
        try await killd.reload {
            $0.accounts[0].instances = ["cdb-other"]
        }
        for instance in ["cdb-test", "rm-unknown"] {
            let answer = try send(
                request(of: killd).with { $0.query = [("InstanceId", instance)] }.signedV3(), to: killd)
            XCTAssertEqual(answer.code, "InvalidParams", answer.text)
        }
        try await killd.stop()
    }

    func testItSpeaksHTTPSWhereTheMainListenerDoes() async throws {
        try OfficialClients.require()
        let made = try TestCertificates()
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.das = KilldConfiguration.DAS()
        configuration.tls = .init(made.server)
        try await withKilld(configuration, on: server) { scene in
            XCTAssertTrue(scene.killd.dasEndpoint.hasPrefix("https://127.0.0.1:"), scene.killd.dasEndpoint)
            let victims = try await ClientSessions.open(1, on: server, as: "app2")
            let threads = await victims.threadIDs.map(\.description)
            try await OfficialClients.runDAS(
                "das_https.py", ["--ca", made.authority.certificate, "--user", "killd", "--thread"] + threads,
                scene.killd)
            await victims.assertNoneAnswers()
        }
    }

    // MARK: Tools

    private func start() async throws -> KilldProcess {
        // Nothing listens there: these tests need no server.
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.das = KilldConfiguration.DAS()
        configuration.operations = KilldConfiguration.Operations()
        return try await KilldProcess.start(configuration)
    }

    private func request(
        of killd: KilldProcess, _ action: String = "GetMySQLAllSessionAsync", secret: String? = nil
    ) -> DASRequest {
        let account = killd.configuration.accounts[0]
        var request = DASRequest(
            action, [("InstanceId", "cdb-test")], timestamp: Int64(Date().timeIntervalSince1970))
        request.host = "127.0.0.1:\(killd.dasPort)"
        request.accessKeyID = account.secretId
        request.accessKeySecret = secret ?? account.secretKey
        return request
    }

    private func send(_ request: DASRequest.Signed, to killd: KilldProcess) throws -> DASResponseText {
        let connection = try TestClient(port: killd.dasPort)
        connection.send(request.message)
        return try DASResponseText(connection)
    }
}
