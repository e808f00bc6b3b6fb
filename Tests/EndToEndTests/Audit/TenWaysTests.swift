import Foundation
import SQLiteStore
import SessionKill
import TestSupport
import XCTest

/// Somebody who has the store's file changes it, in each of ten ways, and the real program tells.
final class TenWaysTests: XCTestCase {
    func testAnUntouchedAuditIsProvenAndItsTailIsNot() async throws {
        let scene = try await AuditScene()
        let alone = try await scene.verify()
        XCTAssertEqual(
            alone.output,
            """
            chain    whole, 1 to 11
            plans    3 of 3 agree with their entries, 5 decisions' signatures are not checked (--config FILE)
            heads    none was given (--against FILE)
            tail     1 to 11 (11 entries) are proven by nothing outside this store

            """)
        XCTAssertEqual(alone.status, 0, alone.error)
        let lines = try scene.folder.text(of: "killd.log").split(separator: "\n").prefix(9)
        try scene.folder.write(Data(lines.joined(separator: "\n").utf8), to: "killd.log")
        let against = try await scene.verify(["--against", scene.log])
        XCTAssertTrue(
            against.output.hasSuffix(
                """
                heads    9 found in 1 file, the last that is on it at 9: all on this chain
                tail     10 to 11 (2 entries) are proven by nothing outside this store

                """), against.output)
        XCTAssertEqual(against.status, 0, against.error)
    }

    func test1AnEntryWasAltered() async throws {
        let scene = try await AuditScene()
        try await scene.forge("UPDATE audit_entries SET payload = replace(payload, 'bob', 'eve') WHERE seq = 3")
        try await scene.assertFound("entry 3 was altered: its payload does not have the hash beside it")
        try await scene.forge(
            "UPDATE audit_entries SET payload_sha256 = '\(String(repeating: "a", count: 64))' WHERE seq = 3")
        try await scene.assertFound("entry 3 was altered")
        let other = try await AuditScene()
        try await other.forge("UPDATE audit_entries SET at = at - 1 WHERE seq = 1")
        try await other.assertFound("entry 1 was altered: its column at says something else than its payload")
        let kind = try await AuditScene()
        try await kind.forge("UPDATE audit_entries SET kind = 'reviewed', plan = 'plan-9' WHERE seq = 3")
        try await kind.assertFound("entry 3 was altered: its column kind says something else than its payload")
    }

    func test2AnEntryWasRemoved() async throws {
        let scene = try await AuditScene()
        try await scene.forge("DELETE FROM audit_entries WHERE seq = 4")
        try await scene.assertFound("entry 4 is missing: it was removed")
        try await scene.forge("UPDATE audit_entries SET seq = seq - 1 WHERE seq > 4")
        try await scene.assertFound(
            "entry 4 holds what was written as entry 5: entries were reordered, or some removed")
        let payload = try await AuditScene()
        try await payload.forge("UPDATE audit_entries SET payload = NULL WHERE seq = 4")
        try await payload.assertFound("entry 4: its payload was removed, and no entry says that it is no longer kept")
    }

    func test3EntriesWereReordered() async throws {
        let scene = try await AuditScene()
        try await scene.forge(
            """
            UPDATE audit_entries SET seq = 99 WHERE seq = 3; UPDATE audit_entries SET seq = 3 WHERE seq = 4;
            UPDATE audit_entries SET seq = 4 WHERE seq = 99
            """)
        try await scene.assertFound(
            "entry 3 holds what was written as entry 4: entries were reordered, or some removed")
    }

    func test4TheEndWasCutOff() async throws {
        let scene = try await AuditScene()
        // With all that would contradict it.
        try await scene.forge(
            "DELETE FROM audit_entries WHERE seq > 9; DELETE FROM plans WHERE name = 'plan-3'; DELETE FROM threads WHERE plan = 3; DELETE FROM decisions WHERE plan = 3"
        )
        let alone = try await scene.verify()
        XCTAssertEqual(alone.status, 0, alone.output)
        try await scene.assertFound(
            "the store was cut off or rolled back: it ends at entry 9, \(scene.log):10 has entry 10",
            ["--against", scene.log])
    }

    func test5TheStoreWasRolledBack() async throws {
        let scene = try await AuditScene()
        let backup = try Data(contentsOf: URL(fileURLWithPath: scene.store))
        var store = try await SQLiteStore.open(path: scene.store, at: AuditScene.start)
        try await store.insert(AuditScene.plan(4), by: Caller(AccountName(rawValue: "ci")))
        try await store.close()
        try scene.writeLog()
        try scene.folder.write(backup, to: "killd.sqlite")
        try await scene.assertFound(
            "the store was cut off or rolled back: it ends at entry 11, \(scene.log):12 has entry 12",
            ["--against", scene.log])
        // And then it went on.
        store = try await SQLiteStore.open(path: scene.store, at: AuditScene.start)
        try await store.insert(AuditScene.plan(5), by: Caller(AccountName(rawValue: "ci")))
        try await store.close()
        try await scene.assertFound(
            "the store was rolled back or rewritten after entry 11: it has another entry 12 than \(scene.log):12 has",
            ["--against", scene.log])
    }

