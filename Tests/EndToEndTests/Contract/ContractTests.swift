import Foundation
import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// `killd contract verify` against killd, with the fixtures that come with it.
final class ContractTests: XCTestCase {
    func testKilldIsAsItsFixturesSay() async throws {
        try await withContract { scene, contract in
            let victims = try await ClientSessions.open(40, on: scene.server, as: Contract.victims)
            let run = try await contract.verify(Contract.fixtures, ["--destructive"])
            XCTAssertEqual(run.status, 0, run.output + run.error)
            // What may end anybody is not sent, and nothing else is left out.
            let reasons = Set(try contract.report().matches(of: /<skipped message="([^"]*)"/).map { String($0.1) })
            XCTAssertEqual(
                reasons.filter { !$0.hasPrefix("needs a stand-in with the seed") },
                ["may end anybody's sessions, and is sent to a stand-in only"])
            let living = await victims.answering()
            XCTAssertTrue((10..<40).contains(living.count), "\(living.count)")
        }
    }

    func testNobodyIsKilledUnlessThatIsAskedFor() async throws {
        try await withContract { scene, contract in
            let victims = try await ClientSessions.open(3, on: scene.server, as: Contract.victims)
            let before = try await scene.killsRun()
            let run = try await contract.verify(Contract.fixtures, ["--only", "Kill"])
            XCTAssertEqual(run.status, 0, run.output + run.error)
            XCTAssertTrue(run.output.contains("needs --destructive"), run.output)
            await victims.assertAllAnswer()
            let after = try await scene.killsRun()
            XCTAssertEqual(after, before)
        }
    }

    func testADifferenceIsToldAsAPersonReadsIt() async throws {
        let folder = try TestFolder()
        try folder.write(
            Data(
                #"""
                {"name":"Instances are many","evidence":"ours","source":"a test","api":"dbbrain",
                 "action":"DescribeDBInstances","steps":[{"request":{"parameters":{"InstanceIds":["{{instance}}"]}},
                 "expect":{"body":{"Response":{"Items":[{"InstanceId":"{{instance}}","Status":{"is":"string"}}],
                 "Count":1}}}}]}
                """#.utf8), to: "many.json")
        try await withContract { _, contract in
            let run = try await contract.verify(folder.path)
            XCTAssertEqual(run.status, 1)
            XCTAssertEqual(
                run.output,
                """
                many.json: Instances are many
                  our choice: a test
                  step 1, DescribeDBInstances:
                    Response.Items.0.Status
                      expected  a text
                      found     1
                    Response.Count
                      expected  1
                      found     nothing

                1 fixture: 0 as expected, 1 not

                """)
            let report = try contract.report()
            XCTAssertTrue(
                report.contains(#"<testsuite name="dbbrain" tests="1" failures="1" errors="0" skipped="0">"#), report)
            XCTAssertTrue(report.contains("Response.Count: expected 1, found nothing</failure>"), report)
        }
    }

    func testTheStandInIsAsItsFixturesSay() async throws {
        let standIn = try await StandInProcess.start(["--seed", "\(Contract.fixtures)/seeds/contract.json"])
        let run = try await FinishedProgram.run(
            KilldProcess.path,
            [
                "contract", "verify", Contract.fixtures, "--endpoint", standIn.ready.endpoint, "--das-endpoint",
                standIn.ready.das, "--seed", "contract",
            ], environment: standIn.environment(), within: .seconds(120))
        XCTAssertEqual(run.status, 0, run.output + run.error)
        XCTAssertFalse(run.output.contains("not sent"), run.output)
        let status = try await standIn.end()
        XCTAssertEqual(status, 0)
    }

    func testNamesTheFileOfAMistakeAndTheEndpointThatCannotBeReached() async throws {
        let folder = try TestFolder()
        try folder.write(Data(#"{"name":"n","evidence":"rumour"}"#.utf8), to: "bad.json")
        let keys = ["--secret-id", "a", "--secret-key", "b"]
        let mistake = try await KilldProcess.run(["contract", "verify", folder.path] + keys)
        XCTAssertEqual(mistake.status, 1)
        XCTAssertTrue(mistake.error.contains("bad.json: evidence: expected one of"), mistake.error)
        let nobody = try await KilldProcess.run(
            ["contract", "verify", Contract.fixtures, "--only", "limit-too-large", "--endpoint", "http://127.0.0.1:1"]
                + keys)
        XCTAssertEqual(nobody.status, 1)
        XCTAssertTrue(nobody.output.contains("http://127.0.0.1:1 cannot be reached: Connection refused"), nobody.output)
    }
}

/// The command against one killd.
struct Contract {
    static let victims = "victim"
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Sources/ContractFixtures/Fixtures").path

    let killd: KilldProcess
    let folder: TestFolder

    /// - Parameter endpoint: of both APIs, in the place of killd's.
    func verify(
        _ fixtures: String, _ options: [String] = [], endpoint: String? = nil
    ) async throws -> FinishedProgram {
        try await FinishedProgram.run(
            KilldProcess.path,
            [
                "contract", "verify", fixtures, "--endpoint", endpoint ?? killd.endpoint, "--das-endpoint",
                endpoint ?? killd.dasEndpoint,
                "--values", folder.file("values.json"), "--junit", folder.file("report.xml"),
            ] + options, environment: killd.credentials(), within: .seconds(120))
    }

    func report() throws -> String { try folder.text(of: "report.xml") }
}

/// Runs `body` on every kind of server with a killd that has what the fixtures need.
func withContract(_ body: (Scene, Contract) async throws -> Void) async throws {
    try await withDAS { configuration in
        configuration.requestsPerSecond = nil
        configuration.accounts[0].may = ["*"]
        configuration.accounts += [.init(name: "alice"), .init(name: "bob")]
        configuration.accounts[1].may = ["list", "approve"]
        configuration.accounts[2].may = ["prepare", "commit"]
        configuration.instances.append(.init(port: configuration.instances[0].port ?? 0))
        configuration.instances[1].id = "cdb-approvals"
        configuration.instances[1].approvals = ["low": 1, "medium": 1, "high": 1]
    } _: { scene, _ in
        try await scene.administrator.query(RealServer.creation(of: Contract.victims))
        try await scene.server.remember(Contract.victims)
        let folder = try TestFolder()
        let accounts = scene.killd.configuration.accounts
        func key(_ account: KilldConfiguration.Account) -> [String: String] {
            ["secretId": account.secretId, "secretKey": account.secretKey]
        }
        let values: [String: Any] = [
            "instance": "cdb-test", "approvalsInstance": "cdb-approvals", "victims": Contract.victims,
            "dbUser": DASScene.killer, "dbPassword": DASScene.killersPassword,
            "people": ["alice": key(accounts[1]), "ci": key(accounts[2]), "preparer": key(accounts[2])],
        ]
        try folder.write(JSONSerialization.data(withJSONObject: values), to: "values.json")
        try await body(scene, Contract(killd: scene.killd, folder: folder))
    }
}
