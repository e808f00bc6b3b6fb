import Foundation
import SessionKill
import TestSupport
import XCTest

/// Plans are decided about by killd's own commands, at a terminal and in scripts.
final class ApprovalCommandTests: XCTestCase {
    private func environment(of name: String, _ scene: Scene) throws -> [String: String] {
        let account = try XCTUnwrap(scene.killd.configuration.accounts.first { $0.name == name }, name)
        return ["TENCENTCLOUD_SECRET_ID": account.secretId, "TENCENTCLOUD_SECRET_KEY": account.secretKey]
    }

    private func run(_ words: [String], as account: String, _ scene: Scene) async throws -> FinishedProgram {
        try await KilldProcess.run(
            [words[0], "--endpoint", scene.killd.endpoint] + words.dropFirst(),
            environment: environment(of: account, scene))
    }

    private func start(_ words: [String], as account: String, _ scene: Scene) throws -> RunningProgram {
        try RunningProgram(
            KilldProcess.path, [words[0], "--endpoint", scene.killd.endpoint] + words.dropFirst(),
            environment: environment(of: account, scene))
    }

    private func open(_ words: [String], as account: String, _ scene: Scene) throws -> TerminalProgram {
        try TerminalProgram(
            KilldProcess.path, [words[0], "--endpoint", scene.killd.endpoint] + words.dropFirst(),
            environment: environment(of: account, scene).merging(["TERM": "dumb"]) { $1 })
    }

    func testCommandsPrepareListShowWaitApproveAndCommit() async throws {
        try await withApprovals { scene in
            let victims = try await ClientSessions.open(2, on: scene.server)
            let threads = await victims.threadIDs
            let prepared = try await run(
                ["prepare", "--instance", "cdb-test", "--requested-by", "dan", "--reason", "checkout is stuck"]
                    + threads.map(\.description), as: "ci", scene)
            XCTAssertEqual(prepared.status, 0, prepared.error)
            XCTAssertTrue(prepared.error.contains("It needs 2 approvals first (alice, bob, carol can)"), prepared.error)
            let name = try XCTUnwrap(prepared.error.firstMatch(of: /plan-\w+/).map { String($0.output) })

            let listed = try await run(["plans"], as: "bob", scene)
            let row = try XCTUnwrap(listed.output.split(separator: "\n").last, listed.error)
            XCTAssertTrue(
                row.hasPrefix(name) && row.contains("  0 of 2  ") && row.hasSuffix(" by ci, for dan"), "\(row)")

            let shown = try await run(["show", "--now", name], as: "dan", scene)
            for words in [
                "waits for 2 more approvals (has 0 of 2); until ", "by ci, for dan (as ci says): checkout is stuck",
                "alice, bob, carol; not you: you asked for it", "\nNow, at ", "\(threads[0])  there  ",
            ] { XCTAssertTrue(shown.output.contains(words), "\(words)\n\(shown.output)\(shown.error)") }
            let digest = try XCTUnwrap(shown.output.firstMatch(of: /Digest +([0-9a-f]{64})/)?.1).description

            let wait = try start(["wait", name], as: "alice", scene)
            let early = try await run(["commit", "--digest", digest, name], as: "ci", scene)
            XCTAssertEqual(early.status, 1)
            XCTAssertTrue(early.error.contains("OperationDenied"), early.error)
            await victims.assertAllAnswer()

            for (account, answer) in [
                ("alice", "Approved: 1 of 2.  (audit "), ("bob", "Approved: 2 of 2. Can be committed until "),
            ] {
                let approved = try await run(
                    ["approve", "--digest", digest, "--comment", "seen", name], as: account, scene)
                XCTAssertTrue(approved.output.hasPrefix(answer), approved.output + approved.error)
                XCTAssertEqual(approved.error, "")
                XCTAssertEqual(approved.status, 0)
            }
            let waited = try await wait.end()
            XCTAssertEqual(waited, 0)
            XCTAssertTrue(try wait.output.hasPrefix("\(name)  approved by 2 of 2; can be committed until "))

            let committed = try await run(["commit", "--digest", digest, name], as: "ci", scene)
            XCTAssertEqual(committed.status, 0, committed.error)
            let ids = threads.map(\.description).joined(separator: ", ")
            XCTAssertTrue(committed.output.hasPrefix("Ended: \(ids)  (audit "), committed.output)
            await victims.assertNoneAnswers()
            let ended = try await run(["wait", "--for", "ended", name], as: "bob", scene)
            XCTAssertEqual(ended.status, 0, ended.error)
            let after = try await run(["approve", "--json", "--digest", digest, name], as: "carol", scene)
            XCTAssertEqual(after.status, 1)
            XCTAssertTrue(after.output.contains(#""Code":"OperationDenied""#), after.output)
        }
    }

    func testWithoutATerminalNobodyAgreesToWhatTheyHaveNotSeen() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            for (words, account, says) in [
                (
                    ["approve"], "alice",
                    "killd approve: approving without a terminal needs --digest, as `killd show` prints it"
                ),
                (["reject", "--reason", "no"], "alice", "rejecting without a terminal needs --digest"),
                (["reject"], "alice", "--reason is needed"),
                (["cancel"], "ci", "cancelling without a terminal needs --yes"),
                (["commit"], "ci", "committing without a terminal needs --digest"),
                (["commit", "--instance", "cdb-test"], "ci", "--instance is for a SqlExecId"),
                (["commit", "--wait", "--break-glass", "it is burning"], "ci", "--break-glass does not wait"),
                (["commit", "--timeout", "3"], "ci", "--timeout belongs to --wait"),
                (["wait", "--for", "ever"], "ci", "--for: expected approved or ended"),
            ] {
                let refused = try await run(words + [plan.name], as: account, scene)
                XCTAssertEqual(refused.status, 2, "\(words): \(refused.error)")
                XCTAssertEqual(refused.output, "")
                XCTAssertTrue(refused.error.contains(says), "\(words): \(refused.error)")
            }
            let other = String(repeating: "0", count: 64)
            let refused = try await run(["approve", "--digest", other, plan.name], as: "alice", scene)
            XCTAssertEqual(refused.status, 1)
            XCTAssertTrue(refused.error.contains("OperationDenied"), refused.error)
            let late = try await run(["wait", "--timeout", "1", plan.name], as: "ci", scene)
            XCTAssertEqual(late.status, 1)
            XCTAssertTrue(late.error.contains("the time is over, and \(plan.name) is not approved"), late.error)
            let cancelled = try await run(["cancel", "--yes", "--reason", "no need", plan.name], as: "ci", scene)
            XCTAssertTrue(cancelled.output.hasPrefix("Cancelled \(plan.name).  (audit "), cancelled.error)
            XCTAssertEqual(try scene.state(of: plan), "cancelled")
            await plan.victims.assertAllAnswer()
        }
    }

