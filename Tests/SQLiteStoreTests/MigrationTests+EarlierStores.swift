import Foundation
import Migrations
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

// Stores as earlier killds have left them.
extension MigrationTests {
    /// A store with what killd wrote before it knew of previews: an ended plan, and one that could be committed.
    func testPlansFromBeforePreviewsKeepTheirAnswersAndCannotBeCommittedUnseen() async throws {
        try makeStore(Array(Migration.all.prefix(1)))
        let details = """
            {"command":"Query","database":"shop","seconds":12,"state":"executing",\
            "statement":"SELECT ''日''","transaction":{"age":9,"id":"1811","rowsModified":7,"state":"RUNNING"}}
            """
        let fingerprint = String(
            decoding: try JSONEncoder().encode(KillPlan.example().content.fingerprint), as: UTF8.self)
        let digest = String(repeating: "0", count: 64)
        func plan(_ id: Int, _ state: String, endedAt: String) -> String {
            """
            INSERT INTO plans (id, name, sql_exec_id, digest, account, instance, prepared_at, expires_at, \
            record_history, fingerprint, state, ended_at) VALUES (\(id), 'plan-\(id)', 'ticket\(id)', '\(digest)', \
            'ci', 'cdb-8jawylhf', 100, 700, 1, '\(fingerprint)', '\(state)', \(endedAt));
            INSERT INTO threads VALUES (\(id), 0, 101, 'app', 'h:1', 900, '\(details)', 200, NULL, NULL);
            INSERT INTO threads VALUES (\(id), 1, 102, 'app', 'h:2', NULL, '{"command":"Sleep"}', NULL, NULL, NULL);
            INSERT INTO threads VALUES (\(id), 2, 103, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
            """
        }
        let old = try Connection(path: path)
        try old.execute(plan(1, "committed", endedAt: "300") + plan(2, "prepared", endedAt: "NULL"))
        try old.execute("UPDATE threads SET outcome = 'killed' WHERE plan = 1 AND thread_id = 101")
        try old.close()

        let store = try await openStore()
        let found = try await store.plan(named: PlanName(rawValue: "plan-1"))
        let ended = try XCTUnwrap(found)
        XCTAssertEqual(
            ended.state,
            .ended(.committed, at: UnixTime(milliseconds: 300), outcomes: [.number(101): .killed]))
        XCTAssertEqual(
            ended.plan.content.threads.map(\.session?.details),
            [
                PinnedDetails(
                    database: "shop", command: "Query", seconds: 12, state: "executing",
                    statement: .shown(text: "SELECT '日'", length: 12),
                    transaction: Transaction(id: "1811", age: 9, rowsModified: 7, state: "RUNNING")),
                PinnedDetails(command: "Sleep", seconds: nil), nil,
            ])
        let history = try await store.history(
            of: [InstanceID(rawValue: "cdb-8jawylhf")], at: UnixTime(milliseconds: 150), skipping: 0, limit: 10)
        XCTAssertEqual(history.map(\.status), [.expired, .committed])
    }

    func testAPlanFromBeforeEndedSessionsKeepsItsOutcomesAndItsReferences() async throws {
        try makeStore(Array(Migration.all.prefix(4)))
        let plan = KillPlan.example(1, threads: 9)
        let old = try Connection(path: path)
        try old.execute(
            try plan.earlierRows(
                id: 1,
                outcomes: [
                    ("killed", nil), ("rolling-back", "7"), ("gone", nil), ("replaced", nil),
                    ("protected", "replication"), ("denied", nil), ("xa-prepared", nil), ("failed", "1205: x"),
                    ("unknown", nil),
                ]))
        try old.close()

        let store = try await openStore()
        let stored = try await store.plan(named: plan.name)
        XCTAssertEqual(stored?.plan, plan)
        let outcomes: [Outcome] = [
            .killed, .rollingBack(rowsLeft: 7), .gone, .replaced, .protected(.replication), .denied(.untold),
            .xaPrepared, .failed(.refused(ServerMessage(code: 1_205, text: "x"))), .unknown,
        ]
        XCTAssertEqual(
            stored?.state,
            .ended(
                .committed, at: end,
                outcomes: Dictionary(uniqueKeysWithValues: zip(plan.content.threads.map(\.id), outcomes))))
        // The tables were made anew, and so was what refers to them.
        _ = try await store.purge(endedOrExpiredBefore: UnixTime(milliseconds: .max))
        let rows = try await store.value("SELECT count(*) FROM threads")
        XCTAssertEqual(rows, "0")
    }

