import Foundation
import SessionKill
import TestSupport
import XCTest

/// Each way around the quorum that approval engines had, over HTTP and with sessions that must live.
final class WaysAroundTheQuorumTests: XCTestCase {
    func testTwoAccountsOfOnePersonAreOneApproval() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            XCTAssertEqual(try scene.approve(plan, by: "dan").Approvals, ["dan"])
            let again = try scene.approve(plan, by: "dan-admin")
            XCTAssertEqual(again.Approvals, ["dan"], "\(again)")
            XCTAssertEqual(again.State, "prepared")
            try await scene.assertNotApproved(plan, missing: 1, has: "dan")
        }
    }

    func testNobodyApprovesTheirOwnPlanByWhicheverAccount() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan(by: "dan")
            for account in ["dan", "dan-admin"] {
                assertRefused(try scene.approve(plan, by: account), "OperationDenied", "a kill plan of their own")
            }
            assertRefused(try scene.approve(plan, by: "ci"), "AuthFailure.UnauthorizedOperation")
            try await scene.assertNotApproved(plan, by: "dan", missing: 2)
        }
    }

    func testNobodyApprovesWhatTheyAskedForHoweverTheyAreSpelled() async throws {
        try await withApprovals { scene in
            for requester in ["dan", "DAN-ADMIN", " dan\n"] {
                let plan = try await scene.preparePlan(requestedBy: requester)
                for account in ["dan", "dan-admin"] {
                    assertRefused(try scene.approve(plan, by: account), "OperationDenied", "was prepared for you")
                }
                try await scene.assertNotApproved(plan, missing: 2)
            }
        }
    }

    func testAnApprovalOfAnotherDigestIsNone() async throws {
        try await withApprovals { scene in
            let (plan, other) = (try await scene.preparePlan(), try await scene.preparePlan())
            for digest in [other.digest, "", String(plan.digest.dropLast()), plan.digest.uppercased()] {
                assertRefused(try scene.approve(plan, by: "alice", digest: digest), "OperationDenied", "`Digest`")
            }
            for name in ["alice", "bob"] { _ = try scene.approve(other, by: name) }
            try await scene.assertNotApproved(plan, missing: 2)
            await other.victims.assertAllAnswer()
        }
    }

    func testACommitByTheDigestOfAnotherPlanEndsNobody() async throws {
        try await withApprovals { scene in
            let (plan, other) = (try await scene.preparePlan(), try await scene.preparePlan())
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            assertRefused(try scene.commitByName(plan, digest: other.digest), "OperationDenied", "`Digest`")
            for account in ["oncall", "dan"] {
                assertRefused(
                    try scene.commitByName(plan, by: account), "OperationDenied", "Only the account that prepared")
                assertRefused(try scene.commit(plan, by: account), "ResourceNotFound")
            }
            await plan.victims.assertAllAnswer()
            await other.victims.assertAllAnswer()
        }
    }

    /// Who has seen the request of an approval sends it again: as it is, for another plan, and as another action.
    func testAnApprovalThatIsSentAgainChangesNothing() async throws {
        try await withApprovals { scene in
            let (plan, other) = (try await scene.preparePlan(), try await scene.preparePlan())
            let seen = try scene.client("alice").repeatedCall(
                "ApproveKillPlan", ["PlanName": plan.name, "Digest": plan.digest])
            let first = seen.send()
            XCTAssertTrue(first.contains(#""Approvals":["alice"]"#), first)
            let again = seen.send()
            XCTAssertTrue(again.contains(#""Approvals":["alice"]"#), again)
            for action in ["CommitKillPlan", "DescribeKillPlan"] {
                XCTAssertTrue(seen.resent(as: action).send().contains(#""Error""#), action)
            }
            let altered = try scene.client("alice").repeatedCall(
                "ApproveKillPlan", ["PlanName": other.name, "Digest": plan.digest]
            ).send()
            XCTAssertTrue(altered.contains("`Digest`"), altered)
            try await scene.assertNotApproved(plan, missing: 1, has: "alice")
            try await scene.assertNotApproved(other, missing: 2)
        }
    }

    /// A look at a plan that alice has signed is made into her approval, and so is her rejection.
    func testASignatureForSomethingElseBecomesNoApproval() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            let look = try scene.client("alice").repeatedCall("DescribeKillPlan", ["PlanName": plan.name])
            XCTAssertTrue(look.send().contains(plan.digest))
            XCTAssertTrue(look.resent(as: "ApproveKillPlan").send().contains(#""Error""#))
            let other = try await scene.preparePlan()
            let rejection = try scene.client("bob").repeatedCall(
                "RejectKillPlan", ["PlanName": other.name, "Digest": other.digest, "Reason": "no"])
            let answer = rejection.resent(as: "ApproveKillPlan").send()
            XCTAssertTrue(answer.contains("UnknownParameter"), answer)
            try await scene.assertNotApproved(plan, missing: 2)
            try await scene.assertNotApproved(other, missing: 2)
        }
    }

    /// What is not signed cannot prove later what was agreed to.
    func testAnApprovalOrACommitByNameWhoseBodyIsNotSignedIsRefused() async throws {
        try await withApprovals {
            for index in $0.accounts.indices { $0.accounts[index].unsignedPayload = true }
        } _: { scene in
            let plan = try await scene.preparePlan()
            let body = ["PlanName": plan.name, "Digest": plan.digest]
            for (account, action) in [("alice", "ApproveKillPlan"), ("ci", "CommitKillPlan"), ("ci", "CancelKillPlan")]
            {
                let request = action == "CancelKillPlan" ? ["PlanName": plan.name] : body
                let answer = try scene.client(account).callWithUnsignedPayload(action, request)
                assertRefused(answer, "AuthFailure.InvalidAuthorization", "UNSIGNED-PAYLOAD")
            }
            try await scene.assertNotApproved(plan, missing: 2)
        }
    }

    // MARK: Reloads and clocks

    func testAnApproverWhoLosesTheRightBetweenApprovalAndCommitDoesNotCount() async throws {
        try await withApprovals { scene in
            let before = scene.killd.configuration
            let changes: [(inout KilldConfiguration) -> Void] = [
                { $0.accounts.removeAll { $0.name == "alice" } },
                { configuration in configuration.change("alice") { $0.may = ["list"] } },
                { configuration in configuration.change("alice") { $0.instances = ["cdb-other"] } },
                // Whoever knew the old key may have signed it.
                { configuration in configuration.change("alice") { $0.secretKey = "another key of alice" } },
                { configuration in configuration.change("alice") { $0.person = "bob" } },
            ]
            for change in changes {
                let plan = try await scene.preparePlan()
                for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
                try await scene.killd.reload(change)
                try await scene.assertNotApproved(plan, missing: 1, has: "bob")
                try await scene.killd.reload { $0 = before }
                // What is given back counts again: nothing was taken out of the store.
                try await scene.assertCommitted(plan)
            }
        }
    }

    func testWhoApprovesAgainWithAnotherKeyIsToldThatItDoesNotCount() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            try await scene.killd.reload { configuration in
                configuration.change("alice") { $0.secretKey = "another key of alice" }
            }
            assertRefused(try scene.approve(plan, by: "alice"), "OperationDenied", "You have approved")
            XCTAssertEqual(try scene.approve(plan, by: "carol").State, "approved")
            try await scene.assertCommitted(plan)
        }
    }

    func testAReloadThatAsksForFewerApprovalsWeakensNoPlanThatThereIs() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            _ = try scene.approve(plan, by: "alice")
            try await scene.killd.reload { $0.instances[0].approvals = nil }
            try await scene.assertNotApproved(plan, missing: 1, has: "alice")
            let free = try await scene.preparePlan()
            try await scene.assertCommitted(free)
        }
    }

    func testAReloadThatAsksForMoreApprovalsCountsForPlansThatThereAre() async throws {
        try await withApprovals(configure: { $0.instances[0].approvals = nil }) { scene in
            let plan = try await scene.preparePlan()
            try await scene.killd.reload { $0.askForApprovals() }
            try await scene.assertNotApproved(plan, missing: 2)
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            try await scene.assertCommitted(plan)
        }
    }

    func testAConfigurationThatNobodyCouldSatisfyIsRefused() async throws {
        try await withApprovals { scene in
            var configuration = scene.killd.configuration
            configuration.accounts.removeAll { ["bob", "carol"].contains($0.name) }
            configuration.change("dan") { $0.may = ["list"] }
            configuration.change("dan-admin") { $0.may = ["list"] }
            let log = try await scene.killd.reloadInVain(JSONEncoder().encode(configuration))
            XCTAssertTrue(log.contains("cdb-test asks for up to 2 approvals"), log)
        }
    }

    func testAPlanThatExpiredStaysExpired() async throws {
        try await withApprovals(configure: {
            $0.instances[0].approvableSeconds = 6
            $0.instances[0].commitWithinSeconds = 1
        }) { scene in
            let (approved, waiting) = (try await scene.preparePlan(), try await scene.preparePlan())
            for name in ["alice", "bob"] { _ = try scene.approve(approved, by: name) }
            try await eventually("the end of the plans") {
                try scene.state(of: approved) == "expired" && scene.state(of: waiting) == "expired"
            }
            for plan in [approved, waiting] {
                assertRefused(try scene.commit(plan), "OperationDenied", "has expired")
                assertRefused(try scene.approve(plan, by: "carol"), "OperationDenied", "`expired`")
                assertRefused(try scene.reject(plan, by: "carol"), "OperationDenied", "`expired`")
                assertRefused(try scene.cancel(plan), "OperationDenied", "`expired`")
                await plan.victims.assertAllAnswer()
            }
            XCTAssertEqual(
                try StoreReader(scene.killd.storeFile).integers("SELECT count(*) FROM plans WHERE state = 'expired'"),
                [2])
        }
    }

    // MARK: The second door

    func testNoTaskKillsOnAnInstanceThatAsksForApprovals() async throws {
        try await withApprovals(configure: { configuration in
            configuration.das = .init()
            configuration.change("ci") { $0.may = ["*"] }
            configuration.change("carol") { $0.may = ["approve"] }
        }) { scene in
            let sessions = try await ClientSessions.open(1, on: scene.server, as: "app2")
            let task = try scene.client.call("CreateKillTask", members: #""Duration":-1,"User":"app2""#)
            assertRefused(task, "OperationDenied", "asks for approvals")
            let das = DASClient(killd: scene.killd)
            let actions: [(String, [DASRequest.Pair])] = [
                ("KillInstanceAllSession", []),
                (
                    "CreateKillInstanceSessionTask",
                    [("DbUser", "killd"), ("DbUserPassword", "x"), ("KillAllSessions", "true")]
                ),
                ("CreateKillInstanceSessionTaskWithMaintainUser", [("KillAllSessions", "true")]),
            ]
            for (action, parameters) in actions {
                let answer = try das.call(action, parameters)
                XCTAssertNotEqual(answer.status, 200, "\(action): \(answer)")
                XCTAssertTrue("\(answer.body)".contains("approval"), "\(action): \(answer)")
            }
            await sessions.assertAllAnswer()
        }
    }

    func testATaskThatRunsIsSuspendedByAReloadThatAsksForApprovals() async throws {
        try await withApprovals(configure: { $0.instances[0].approvals = nil }) { scene in
            try scene.create(#""User":"app2""#)
            let victim = try await scene.open()
            try await scene.assertGone(await victim.threadIDs)
            try await scene.killd.reload { $0.askForApprovals() }
            let spared = try await scene.open()
            try await eventually("the end of the task") { try scene.tasks().map(\.State) == ["suspended"] }
            await spared.assertAllAnswer()
        }
    }
}