    func testAtATerminalThePlanIsShownAndAGraveOneAsksForTheNumberOfSessions() async throws {
        try await withApprovals(configure: { $0.instances[0].riskSessions = 2 }) { scene in
            let plan = try await scene.preparePlan()
            let own = try open(["approve", plan.name], as: "ci", scene)
            let refused = try await own.end()
            XCTAssertEqual(refused, 1)
            XCTAssertTrue(
                own.shown.contains("you cannot approve \(plan.name): your account may not approve there"), own.shown)

            let question = "End 2 sessions on cdb-test? Type 2 to approve: "
            for answer in ["y", "3", ""] {
                let unsure = try open(["approve", plan.name], as: "alice", scene)
                try await unsure.answer(question, with: answer)
                let status = try await unsure.end()
                XCTAssertEqual(status, 1, answer)
                XCTAssertTrue(unsure.shown.hasSuffix("killd approve: nothing was done\n"), unsure.shown)
            }
            XCTAssertTrue(try scene.client.describe(name: plan.name).State == "prepared")

            let sure = try open(["approve", plan.name], as: "alice", scene)
            try await sure.answer(question, with: " 2 ")
            let approved = try await sure.end()
            XCTAssertEqual(approved, 0, sure.shown)
            XCTAssertTrue(sure.shown.contains("Risk      high: 2 sessions"), sure.shown)
            XCTAssertTrue(try sure.output.hasPrefix("Approved: 1 of 2.  (audit "), (try? sure.output) ?? "")

            let rejecting = try open(["reject", "--reason", "not now", plan.name], as: "bob", scene)
            try await rejecting.answer("reject the plan to end 2 sessions on cdb-test? [y/N] ", with: "y")
            let rejected = try await rejecting.end()
            XCTAssertEqual(rejected, 0, rejecting.shown)
            XCTAssertEqual(try scene.state(of: plan), "rejected")
            await plan.victims.assertAllAnswer()
        }
    }

    func testACommitThatWaitsCommitsWhatIsApprovedAndNothingElse() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            let commit = try start(
                ["commit", "--wait", "--instance", "cdb-test", plan.ticket], as: "ci", scene)
            try await eventually("the wait") { try commit.error.contains("waits for 2 more approvals") }
            for account in ["alice", "bob"] { XCTAssertNil(try scene.approve(plan, by: account).Error) }
            let status = try await commit.end()
            XCTAssertEqual(status, 0, (try? commit.error) ?? "")
            XCTAssertTrue(try commit.output.hasPrefix("Ended: "), (try? commit.output) ?? "")
            await plan.victims.assertNoneAnswers()

