import Foundation
import SessionKill
import TestSupport
import XCTest

/// Plans that two persons have to approve.
final class ApprovalTests: XCTestCase {
    func testAPlanIsCommittedOnceTwoOthersHaveApprovedIt() async throws {
        try await withKilld {
            $0.askForApprovals()
        } _: { scene in
            let plan = try await scene.preparePlan(requestedBy: "DAN-admin", reason: "checkout is stuck")
            try await scene.assertNotApproved(plan, missing: 2)
            let first = try scene.approve(plan, by: "alice", comment: "seen, the report can run again")
            XCTAssertEqual(first.State, "prepared", "\(first)")
            XCTAssertEqual(first.Required, 2)
            XCTAssertEqual(first.Approvals, ["alice"])
            XCTAssertNil(first.CommittableUntil)
            try await scene.assertNotApproved(plan, missing: 1, has: "alice")
            let second = try scene.approve(plan, by: "bob")
            XCTAssertEqual(second.State, "approved", "\(second)")
            XCTAssertEqual(second.Approvals, ["alice", "bob"])
            XCTAssertNotNil(second.CommittableUntil)
            try await scene.assertCommitted(plan)
            XCTAssertEqual(try scene.state(of: plan), "committed")
        }
    }

    func testTheMessageSaysInBothLanguagesWhoCouldApproveAndHow() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            _ = try scene.approve(plan, by: "alice")
            let english = try scene.commit(plan).Error
            XCTAssertEqual(english?.Code, "OperationDenied")
            let words = "Can approve: `bob, carol, dan`. Nothing was killed. To approve: killd approve `\(plan.name)`"
            XCTAssertTrue(english?.Message.hasSuffix(words) == true, "\(english as Any)")
            let chinese = try scene.client.raw(
                "KillMySqlThreads", ["InstanceId": "cdb-test", "Stage": "Commit", "SqlExecId": plan.ticket],
                language: "zh-CN")
            XCTAssertTrue(chinese.contains("可批准：`bob, carol, dan`。"), chinese)
            XCTAssertTrue(chinese.contains("killd approve `\(plan.name)`"), chinese)
            await plan.victims.assertAllAnswer()
        }
    }

    func testAPlanIsCommittedByItsNameOnceAndEveryAnswerHasTheReceiptOfItsEnd() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            let before = try await scene.killsRun()
            let sent = try (0..<2).map { _ in
                try scene.client.begin("CommitKillPlan", ["PlanName": plan.name, "Digest": plan.digest])
            }
            let answers = try sent.map { try $0.wait() } + [scene.commitByName(plan)]
            for answer in answers {
                XCTAssertEqual(answer.Threads, plan.threads, "\(answer)")
                XCTAssertNil(answer.SqlExecId)
                XCTAssertEqual(answer.Audit, answers[0].Audit)
            }
            XCTAssertEqual(try scene.commit(plan).Threads, plan.threads)
            try await scene.assertKillsRun(2, since: before)
            let entry = try XCTUnwrap(answers[0].Audit)
            XCTAssertEqual(
                try StoreReader(scene.killd.storeFile).integers(
                    "SELECT seq FROM audit_entries WHERE plan = '\(plan.name)' AND kind = 'committed'"
                        + " AND hash = '\(entry.Hash)'"), [Int(entry.Entry)])
            await plan.victims.assertNoneAnswers()
        }
    }

    /// By its ticket, by its name and by breaking glass, over and over.
    func testHoweverAPlanIsCommittedAtTheSameMomentItIsCommittedOnce() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan(by: "oncall")
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            let before = try await scene.killsRun()
            let oncall = try scene.client("oncall")
            let byName = ["PlanName": plan.name, "Digest": plan.digest]
            let glass = byName.merging(["BreakGlassReason": "nobody is awake"]) { $1 }
            let byTicket = ["InstanceId": "cdb-test", "Stage": "Commit", "SqlExecId": plan.ticket]
            let sent = try (0..<12).map { number in
                switch number % 3 {
                case 0: try oncall.begin("CommitKillPlan", byName)
                case 1: try oncall.begin("CommitKillPlan", glass)
                default: try oncall.begin("KillMySqlThreads", byTicket)
                }
            }
            for answer in try sent.map({ try $0.wait() }) {
                // Another run may be at it: what it found is answered then.
                if answer.Error != nil {
                    assertRefused(answer, "FailedOperation", "carrying out the kill plan")
                } else {
                    XCTAssertEqual(answer.Threads, plan.threads)
                }
            }
            XCTAssertEqual(try scene.commitByName(plan, by: "oncall").Threads, plan.threads)
            try await scene.assertKillsRun(2, since: before)
            XCTAssertEqual(
                try StoreReader(scene.killd.storeFile).integers(
                    "SELECT count(*) FROM audit_entries WHERE plan = '\(plan.name)' AND kind IN ('claimed', 'committed')"
                ),
                [2])
            await plan.victims.assertNoneAnswers()
        }
    }

    func testWhatWasSaidOfAPlanIsInTheAuditWithWhoSaidItAndFromWhere() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan(requestedBy: "dan", reason: "checkout is stuck")
            let approved = try scene.approve(plan, by: "alice", comment: "seen, 好的")
            let said = """
                SELECT count(*) FROM audit_entries
                WHERE (kind = 'prepared' AND payload ->> '$.reason' = 'checkout is stuck'
                        AND payload ->> '$.requestedBy' = 'dan' AND payload ->> '$.person' = 'ci')
                    OR (kind = 'approved' AND payload ->> '$.reason' = 'seen, 好的'
                        AND payload ->> '$.person' = 'alice' AND payload ->> '$.address' = '127.0.0.1'
                        AND payload ->> '$.requestId' = '\(approved.RequestId)'
                        AND length(payload ->> '$.signature') = 64)
                """
            XCTAssertEqual(try StoreReader(scene.killd.storeFile).integers(said), [2])
            await plan.victims.assertAllAnswer()
        }
    }

    func testEveryDecisionIsAnsweredWithItsEntryOfTheAudit() async throws {
        try await withApprovals { scene in
            let plans = [try await scene.preparePlan(), try await scene.preparePlan(by: "dan")]
            let decisions = [
                ("approved", try scene.approve(plans[0], by: "alice")),
                ("rejected", try scene.reject(plans[0], by: "bob")),
                ("cancelled", try scene.cancel(plans[1], by: "dan", reason: "not needed")),
            ]
            for (kind, answer) in decisions {
                let entry = try XCTUnwrap(answer.Audit, "\(answer)")
                XCTAssertEqual(
                    try StoreReader(scene.killd.storeFile).integers(
                        "SELECT seq FROM audit_entries WHERE kind = '\(kind)' AND hash = '\(entry.Hash)'"),
                    [Int(entry.Entry)], kind)
            }
            XCTAssertEqual(decisions[1].1.State, "rejected")
            XCTAssertEqual(decisions[2].1.State, "cancelled")
            for plan in plans { await plan.victims.assertAllAnswer() }
        }
    }

    func testARejectionIsFinalAndSaysSinceWhenAndByWhom() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            // Who has approved may think better of it.
            XCTAssertEqual(try scene.reject(plan, by: "alice").State, "rejected")
            let answers = [
                try scene.commit(plan), try scene.commitByName(plan), try scene.approve(plan, by: "carol"),
                try scene.reject(plan, by: "alice"), try scene.cancel(plan),
            ]
            for answer in answers {
                assertRefused(answer, "OperationDenied", "is `rejected` since `")
                assertRefused(answer, "OperationDenied", ", by `alice`.")
            }
            // Nor does it stand among those that wait.
            let listed = try scene.client.call("DescribeKillPlans", ["InstanceId": "cdb-test"]).Plans
            XCTAssertEqual(listed?.map(\.State), ["rejected"])
            await plan.victims.assertAllAnswer()
        }
    }

    func testWhoeverPreparedTakesBackAndNobodyElse() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan(by: "dan")
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            assertRefused(try scene.cancel(plan, by: "ci"), "OperationDenied", "Only the account that prepared")
            assertRefused(try scene.cancel(plan, by: "dan-admin"), "OperationDenied", "Only the account that prepared")
            assertRefused(try scene.cancel(plan, by: "alice"), "AuthFailure.UnauthorizedOperation")
            XCTAssertEqual(try scene.cancel(plan, by: "dan").State, "cancelled")
            assertRefused(try scene.commit(plan, by: "dan"), "OperationDenied", "is `cancelled` since `")
            await plan.victims.assertAllAnswer()
        }
    }

    func testGlassIsBrokenWithTheRightAndAReasonAndLookedAtAfterwards() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan(by: "oncall")
            let ofCI = try await scene.preparePlan()
            let reason = "the shop is down and nobody answers"
            assertRefused(
                try scene.commit(ofCI, breaking: reason), "AuthFailure.UnauthorizedOperation")
            assertRefused(
                try scene.commit(plan, by: "oncall", breaking: "short"), "InvalidParameterValue", "BreakGlassReason")
            assertRefused(
                try scene.commit(plan, by: "oncall", breaking: "             "), "InvalidParameterValue",
                "BreakGlassReason")
            try await scene.assertNotApproved(plan, by: "oncall", missing: 2)
            let committed = try scene.commitByName(plan, by: "oncall", breaking: reason)
            XCTAssertEqual(committed.Threads, plan.threads, "\(committed)")
            await plan.victims.assertNoneAnswers()
            assertRefused(try scene.approve(plan, by: "ci"), "AuthFailure.UnauthorizedOperation")
            let review = try scene.approve(plan, by: "alice", comment: "right so")
            XCTAssertEqual(review.State, "committed", "\(review)")
            XCTAssertEqual(
                try StoreReader(scene.killd.storeFile).integers(
                    "SELECT count(*) FROM decisions WHERE kind IN ('broke-glass', 'reviewed') AND request IS NOT NULL"),
                [2])
            // It is not undone, and the reason is kept with the request that holds it.
            let again = try scene.commitByName(plan, by: "oncall", breaking: reason)
            XCTAssertEqual(again.Audit, committed.Audit)
            await ofCI.victims.assertAllAnswer()
        }
    }

    func testAnInstanceThatAsksForNoneServesPlainClientsAsBefore() async throws {
        try await withKilld { scene in
            let victims = try await scene.prepareTwo()
            let answer = try scene.client.raw(
                "KillMySqlThreads", ["InstanceId": "cdb-test", "Stage": "Commit", "SqlExecId": victims.ticket])
            let response = try XCTUnwrap(
                (try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any])?["Response"]
                    as? [String: Any])
            XCTAssertEqual(Set(response.keys), ["Threads", "SqlExecId", "RequestId"])
            await victims.victims.assertNoneAnswers()
        }
    }
}
