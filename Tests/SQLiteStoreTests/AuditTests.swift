import AuditTrail
import Foundation
import SessionKill
import StoreContract
import func TestSupport.processorTimeOfAllThreads
import XCTest

@testable import SQLiteStore

final class AuditTests: StoreTestCase {
    private func kinds(_ store: SQLiteStore) async throws -> String? {
        try await store.value("SELECT group_concat(kind) FROM (SELECT kind FROM audit_entries ORDER BY seq)")
    }

    /// What is wrong with the chain; `nil` if it is whole.
    private func fault(_ store: SQLiteStore) async throws -> String? {
        let entries = try await store.withConnection { connection in
            try Statement("SELECT seq, payload, payload_sha256, hash FROM audit_entries ORDER BY seq", on: connection)
                .rows { row in
                    (
                        try row.integer("seq"), try row.text("payload"), try row.text("payload_sha256"),
                        try row.text("hash")
                    )
                }
        }
        var previous = AuditChain.firstPrevious
        for (index, (sequence, payload, payloadHash, hash)) in entries.enumerated() {
            guard sequence == Int64(index + 1) else { return "entry \(sequence) is out of place" }
            guard try AuditChain.payloadHash(payload) == payloadHash else { return "payload \(sequence)" }
            let expected = try AuditChain.hash(sequence: sequence, previous: previous, payloadHash: payloadHash)
            guard expected == hash else { return "link \(sequence)" }
            previous = hash
        }
        return nil
    }