            let other = try await scene.preparePlan()
            let refused = try start(["commit", "--wait", "--digest", other.digest, other.name], as: "ci", scene)
            try await eventually("the wait") { try refused.error.contains("waits for 2 more approvals") }
            XCTAssertNil(try scene.reject(other, by: "alice").Error)
            let refusal = try await refused.end()
            XCTAssertEqual(refusal, 1)
            XCTAssertTrue(
                try refused.error.contains("not committed: \(other.name)  rejected by alice at "),
                (try? refused.error) ?? "")
            XCTAssertEqual(try refused.output, "")
            await other.victims.assertAllAnswer()
        }
    }

    func testGlassThatWasBrokenIsShownEverywhereUntilSomebodyHasLookedAtItAndAfter() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan(by: "oncall")
            let broken = try await run(
                ["commit", "--break-glass", "checkout is down", "--digest", plan.digest, plan.name], as: "oncall", scene
            )
            XCTAssertEqual(broken.status, 0, broken.error)
            await plan.victims.assertNoneAnswers()
            let unreviewed = try await run(["plans", "--unreviewed"], as: "alice", scene)
            XCTAssertTrue(unreviewed.output.contains("\(plan.name)  "), unreviewed.output)
            XCTAssertTrue(unreviewed.output.contains("0 of 2, glass broken"), unreviewed.output)
            let shown = try await run(["show", plan.name], as: "alice", scene)
            XCTAssertTrue(shown.output.contains("broken by oncall at "), shown.output)
            XCTAssertTrue(shown.output.contains("nobody has looked at that since"), shown.output)

            let review = try await run(["approve", "--digest", plan.digest, plan.name], as: "alice", scene)
            XCTAssertTrue(review.output.hasPrefix("Recorded that you have looked at it.  (audit "), review.error)
            let none = try await run(["plans", "--unreviewed"], as: "alice", scene)
            XCTAssertEqual(none.output.split(separator: "\n").count, 1, none.output)
            let history = try await run(["history"], as: "alice", scene)
            XCTAssertTrue(history.output.contains("committed, glass broken  "), history.output)
        }
    }

    // MARK: The example of the documents

    func testThePipelineInShellEndsWhatWasApproved() async throws {
        try await withShellPipeline { scene, pipeline, plan in
            for account in ["alice", "bob"] { XCTAssertNil(try scene.approve(plan, by: account).Error) }
            let status = try await pipeline.end()
            let (output, error) = (try pipeline.output, try pipeline.error)
            XCTAssertEqual(status, 0, error)
            let ids = plan.threads.map(\.description).joined(separator: ", ")
            XCTAssertTrue(output.hasSuffix("Ended: \(ids)\n"), output)
            await plan.victims.assertNoneAnswers()
        }
    }

    func testThePipelineInShellEndsNobodyAfterARejection() async throws {
        try await withShellPipeline { scene, pipeline, plan in
            XCTAssertNil(try scene.reject(plan, by: "alice").Error)
            let status = try await pipeline.end()
            XCTAssertEqual(status, 1)
            XCTAssertTrue(
                try pipeline.output.contains("\(plan.name)  rejected by alice at "), (try? pipeline.output) ?? "")
            await plan.victims.assertAllAnswer()
        }
    }

    /// Starts the example of the page `Clients` with the values of a scene in the place of its own.
    private func withShellPipeline(_ body: (Scene, RunningProgram, ReviewedPlan) async throws -> Void) async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appendingPathComponent("Sources/killd/killd.docc/Clients.md"), encoding: .utf8)
        let example = try XCTUnwrap(
            page.components(separatedBy: "```").first { $0.hasPrefix("sh\n") && $0.contains("--requested-by") })
        try await withApprovals { scene in
            let victims = try await ClientSessions.open(2, on: scene.server)
            let threads = await victims.threadIDs
            let account = try XCTUnwrap(scene.killd.configuration.accounts.first)
            var script = String(example.dropFirst("sh\n".count))
            for (word, value) in [
                ("http://127.0.0.1:8155", scene.killd.endpoint), ("AKIDci", account.secretId),
                ("'…'", "'\(account.secretKey)'"), ("cdb-8jawylhf", "cdb-test"),
                ("4714056 12", threads.map(\.description).joined(separator: " ")),
            ] {
                XCTAssertTrue(script.contains(word), word)
                script = script.replacingOccurrences(of: word, with: value)
            }
            let path = URL(fileURLWithPath: KilldProcess.path).deletingLastPathComponent().path
            let pipeline = try RunningProgram(
                "/bin/sh", ["-c", script], environment: ["PATH": "\(path):/usr/bin:/bin"])
            try await eventually("the plan", within: .seconds(30)) {
                try pipeline.error.contains("killd approve plan-") || !pipeline.isRunning
            }
            let error = try pipeline.error
            let name = try XCTUnwrap(error.firstMatch(of: /plan-\w+/), error).output
            let described = try scene.client.describe(name: String(name))
            try await body(
                scene, pipeline,
                ReviewedPlan(
                    victims: victims, threads: threads, ticket: "", name: String(name), digest: described.Digest))
        }
    }
}
