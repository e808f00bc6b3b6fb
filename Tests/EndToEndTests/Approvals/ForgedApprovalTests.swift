import CSQLite
import SessionKill
import TestSupport
import XCTest

/// What somebody does to approvals who can write the store but knows no approver's key.
final class ForgedApprovalTests: XCTestCase {
    /// Rows that somebody writes who has the file but no approver's key.
    func testAnApprovalThatIsWrittenIntoTheStoreCountsForNothing() async throws {
        try await withApprovals { scene in
            let (plan, other) = (try await scene.preparePlan(), try await scene.preparePlan())
            for name in ["alice", "bob"] { _ = try scene.approve(other, by: name) }
            let forgeries = [
                // Out of nothing, and of requests that were signed for something else.
                """
                INSERT INTO decisions (plan, kind, account, person, at, digest, request, entry)
                SELECT id, 'approved', approver, approver, prepared_at, digest, NULL, 1
                FROM plans, (SELECT 'alice' AS approver UNION SELECT 'bob') WHERE name = '\(plan.name)'
                """,
                """
                INSERT INTO decisions (plan, kind, account, person, at, address, request_id, digest, request, entry)
                SELECT plans.id, 'approved', decisions.account, decisions.person, at, address, request_id, plans.digest,
                    request, decisions.entry
                FROM plans, decisions WHERE plans.name = '\(plan.name)'
                """,
                // Carol's by alice's hand.
                """
                INSERT INTO decisions (plan, kind, account, person, at, address, request_id, digest, request, entry)
                SELECT plans.id, 'approved', 'carol', 'carol', at, address, request_id, plans.digest,
                    replace(replace(request, '\(other.name)', '\(plan.name)'), '\(other.digest)', '\(plan.digest)'),
                    decisions.entry
                FROM plans, decisions WHERE plans.name = '\(plan.name)' AND decisions.account = 'alice'
                """,
            ]
            for forgery in forgeries {
                try writeStore(scene, forgery)
                try await scene.assertNotApproved(plan, missing: 2)
                try writeStore(
                    scene, "DELETE FROM decisions WHERE plan = (SELECT id FROM plans WHERE name = '\(plan.name)')")
            }
            try await scene.assertCommitted(other)
            // In the place of what was not approved: another plan's threads under the approved plan's name.
            let third = try await scene.preparePlan()
            let spared = try await ClientSessions.open(1, on: scene.server)
            let sparedThreads = await spared.threadIDs
            for name in ["alice", "bob"] { _ = try scene.approve(third, by: name) }
            try writeStore(
                scene,
                """
                UPDATE threads SET thread_id = \(sparedThreads[0])
                WHERE thread_id = \(third.threads[0]) AND plan = (SELECT id FROM plans WHERE name = '\(third.name)')
                """)
            assertRefused(try scene.commit(third), "FailedOperation", "not what was prepared")
            await third.victims.assertAllAnswer()
            await spared.assertAllAnswer()
        }
    }

    func testAPlanOfWhichTheStoreSaysThatItAsksForNoneStillNeedsItsApprovals() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            try writeStore(scene, "UPDATE plans SET required = 0 WHERE name = '\(plan.name)'")
            let answer = try scene.commit(plan)
            XCTAssertNotNil(answer.Error, "\(answer)")
            await plan.victims.assertAllAnswer()
        }
    }

    /// The time of an approval is not what its approver signs: put off, it would be good for longer.
    func testAnApprovalWhoseTimeIsPutOffCountsForNothing() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            try writeStore(
                scene,
                "UPDATE decisions SET at = (SELECT approvable_until FROM plans WHERE plans.id = decisions.plan)")
            try await scene.assertNotApproved(plan, missing: 2)
        }
    }

    func testARejectionThatIsMadeIntoAnApprovalCountsForNothing() async throws {
        try await withApprovals { scene in
            let plan = try await scene.preparePlan()
            _ = try scene.approve(plan, by: "bob")
            XCTAssertEqual(try scene.reject(plan, by: "alice").State, "rejected")
            try writeStore(scene, "UPDATE plans SET state = 'prepared', ended_at = NULL")
            try writeStore(scene, "UPDATE decisions SET kind = 'approved'")
            try await scene.assertNotApproved(plan, missing: 1, has: "bob")
        }
    }

    /// Other sessions under the plan's name, with a digest that fits them.
    func testAnApprovalIsNoneOfWhatThePlanWasChangedInto() async throws {
        try await withApprovals { scene in
            let (plan, other) = (try await scene.preparePlan(), try await scene.preparePlan())
            for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
            try writeStore(
                scene,
                """
                UPDATE plans SET digest = '\(other.digest)' WHERE name = '\(plan.name)';
                UPDATE decisions SET digest = '\(other.digest)'
                """)
            XCTAssertNotNil(try scene.commit(plan).Error)
            // Or the whole plan in the place of the one that was approved.
            try writeStore(
                scene,
                """
                DELETE FROM plans WHERE name = '\(plan.name)';
                UPDATE decisions SET plan = (SELECT id FROM plans WHERE name = '\(other.name)')
                """)
            try await scene.assertNotApproved(other, missing: 2)
            await plan.victims.assertAllAnswer()
        }
    }

    private func writeStore(_ scene: Scene, _ sql: String, file: StaticString = #filePath, line: UInt = #line) throws {
        var database: OpaquePointer?
        XCTAssertEqual(sqlite3_open_v2(scene.killd.storeFile, &database, SQLITE_OPEN_READWRITE, nil), SQLITE_OK)
        defer { sqlite3_close_v2(database) }
        sqlite3_busy_timeout(database, 5_000)
        let status = sqlite3_exec(database, sql, nil, nil, nil)
        XCTAssertEqual(status, SQLITE_OK, String(cString: sqlite3_errmsg(database)), file: file, line: line)
    }
}