    func testEveryChangeOfAPlanOrATaskIsAnEntryOfOneChain() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        _ = try await store.claim(KillPlan.example().name, intending: [.number(101)], at: commit)
        _ = try await store.finish(
            KillPlan.example().name, as: .committed, outcomes: [.number(101): .killed], at: end)
        _ = try await store.insert(KillTask.example())
        _ = try await store.end(KillTask.example().name, as: .cancelled(by: "ci"), at: end)
        try await store.insert(SessionTask.example(1), [])
        _ = try await store.end(SessionTask.example(1).id, as: .success, [], at: end)
        try await store.insert(.example(2))
        let late = preparation.advanced(bySeconds: 86_400)
        let expired = try await store.noteExpired(at: late)
        XCTAssertEqual(expired, 1)
        _ = try await store.purge(endedOrExpiredBefore: late, at: late)
        _ = try await store.purgeSessionTasks(endedBefore: late, at: late)
        try await store.append(
            .configured(AuditedConfiguration(occasion: .start, accounts: [], approvals: [:])), at: late)
        let kinds = try await kinds(store)
        XCTAssertEqual(
            kinds,
            "created,prepared,claimed,committed,task-created,task-ended,session-task-created,session-task-ended,"
                + "prepared,expired,pruned,pruned,pruned,configured")
        let fault = try await fault(store)
        XCTAssertNil(fault)
        let pruned = try await store.value("SELECT payload FROM audit_entries WHERE kind = 'pruned' ORDER BY seq")
        XCTAssertEqual(pruned?.contains(#""names":["plan-1","plan-2"]"#), true, pruned ?? "")
    }

    func testAnEntryTellsWhoFromWhereAndWhatAndNoStatement() async throws {
        let store = try await openStore()
        let caller = Caller(
            account: "ci", person: PersonName(rawValue: "dan"),
            request: Caller.Request(address: "10.0.0.7", id: "8d1f"))
        try await store.insert(.example(), by: caller)
        let payload = try await store.value("SELECT payload FROM audit_entries WHERE kind = 'prepared'")
        XCTAssertEqual(
            payload,
            """
            {"account":"ci","address":"10.0.0.7","at":\(preparation.milliseconds),\
            "digest":"\(try KillPlan.example().digest())","expiresAt":\(preparation.milliseconds + 600_000),\
            "instance":"cdb-8jawylhf","kind":"prepared","person":"dan","plan":"plan-1","requestId":"8d1f","required":0,\
            "seq":2,"threads":[{"host":"10.0.0.7:50000","id":101,"user":"app"},\
            {"host":"10.0.0.7:50001","id":102,"user":"app"}]}
            """)
    }

    func testAWriteThatFailsInAGroupLeavesNoGapInTheChain() async throws {
        let store = try await openStore()
        let plans = (0..<5).map { KillPlan.example($0) } + [.example(3), .example(7)]
        let writes: [Write] = try plans.map { plan in
            let rows = try PlanRows(plan)
            let event = try WrittenEvent(.prepared(plan, digest: rows.digest, by: Caller("ci")))
            return { tables in _ = try tables.insert(rows, event) }
        }
        let answers = await store.performTogether(writes)
        XCTAssertEqual(
            answers.map { if case .success = $0 { true } else { false } }, [true, true, true, true, true, false, true])
        let revision = try await store.revision()
        XCTAssertEqual(revision, 7)
        let fault = try await fault(store)
        XCTAssertNil(fault)
    }

    func testWhatIsToldOutsideIsThereWithItsEntryUntilItIsSettled() async throws {
        var store = try await openStore()
        try await store.insert(.example(1))
        try await store.setOutboxTargets(["ops", "chat"])
        try await store.insert(.example(2))
        try await store.close()
        store = try await openStore()
        try await store.setOutboxTargets(["ops"])
        let found = try await store.outbox(target: "ops", dueBy: preparation, limit: 10)
        XCTAssertEqual(found.map(\.plan?.rawValue), ["plan-2"])
        let message = try XCTUnwrap(found.first)
        XCTAssertEqual([message.entry, Int64(message.attempts)], [3, 0])
        let payload = try await store.value("SELECT payload FROM audit_entries WHERE seq = 3")
        XCTAssertEqual(message.payload, payload)
        try await store.settle(message.id, as: .retry(at: end))
        let early = try await store.outbox(target: "ops", dueBy: preparation, limit: 10)
        XCTAssertEqual(early, [])
        var due = try await store.nextDue(target: "ops")
        XCTAssertEqual(due, end)
        let again = try await store.outbox(target: "ops", dueBy: end, limit: 10)
        XCTAssertEqual(again.map(\.attempts), [1])
        try await store.settle(message.id, as: .delivered)
        due = try await store.nextDue(target: "ops")
        XCTAssertNil(due)
        let forgotten = try await store.outbox(target: "chat", dueBy: end, limit: 10)
        XCTAssertEqual(forgotten, [])
    }

    func testThatGlassWasBrokenIsToldFirstAndWhatWaitsIsCounted() async throws {
        let store = try await openStore()
        try await store.setOutboxTargets(["ops", "chat"])
        try await store.insert(.example(1))
        try await store.insert(.example(2))
        let claim = PlanClaim(
            intended: [.number(101)], caller: Caller("ci"), digest: try KillPlan.example(1).digest(),
            breakGlass: Decision(.brokeGlass, by: Caller("ci"), at: commit, comment: "the night is lost"), time: commit)
        _ = try await store.claim(KillPlan.example(1).name, claim)
        let found = try await store.outbox(target: "ops", dueBy: end, limit: 2)
        XCTAssertEqual(found.map(\.kind), [.brokeGlass, .prepared])
        let waiting = try await store.waitingMessages()
        XCTAssertEqual(waiting, ["ops": 4, "chat": 4])
    }

    func testPlansOfEarlierKilldsAreCarriedOverWithoutTermsOfReview() async throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Stores/migration-7.sql")
        try Data().write(to: URL(fileURLWithPath: self.path))
        let earlier = try Connection(path: self.path)
        try earlier.execute(try String(contentsOf: path, encoding: .utf8))
        let count = try earlier.firstValue(of: "SELECT count(*) FROM plans") ?? ""
        try earlier.close()
        let store = try await openStore()
        let payload = try await store.value("SELECT payload FROM audit_entries") ?? ""
        XCTAssertTrue(payload.contains(#""earlierPlans":\#(count),"#), payload)
        let unlike = try await store.value(
            "SELECT count(*) FROM plans WHERE review IS NOT NULL OR required <> 0 OR person <> account")
        XCTAssertEqual(unlike, "0")
    }

    func testListsByStateReadNoMoreThanTheirIndex() async throws {
        let store = try await openStore()
        for (condition, index) in [
            (
                "record_history = 1 AND state <> 'prepared' AND state = 'rejected'",
                "plans_by_state (instance=? AND state=? AND rowid<?)"
            ),
            ("+record_history = 1 AND state = 'prepared'", "plans_that_are_prepared (instance=? AND rowid<?)"),
            (
                "record_history = 1 AND id IN (SELECT plan FROM decisions WHERE kind = 'broke-glass')",
                "decisions_that_broke_glass"
            ),
        ] {
            let steps = try await store.withConnection { connection in
                try Statement(
                    """
                    EXPLAIN QUERY PLAN SELECT id FROM plans WHERE instance = 'x' AND id < 5 AND \(condition)
                    ORDER BY id DESC LIMIT 20
                    """, on: connection
                ).rows { try $0.text("detail") }
            }
            XCTAssertTrue(steps.contains { $0.contains(index) }, "\(steps)")
            XCTAssertFalse(steps.contains { $0.hasPrefix("SCAN plans") || $0.contains("TEMP B-TREE") }, "\(steps)")
        }
    }

    func testTheEndOfAPlanIsFoundWithoutReadingTheAudit() async throws {
        let store = try await openStore()
        let steps = try await store.withConnection { connection in
            try Statement(
                """
                EXPLAIN QUERY PLAN SELECT seq FROM audit_entries WHERE plan = 'x' AND kind <> 'prepared'
                    AND kind IN (SELECT value FROM json_each('[]')) ORDER BY seq DESC LIMIT 1
                """, on: connection
            ).rows { try $0.text("detail") }
        }
        XCTAssertTrue(steps.contains { $0.contains("audit_entries_by_plan (plan=?)") }, "\(steps)")
        XCTAssertFalse(steps.contains { $0.hasPrefix("SCAN audit_entries") }, "\(steps)")
    }

    func testPlansThatCanStillBeDecidedAboutAreFoundWithoutReadingThoseThatExpired() async throws {
        let store = try await openStore()
        func plan(_ number: Int) -> KillPlan {
            let example = KillPlan.example(number, threads: 1)
            var content = example.content
            content.recordHistory = true
            return KillPlan(name: example.name, sqlExecID: example.sqlExecID, content: content)
        }
        try await store.insert(plan(1))
        // As many as nobody has ever committed.
        let columns = try await store.withConnection { connection in
            try Statement(
                "SELECT name FROM pragma_table_info('plans') WHERE name NOT IN ('id', 'name', 'sql_exec_id')",
                on: connection
            ).rows { try $0.text("name") }.joined(separator: ", ")
        }
        try await store.withConnection { connection in
            try connection.execute(
                """
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                INSERT INTO plans (name, sql_exec_id, \(columns))
                SELECT 'copy-' || i, 'copy' || i, \(columns) FROM (SELECT * FROM plans LIMIT 1), n
                """)
        }
        try await store.insert(plan(2))
        let open: Set<PlanStatus> = [.prepared, .approved, .committing]
        let instance = plan(1).content.instance
        func plans(_ states: Set<PlanStatus>?, at time: UnixTime) async throws -> [PlanSummary] {
            try await store.plans(PlanQuery(instances: [instance], states: states, limit: 20), at: time)
        }
        let later = preparation.advanced(bySeconds: 86_400)
        var found: [PlanSummary] = []
        let took = try await processorTimeOfAllThreads { found = try await plans(open, at: later) }
        XCTAssertEqual(found, [])
        print("the open plans beside 100,000 that expired: \(took)")
        XCTAssertLessThan(took, .milliseconds(50))
        let all = try await plans(open, at: preparation)
        XCTAssertEqual(all.count, 20)
        let listed = try await plans([.expired], at: later)
        XCTAssertEqual(listed.count, 20)
    }
}
