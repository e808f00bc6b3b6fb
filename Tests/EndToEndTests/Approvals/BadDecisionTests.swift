import CSQLite
import Foundation
import SessionKill
import TestSupport
import XCTest

/// Decisions that cannot be: each is refused in words that say why, and changes nothing.
final class BadDecisionTests: XCTestCase {
    func testTextsThatNobodyCouldReadAreRefusedByTheNameOfTheirParameter() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            let own = try await scene.preparePlan(by: "oncall")
            let texts = [
                ("", "must not be empty"), (" \t\n", "must not be empty"),
                (String(repeating: "x", count: 1_025), "limit `1024`"),
                (String(repeating: "x", count: 1 << 20), "limit `1024`"),
                (String(repeating: "é", count: 600), "limit `1024`"), ("fine\u{1B}[2Jreally", "control character"),
                ("a\u{0}b", "control character"), ("seen \u{202E}ton", "control character"),
                ("\u{2066}x", "control character"),
            ]
            for (text, words) in texts {
                let answers: [(String, APIResponse)] = [
                    ("Comment", try scene.approve(plan, by: "alice", comment: text)),
                    ("Reason", try scene.reject(plan, by: "alice", reason: text)),
                    ("Reason", try scene.cancel(plan, reason: text)),
                    ("BreakGlassReason", try scene.commitByName(own, by: "oncall", breaking: text)),
                    ("BreakGlassReason", try scene.commit(own, by: "oncall", breaking: text)),
                    ("Reason", try scene.prepare(plan.threads, reason: text)),
                ]
                for (parameter, answer) in answers {
                    assertRefused(answer, "InvalidParameterValue", "`\(parameter)`")
                    assertRefused(answer, "InvalidParameterValue", words)
                }
            }
            XCTAssertEqual(try scene.state(of: plan), "prepared")
            XCTAssertEqual(try StoreReader(scene.killd.storeFile).integers("SELECT count(*) FROM decisions"), [0])
            XCTAssertEqual(try StoreReader(scene.killd.storeFile).integers("SELECT count(*) FROM plans"), [2])
            for plan in [plan, own] { await plan.victims.assertAllAnswer() }
        }
    }

    /// A variable that was not set must not let who asked approve.
    func testARequesterWhoIsNobodyIsRefusedByName() async throws {
        try await withApprovals { scene in
            let victims = try await ClientSessions.open(1, on: scene.server)
            let threads = await victims.threadIDs
            for requester in [
                #""""#, #"" ""#, #""a\nb""#, #""a\u202eb""#, #""\#(String(repeating: "x", count: 257))""#,
            ] {
                let answer = try scene.client.call(
                    "KillMySqlThreads",
                    members: #""Stage":"Prepare","Threads":[\#(threads[0])],"RequestedBy":\#(requester)"#)
                assertRefused(answer, "InvalidParameterValue", "`RequestedBy`")
            }
            let answer = try scene.client.call(
                "KillMySqlThreads", members: #""Stage":"Prepare","Threads":[\#(threads[0])],"RequestedBy":null"#)
            XCTAssertTrue(answer.Error?.Message.contains("RequestedBy") == true, "\(answer)")
            XCTAssertEqual(try StoreReader(scene.killd.storeFile).integers("SELECT count(*) FROM plans"), [0])
            await victims.assertAllAnswer()
        }
    }

    func testAPlanOnAnInstanceThatTheAccountMayNotSeeIsAnsweredLikeOneThatNeverWas() async throws {
        try await withApprovals(configure: { configuration in
            var stranger = KilldConfiguration.Account(name: "stranger")
            stranger.may = ["*"]
            stranger.instances = ["cdb-other"]
            configuration.accounts.append(stranger)
        }) { scene in
            let plan = try await scene.preparePlan()
            let client = try scene.client("stranger")
            func answers(_ name: String) throws -> [APIResponse] {
                [
                    try client.call("ApproveKillPlan", ["PlanName": name, "Digest": plan.digest]),
                    try client.call("RejectKillPlan", ["PlanName": name, "Digest": plan.digest, "Reason": "no"]),
                    try client.call("CancelKillPlan", ["PlanName": name]),
                    try client.call("CommitKillPlan", ["PlanName": name, "Digest": plan.digest]),
                ]
            }
            for (hidden, absent) in zip(try answers(plan.name), try answers("plan-aaaaaaaaaaaa")) {
                assertRefused(hidden, "ResourceNotFound")
                XCTAssertEqual(hidden.Error?.Message, absent.Error?.Message)
            }
            for name in ["", String(repeating: "x", count: 10_000), "plan-\u{0}"] {
                for answer in try answers(name) { assertRefused(answer, "ResourceNotFound") }
            }
            try await scene.assertNotApproved(plan, missing: 2)
        }
    }

    func testWhatIsDecidedAfterTheEndSaysWhichStateSinceWhenAndByWhom() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            try await scene.assertCommitted(plan)
            let answers = [
                try scene.approve(plan, by: "carol"), try scene.approve(plan, by: "alice"),
                try scene.reject(plan, by: "carol"), try scene.cancel(plan),
            ]
            for answer in answers {
                assertRefused(answer, "OperationDenied", "is `committed` since `")
                assertRefused(answer, "OperationDenied", ", by `ci`.")
            }
            XCTAssertEqual(try StoreReader(scene.killd.storeFile).integers("SELECT count(*) FROM decisions"), [2])
        }
    }

    func testNothingIsApprovedWithoutTheRightOrWithoutAName() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            for account in ["ci", "oncall"] {
                assertRefused(try scene.approve(plan, by: account), "AuthFailure.UnauthorizedOperation")
                assertRefused(try scene.reject(plan, by: account), "AuthFailure.UnauthorizedOperation")
            }
            assertRefused(try scene.commitByName(plan, by: "alice"), "AuthFailure.UnauthorizedOperation")
            let alice = try scene.client("alice")
            assertRefused(try alice.call("ApproveKillPlan", ["PlanName": plan.name]), "MissingParameter", "Digest")
            assertRefused(try alice.call("ApproveKillPlan", ["Digest": plan.digest]), "MissingParameter", "PlanName")
            assertRefused(
                try alice.call("RejectKillPlan", ["PlanName": plan.name, "Digest": plan.digest]), "MissingParameter",
                "Reason")
            assertRefused(
                try alice.call(
                    "ApproveKillPlan", ["PlanName": plan.name, "Digest": plan.digest, "SqlExecId": plan.ticket]),
                "UnknownParameter", "SqlExecId")
            try await scene.assertNotApproved(plan, missing: 2)
        }
    }

    func testAPlanOfWhichNothingIsKeptIsNotMadeWhereItNeedsApprovals() async throws {
        try await withApprovals { scene in
            let victims = try await ClientSessions.open(1, on: scene.server)
            let answer = try scene.client.prepare(await victims.threadIDs, recordHistory: false)
            assertRefused(answer, "InvalidParameterValue", "`RecordHistory`")
            await victims.assertAllAnswer()
        }
    }

    /// On a full disk nothing is decided and nobody is killed; with room again, everything goes on.
    func testAFullDiskAtEachStepChangesNothing() async throws {
        let disk = try await SmallDisk.mount()
        try await withApprovals(configure: { $0.store = "\(disk.path)/killd.sqlite" }) { scene in
            func onFullDisk(_ step: () throws -> APIResponse) throws {
                try disk.fill()
                assertRefused(try step(), "FailedOperation", "could not be recorded")
                try disk.makeRoom()
            }
            let (plan, other) = (try await scene.preparePlan(), try await scene.preparePlan())
            let before = try await scene.killsRun()
            try onFullDisk { try scene.prepare(plan.threads) }
            try onFullDisk { try scene.approve(plan, by: "alice") }
            try onFullDisk { try scene.reject(other, by: "alice") }
            try onFullDisk { try scene.cancel(other) }
            try await scene.assertNotApproved(plan, missing: 2)
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            try onFullDisk { try scene.commit(plan) }
            try onFullDisk { try scene.commitByName(plan) }
            try await scene.assertKillsRun(0, since: before)
            await plan.victims.assertAllAnswer()
            XCTAssertEqual(try scene.reject(other, by: "alice").State, "rejected")
            try await scene.assertCommitted(plan)
            await other.victims.assertAllAnswer()
        }
    }

    /// A store whose last entry is of tomorrow, as after a clock that was set back a day.
    func testAClockThatIsADayBehindTheStoreGivesNoPlanMoreTimeAndHindersNobody() async throws {
        try await withApprovals { scene in
            let old = try await scene.preparePlan()
            for name in ["alice", "bob"] { _ = try scene.approve(old, by: name) }
            try await scene.killd.stop()
            var database: OpaquePointer?
            XCTAssertEqual(sqlite3_open_v2(scene.killd.storeFile, &database, SQLITE_OPEN_READWRITE, nil), SQLITE_OK)
            XCTAssertEqual(
                sqlite3_exec(
                    database,
                    """
                    DROP TRIGGER audit_entries_are_not_changed;
                    UPDATE audit_entries SET at = at + 86400000 WHERE seq = (SELECT max(seq) FROM audit_entries)
                    """, nil, nil, nil), SQLITE_OK)
            sqlite3_close_v2(database)
            try await scene.killd.start()
            assertRefused(try scene.commit(old), "OperationDenied", "has expired")
            assertRefused(try scene.approve(old, by: "carol"), "OperationDenied", "`expired`")
            await old.victims.assertAllAnswer()
            let plan = try await scene.preparePlan()
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            try await scene.assertCommitted(plan)
        }
    }
}
