import Foundation
import PrivateDatabase
import RequestSigning
import TestSupport
import XCTest

/// Whoever has mixed up the two ports must learn of it: a kill that did not happen must not look like one that did.
final class WrongListenerTests: XCTestCase {
    func testEverySDKRaisesAnErrorAtTheOtherVendorsPort() async throws {
        try OfficialClients.require()
        let killd = try await start()
        try await OfficialClients.runForBoth("wrong_listener.py", killd)
        try await killd.stop()
    }

    func testSDKsWithASlashBehindTheirEndpointAreServed() async throws {
        try OfficialClients.require()
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.das = KilldConfiguration.DAS()
        try await withKilld(configuration, on: server) { scene in
            try await OfficialClients.runForBoth("endpoint_forms.py", scene.killd)
        }
    }

    /// Among them those that do not run here: Go, Java, Node.js, PHP, .NET, C++, Ruby.
    func testEveryRecordedRequestIsAnErrorAtTheOtherVendorsPort() async throws {
        let killd = try await start()
        let account = killd.configuration.accounts[0]
        let now = Date()
        for request in try ClientRequest.all() {
            let bytes = try request.bytes(
                [
                    "Host": "127.0.0.1:\(killd.dasPort)", "HostWithoutPort": "127.0.0.1", "Port": "\(killd.dasPort)",
                    "Timestamp": "\(Int64(now.timeIntervalSince1970))",
                    "Date": XCTUnwrap(TC3CredentialScope.date(of: Int64(now.timeIntervalSince1970))),
                    "SecretId": account.secretId, "TraceId": UUID().uuidString, "InstanceId": "cdb-test",
                    "ThreadId": "1", "OtherThreadId": "2",
                ], secretKey: account.secretKey)
            let connection = try TestClient(port: killd.dasPort)
            connection.send(bytes)
            let answer = try XCTUnwrap(connection.receive(until: "}}"), request.name)
            XCTAssertTrue(answer.hasPrefix("HTTP/1.1 200 "), "\(request.name): \(answer)")
            XCTAssertTrue(answer.contains("\r\nContent-Type: application/json\r\n"), "\(request.name): \(answer)")
            XCTAssertTrue(
                answer.contains(#"{"Response":{"Error":{"Code":"NoSuchProduct""#), "\(request.name): \(answer)")
        }
        for request in try ClientRequest.all(in: "das-requests") {
            let time = now.formatted(.iso8601)
            let bytes = try request.bytes(
                [
                    "Host": "127.0.0.1:\(killd.port)", "Date": time,
                    "Timestamp": time.replacingOccurrences(of: ":", with: "%3A"), "Nonce": UUID().uuidString,
                    "AccessKeyId": account.secretId, "InstanceId": "cdb-test", "ThreadId": "1",
                ], secretKey: account.secretKey)
            let connection = try TestClient(port: killd.port)
            connection.send(bytes)
            let answer = try DASResponseText(connection)
            XCTAssertEqual(answer.status, 404, "\(request.name): \(answer.text)")
            XCTAssertEqual(answer.code, "InvalidProduct.NotFound", "\(request.name): \(answer.text)")
        }
        let log = try await killd.wholeLog()
        XCTAssertFalse(log.contains(#""code":"OK""#), log)
        try await killd.stop()
    }

    /// What Tencent's API refuses for its size has status 200 as well.
    func testARequestForDASThatIsTooLongIsAnErrorToItsSDKToo() async throws {
        let killd = try await start()
        let ids = "%5B" + (0..<10_000).map { "\($0 + 1_000_000)" }.joined(separator: "%2C") + "%5D"
        let kill = "CreateKillInstanceSessionTask"
        for head in [
            "POST /?DbUser=u&DbUserPassword=p&InstanceId=cdb-test&KillAllSessions=False&SessionIds=\(ids) HTTP/1.1",
            "GET /?InstanceId=cdb-test&DbUser=u&DbUserPassword=p&SessionIds=\(ids)&Action=\(kill) HTTP/1.1",
            "POST / HTTP/1.1\r\nx-acs-action: \(kill)\r\nContent-Length: 11000000",
        ] {
            let connection = try TestClient(port: killd.port)
            connection.send(head + "\r\nHost: 127.0.0.1:\(killd.port)\r\n\r\n")
            let answer = try DASResponseText(connection)
            XCTAssertTrue([413, 414].contains(answer.status), answer.text)
            XCTAssertEqual(answer.code, "InvalidParams", answer.text)
        }
        let connection = try TestClient(port: killd.port)
        connection.send("GET /?Threads.0=\(ids) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        let answer = try XCTUnwrap(connection.receive())
        XCTAssertTrue(answer.hasPrefix("HTTP/1.1 200 "), answer)
        XCTAssertTrue(answer.contains("RequestSizeLimitExceeded"), answer)
        try await killd.stop()
    }

    private func start() async throws -> KilldProcess {
        // Nothing listens there: nobody comes as far as a server.
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.das = KilldConfiguration.DAS()
        return try await KilldProcess.start(configuration)
    }
}