    func test6AnEntryWasReplacedAndEveryHashMadeAnew() async throws {
        let scene = try await AuditScene()
        try await scene.forge(
            """
            UPDATE audit_entries SET payload = replace(payload, 'carol', 'erika') WHERE seq IN (4, 5);
            UPDATE decisions SET person = 'erika', account = 'erika' WHERE entry = 4
            """)
        try await scene.rehash(from: 4)
        let alone = try await scene.verify()
        XCTAssertEqual(alone.status, 0, alone.output)
        try await scene.assertFound(
            "the store was rolled back or rewritten after entry 3: it has another entry 4 than \(scene.log):4 has",
            ["--against", scene.log])
    }

    func test7APlanWasChanged() async throws {
        let scene = try await AuditScene()
        try await scene.forge("UPDATE threads SET thread_id = 13 WHERE plan = 2 AND thread_id = 12")
        try await scene.assertFound("plan plan-2: it was changed: what it pins does not have its digest")
        for (change, words) in [
            (
                "UPDATE threads SET outcome = 'killed' WHERE plan = 1",
                "it differs from entry 6, which says another threads"
            ),
            ("UPDATE plans SET person = 'eve' WHERE id = 1", "it differs from entry 2, which says another person"),
            ("UPDATE plans SET risk_grade = 'high' WHERE id = 3", "it differs from entry 10, which says another grade"),
            (
                "UPDATE plans SET state = 'prepared', ended_at = NULL WHERE id = 3",
                "it was changed: its state is prepared, its entries lead to rejected"
            ),
            (
                "UPDATE plans SET state = 'committing', ended_at = NULL WHERE id = 1",
                "it was changed: its state is committing, its entries lead to committed"
            ),
            (
                "DELETE FROM plans WHERE id = 2; DELETE FROM threads WHERE plan = 2; DELETE FROM decisions WHERE plan = 2",
                "it was removed: there are entries about it, and none says that it was deleted"
            ),
        ] {
            let scene = try await AuditScene()
            try await scene.forge(change)
            let found = try await scene.verify()
            XCTAssertEqual(found.status, 1, change)
            XCTAssertTrue(found.output.contains(words), "\(change): \(found.output)")
        }
    }

    private let columns = "kind, account, person, at, address, request_id, comment, digest, request, entry"

    func test8AnApprovalWasForged() async throws {
        let scene = try await AuditScene()
        try await scene.forge(
            """
            INSERT INTO decisions (plan, \(columns)) SELECT 3, 'approved', 'eve', 'eve', at, NULL, NULL, NULL,
                (SELECT digest FROM plans WHERE id = 3), NULL, 99 FROM decisions WHERE entry = 3
            """)
        try await scene.assertFound("plan plan-3: forged: no entry says that it was approved by eve")
        let renamed = try await AuditScene()
        try await renamed.forge("UPDATE decisions SET person = 'eve', account = 'eve' WHERE entry = 8")
        try await renamed.assertFound("plan plan-2: it differs from entry 8, which says another account")
        let request = try await AuditScene()
        try await request.forge("UPDATE decisions SET request = '{}' WHERE entry = 8")
        try await request.assertFound("plan plan-2: it differs from entry 8, which says another signature")
        let removed = try await AuditScene()
        try await removed.forge("DELETE FROM decisions WHERE entry = 8")
        try await removed.assertFound("plan plan-2: entry 8 says that it was approved; that decision was removed")
    }

    func test9AnApprovalWasCopiedFromAnotherPlan() async throws {
        let scene = try await AuditScene()
        try await scene.forge(
            """
            INSERT INTO decisions (plan, \(columns)) SELECT 3, 'approved', account, person, at, address, request_id,
                comment, (SELECT digest FROM plans WHERE id = 3), request, entry FROM decisions WHERE entry = 3
            """)
        try await scene.assertFound("plan plan-3: forged: that it was approved by bob is copied from plan plan-1")
    }

    func testTenTheWholeStoreWasExchanged() async throws {
        let scene = try await AuditScene()
        let other = try await AuditScene()
        let alone = try await other.verify()
        XCTAssertEqual(alone.status, 0, alone.output)
        try await other.assertFound(
            "this is another store than the one that \(scene.log):1 is about, or all of it was written anew",
            ["--against", scene.log])
    }
}
