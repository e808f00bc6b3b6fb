import Foundation
import SessionKill
import TestSupport
import XCTest

/// Tencent's own clients where approvals are asked for, and the worked examples of the documents, run as they are
/// written.
final class ApprovalClientTests: XCTestCase {
    func testThePythonSDKApprovesAndTheCommandLineClientCommits() async throws {
        try OfficialClients.require()
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            let threads = plan.threads.map(\.description)
            try await run("tccli_commit.py", ["--ticket", plan.ticket, "--threads"], as: "ci", scene)
            await plan.victims.assertAllAnswer()
            // An approval is kept as it was signed, in whichever form, and counts only if it verifies again.
            let other = try await scene.preparePlan()
            for (plan, account, approvals, state, method, signature) in [
                (plan, "alice", ["alice"], "prepared", "POST", "TC3-HMAC-SHA256"),
                (plan, "dan-admin", ["alice", "dan"], "approved", "GET", "TC3-HMAC-SHA256"),
                (other, "alice", ["alice"], "prepared", "POST", "HmacSHA256"),
                (other, "bob", ["alice", "bob"], "approved", "GET", "HmacSHA1"),
            ] {
                let expected = ["--plan", plan.name, "--approvals"] + approvals + ["--state", state]
                try await run(
                    "sdk_approve.py", expected + ["--method", method, "--sign", signature], as: account, scene)
            }
            try await scene.assertCommitted(other)
            try await run("tccli_commit.py", ["--ticket", plan.ticket, "--threads"] + threads, as: "ci", scene)
            await plan.victims.assertNoneAnswers()
        }
    }

    private func run(_ program: String, _ arguments: [String], as account: String, _ scene: Scene) async throws {
        let account = try XCTUnwrap(scene.killd.configuration.accounts.first { $0.name == account })
        try await OfficialClients.run(
            program, ["--endpoint", scene.killd.endpoint, "--instance", "cdb-test"] + arguments,
            ["TENCENTCLOUD_SECRET_ID": account.secretId, "TENCENTCLOUD_SECRET_KEY": account.secretKey])
    }

    func testThePipelineInPythonEndsWhatWasApproved() async throws {
        try await withPipeline { scene, pipeline, plan in
            for name in ["alice", "bob"] { XCTAssertNil(try scene.approve(plan, by: name).Error) }
            let status = try await pipeline.end()
            let (output, error) = (try pipeline.output, try pipeline.error)
            XCTAssertEqual(status, 0, error)
            XCTAssertTrue(output.contains("ended " + plan.threads.map(\.description).joined(separator: " ")), output)
            XCTAssertNotNil(output.firstMatch(of: /audit \d+ [0-9a-f]{64}\n/), output)
            await plan.victims.assertNoneAnswers()
        }
    }

    func testThePipelineInPythonEndsNobodyAfterARejection() async throws {
        try await withPipeline { scene, pipeline, plan in
            assertRefused(try scene.approve(plan, by: "dan"), "OperationDenied", "was prepared for you")
            XCTAssertNil(try scene.reject(plan, by: "alice").Error)
            let status = try await pipeline.end()
            XCTAssertEqual(status, 1)
            XCTAssertEqual(try pipeline.error, "\(plan.name) is rejected\n")
            await plan.victims.assertAllAnswer()
        }
    }

    /// Starts the example of the page `Clients` with the values of a scene in the place of its own.
    private func withPipeline(_ body: (Scene, RunningProgram, ReviewedPlan) async throws -> Void) async throws {
        try OfficialClients.require()
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appendingPathComponent("Sources/killd/killd.docc/Clients.md"), encoding: .utf8)
        let example = try XCTUnwrap(
            page.components(separatedBy: "```").first { $0.hasPrefix("python\n") && $0.contains("RequestedBy") })
        try await withApprovals { scene in
            let victims = try await ClientSessions.open(2, on: scene.server)
            let threads = await victims.threadIDs
            let account = try XCTUnwrap(scene.killd.configuration.accounts.first)
            var script = String(example.dropFirst("python\n".count))
            for (word, value) in [
                ("http://127.0.0.1:8155", scene.killd.endpoint), ("\"AKIDci\"", "\"\(account.secretId)\""),
                ("\"…\"", "\"\(account.secretKey)\""), ("cdb-8jawylhf", "cdb-test"),
                ("[4714056, 12]", "[\(threads.map(\.description).joined(separator: ", "))]"),
            ] {
                XCTAssertTrue(script.contains(word), word)
                script = script.replacingOccurrences(of: word, with: value)
            }
            let pipeline = try RunningProgram(
                OfficialClients.interpreter(), ["-c", script],
                environment: ["NO_PROXY": "127.0.0.1:\(scene.killd.port)"])
            try await eventually("the plan", within: .seconds(30)) {
                try pipeline.output.contains("please approve plan-") || !pipeline.isRunning
            }
            let (output, error) = (try pipeline.output, try pipeline.error)
            let name = try XCTUnwrap(output.firstMatch(of: /plan-\w+/), error).output
            let described = try scene.client.describe(name: String(name))
            let plan = ReviewedPlan(
                victims: victims, threads: threads, ticket: "", name: String(name), digest: described.Digest)
            try await body(scene, pipeline, plan)
        }
    }
}