    /// The tables of a store that has approvals and an audit are made anew around them.
    func testTheFirstStoreWithApprovalsKeepsItsDecisionsAndItsAudit() async throws {
        try makeStore(Array(Migration.all.prefix(9)))
        let fingerprint = String(
            decoding: try JSONEncoder().encode(KillPlan.example().content.fingerprint), as: UTF8.self)
        let (digest, hash) = (String(repeating: "0", count: 64), String(repeating: "a", count: 64))
        let old = try Connection(path: path)
        try old.execute(
            """
            INSERT INTO plans (id, name, sql_exec_id, digest, account, person, requested_by, reason, instance, prepared_at, \
            expires_at, record_history, fingerprint, review, risk_grade, required, approvable_until, commit_within) \
            VALUES (7, 'plan-7', 'ticket7', '\(digest)', 'ci', 'ci', 'dan', 'stuck', 'cdb-8jawylhf', 100, 700, 1, \
            '\(fingerprint)', '{"waits":[],"omittedWaits":0}', 'high', 2, 600, 300);
            INSERT INTO threads (plan, position, thread_id, user, host) VALUES (7, 0, 101, 'app', 'h:1');
            INSERT INTO audit_entries VALUES (1, 100, 'prepared', 'plan-7', '{}', '\(hash)', '\(hash)');
            INSERT INTO decisions (plan, kind, account, person, at, digest, entry) \
            VALUES (7, 'approved', 'bob', 'bob', 200, '\(digest)', 1);
            INSERT INTO outbox_targets VALUES ('chat');
            INSERT INTO outbox (target, entry, due_at) VALUES ('chat', 1, 100);
            """)
        let before = try Self.contents(of: old)
        try old.close()

        let store = try await openStore()
        let after = try await store.withConnection { try Self.contents(of: $0) }
        XCTAssertEqual(after, before)
        let found = try await store.plan(named: PlanName(rawValue: "plan-7"))
        XCTAssertEqual(found?.plan.content.requestedBy, PersonName(rawValue: "dan"))
        XCTAssertEqual(found?.decisions.map(\.caller.person), [PersonName(rawValue: "bob")])
    }

    private static func contents(of connection: borrowing Connection) throws -> [String?] {
        try [
            "json_array(id, name, person, requested_by, reason, review, risk_grade, required, state) FROM plans",
            "json_array(plan, position, thread_id, user, host) FROM threads",
            "json_array(seq, at, kind, plan, payload, payload_sha256, hash) FROM audit_entries",
            "json_array(plan, kind, account, person, at, digest, entry) FROM decisions",
            "json_array(target, entry, due_at) FROM outbox",
        ].map { try connection.firstValue(of: "SELECT \($0)") }
    }

    /// What a killd wrote whose digests did not bind the ticket, and whose fingerprints had no mark of the start.
    func testAPlanOfAnEarlierKilldIsVerifiedAsThatKilldMadeIt() async throws {
        try makeStore(Array(Migration.all.prefix(4)))
        let details = """
            {"command":"Sleep","freedSessions":0,"hasPreparedXA":false,"seconds":1,"state":"","wantedLocks":[]}
            """
        let fingerprint = """
            {"connectionCount":309,"hostname":"vm","port":33991,"serverID":1,"startedAt":1795977208,\
            "uniqueID":"pgaDltRzGv30QoyXnINnt9R2Mrs=","version":"10.11.19-MariaDB-0+deb12u1"}
            """
        let old = try Connection(path: path)
        try old.execute(
            """
            INSERT INTO plans (id, name, sql_exec_id, digest, account, instance, prepared_at, expires_at, \
            record_history, fingerprint, state, impact) VALUES (1, 'plan-7mq4u3byvqf3', 'kJ8OfAJ0zUVf', \
            '7a95a9290bafe69ef24c8acdd0542d6d7116e5f2bb33fa23cf072b0efd5a0be6', 'ci', 'cdb-8jawylhf', 1795977815917, \
            1795978415917, 1, '\(fingerprint)', 'prepared', '{"freedSessions":0,"unexplainedWaiters":0}');
            INSERT INTO threads VALUES (1, 0, 308, 'app', 'localhost:37204', NULL, NULL, '\(details)', NULL, NULL, NULL);
            INSERT INTO threads VALUES (1, 1, 309, 'app', 'localhost:37220', NULL, NULL, '\(details)', NULL, NULL, NULL);
            """)
        try old.close()

        let found = try await openStore().plan(with: SqlExecID(rawValue: "kJ8OfAJ0zUVf"))
        let stored = try XCTUnwrap(found)
        XCTAssertEqual(try stored.plan.digest(), stored.digest)
        // As this killd reads the same server, and as it would read the next process.
        var now = stored.plan.content.fingerprint
        now.startMark = "88cf-02fc00000001"
        XCTAssertNil(stored.plan.content.fingerprint.difference(from: now))
        now.startedAt? += 1
        XCTAssertEqual(stored.plan.content.fingerprint.difference(from: now), .serverRestarted)
    }
}
