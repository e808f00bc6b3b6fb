import Foundation
import PrivateDatabase
import RequestSigning
import TestSupport
import XCTest

/// Behind a proxy that puts another `Host` in the place of the one that clients signed.
final class RewrittenHostTests: XCTestCase {
    func testNamesOfTheConfigurationAreTakenAtBothListenersAndTheLogTellsOfOthers() async throws {
        // Nothing listens there: what is asked for is not found out, only who asks.
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.das = KilldConfiguration.DAS()
        configuration.signedHosts = ["killd.example"]
        let killd = try await KilldProcess.start(configuration)
        for (signedHost, isTaken) in [
            ("killd.example", true), ("killd.example:9000", true), ("killd.example:443", true),
            ("other.example", false),
        ] {
            let code = try dbbrain(killd, signedHost: signedHost)
            XCTAssertEqual(code, isTaken ? "FailedOperation" : "AuthFailure.SignatureFailure", signedHost)
            let status = try das(killd, signedHost: signedHost)
            XCTAssertEqual(status, isTaken ? 200 : 400, signedHost)
        }
        XCTAssertEqual(
            try dbbrain(killd, signedHost: "killd.example", secretKey: "wrong"), "AuthFailure.SignatureFailure")
        let refused = try await killd.wholeLog().split(separator: "\n").filter { $0.contains("mismatched") }
        XCTAssertEqual(refused.count, 3)
        for line in refused {
            XCTAssertTrue(
                line.contains(#""reason":"mismatched","host":"backend:9000","keyId":"AKIDci""#), String(line))
            XCTAssertFalse(line.contains("key of ci") || line.contains("wrong"), String(line))
        }
        try await killd.stop()
    }

    func testThePortThatATrustedProxyTellsMayHaveBeenSigned() async throws {
        for (trusted, isTaken) in [(["127.0.0.1"], true), (["10.0.0.0/8"], false)] {
            var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
            configuration.das = KilldConfiguration.DAS()
            configuration.signedHosts = ["killd.example"]
            configuration.trustedProxies = .init(trusted, protocol: "X-Forwarded-For")
            let killd = try await KilldProcess.start(configuration)
            let code = try dbbrain(killd, signedHost: "killd.example:9443", forwardedPort: 9_443)
            XCTAssertEqual(code, isTaken ? "FailedOperation" : "AuthFailure.SignatureFailure")
            XCTAssertEqual(
                try das(killd, signedHost: "killd.example:9443", forwardedPort: 9_443), isTaken ? 200 : 400)
            let other = try dbbrain(killd, signedHost: "killd.example:9443", forwardedPort: 9_444)
            XCTAssertEqual(other, "AuthFailure.SignatureFailure")
            try await killd.stop()
        }
    }

    /// - Returns: the code of the response.
    private func dbbrain(
        _ killd: KilldProcess, signedHost: String, secretKey: String? = nil, forwardedPort: Int? = nil
    ) throws -> String? {
        let account = killd.configuration.accounts[0]
        let (body, now) = (#"{"InstanceId":"cdb-test"}"#, Int64(Date().timeIntervalSince1970))
        let authorization = try TC3Signer(
            secretID: account.secretId, secretKey: Secret(secretKey ?? account.secretKey), host: signedHost,
            service: "dbbrain"
        ).authorization(
            method: "POST", query: "", contentType: "application/json", payload: Array(body.utf8), timestamp: now)
        let connection = try TestClient(port: killd.port)
        let forwarded = forwardedPort.map { "X-Forwarded-Port: \($0)\r\n" } ?? ""
        connection.send(
            "POST / HTTP/1.1\r\nHost: backend:9000\r\n\(forwarded)"
                + "Content-Type: application/json\r\nX-TC-Timestamp: \(now)\r\n"
                + "X-TC-Action: DescribeMySqlProcessList\r\nX-TC-Version: 2021-05-27\r\nConnection: close\r\n"
                + "Authorization: \(authorization.headerValue)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let answer = try XCTUnwrap(connection.receive())
        return answer.firstMatch(of: /"Code":"([^"]*)"/).map { String($0.1) }
    }

    /// - Returns: the status of the response.
    private func das(_ killd: KilldProcess, signedHost: String, forwardedPort: Int? = nil) throws -> Int {
        var request = DASRequest(
            "GetMySQLAllSessionAsync", [("InstanceId", "cdb-test")], timestamp: Int64(Date().timeIntervalSince1970))
        (request.host, request.accessKeyID) = (signedHost, killd.configuration.accounts[0].secretId)
        request.accessKeySecret = killd.configuration.accounts[0].secretKey
        var signed = try request.signedV3()
        signed.headers = signed.headers.map { $0.name == "host" ? ("host", "backend:9000") : $0 }
        if let forwardedPort { signed.headers.append(("X-Forwarded-Port", "\(forwardedPort)")) }
        let connection = try TestClient(port: killd.dasPort)
        connection.send(signed.message)
        return try DASResponseText(connection).status
    }
}
