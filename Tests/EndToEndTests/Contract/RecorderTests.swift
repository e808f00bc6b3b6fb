import APIClient
import ContractFixtures
import Foundation
import HTTPServer
import RequestSigning
import TestSupport
import XCTest

/// What is recorded can be sent again, and nobody's key or password stands in it.
final class RecorderTests: XCTestCase {
    func testWhatIsRecordedOfKilldIsWhatKilldAnswers() async throws {
        try await withContract { scene, contract in
            let victims = try await ClientSessions.open(2, on: scene.server, as: Contract.victims)
            let account = scene.killd.configuration.accounts[0]
            for (name, upstream, choices) in [
                (
                    "dbbrain", scene.killd.endpoint,
                    [
                        "DescribeMySqlProcessList/list", "VerifyUserAccount/token", "KillMySqlThreads/prepare",
                        "DescribeKillPlan/by-name", "KillMySqlThreads/threads-empty", "gate-v1",
                    ]
                ), ("das", scene.killd.dasEndpoint, ["GetMySQLAllSessionAsync/list", "GetMySQLAllSessionAsync/acs3"]),
            ] {
                let file = contract.folder.file("\(name).jsonl")
                // The client's own keys are nobody's at killd: requests are signed anew.
                let recorder = try Recorder(
                    file: file, upstream: .init(endpoint: XCTUnwrap(Endpoint(upstream))),
                    credentials: APICredentials(secretID: account.secretId, secretKey: Secret(account.secretKey)))
                let server = try HTTPServer(
                    listen: XCTUnwrap(ListenAddress("127.0.0.1:0")), handler: { recorder.respond(to: $0) })
                try server.start()
                let endpoint = "http://\(server.boundAddress)"
                for choice in choices {
                    let run = try await contract.verify(
                        Contract.fixtures,
                        [
                            "--api", name, "--only", choice, "--secret-id", "AKIDclient", "--secret-key",
                            "client's key",
                        ], endpoint: endpoint)
                    XCTAssertEqual(run.status, 0, run.output + run.error)
                }
                await server.drain(within: .seconds(5))

                let text = try String(contentsOfFile: file, encoding: .utf8)
                XCTAssertGreaterThan(text.split(separator: "\n").count, 2)
                for secret in [
                    account.secretId, account.secretKey, "AKIDclient", "client's key", DASScene.killersPassword,
                    "s3cret",
                    "Signature=", "TC3-HMAC",
                ] { XCTAssertFalse(text.contains(secret), "\(secret) in \(text)") }
                XCTAssertTrue(text.contains("\"evidence\":\"seen\""), text)

                let replayed = try await contract.verify(
                    file, ["--set", "redacted.Password=\(DASScene.killersPassword)"])
                XCTAssertEqual(replayed.status, 0, replayed.output + replayed.error + text)
            }
            await victims.assertAllAnswer()
        }
    }

    func testWithoutAnAnswerThereIsNoneAndNoLine() async throws {
        let folder = try TestFolder()
        let recorder = try Recorder(
            file: folder.file("r.jsonl"), upstream: .init(endpoint: XCTUnwrap(Endpoint("http://127.0.0.1:1"))),
            credentials: nil)
        let request = HTTPRequest(
            method: "POST", target: "/", headers: ["X-TC-Action": "DescribeKillPlans", "Host": "h"],
            body: Array("{}".utf8), remoteAddress: "127.0.0.1")
        guard case .async(let work) = recorder.respond(to: request) else { return XCTFail("not passed on") }
        let response = await work()
        XCTAssertEqual(response.status, .badGateway)
        XCTAssertTrue(String(decoding: response.body, as: UTF8.self).contains("gave no answer"))
        XCTAssertEqual(try folder.text(of: "r.jsonl"), "")
        XCTAssertThrowsError(
            try Recorder(
                file: folder.file("r.jsonl"), upstream: .init(endpoint: XCTUnwrap(Endpoint("http://127.0.0.1:1"))),
                credentials: nil), "a file that is there already is left alone")
    }
}
