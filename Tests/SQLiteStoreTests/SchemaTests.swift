import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class SchemaTests: StoreTestCase {
    func testTheSchemaRefusesWrongStates() async throws {
        let refused = [
            ("UPDATE plans SET state = 'approved'", "state_is_known"),
            ("UPDATE plans SET state = 'expired'", "ended_has_its_time"),
            ("UPDATE plans SET committing_since = 1", "uncommitted_was_never_committing"),
            (
                "UPDATE plans SET state = 'rejected', ended_at = 2, committing_since = 1",
                "uncommitted_was_never_committing"
            ),
            ("UPDATE plans SET state = 'committed', ended_at = 2", "committing_has_its_time"),
            ("UPDATE plans SET review = 'x'", "review_is_json"),
            ("UPDATE plans SET review = '{}'", "review_is_whole_or_absent"),
            ("UPDATE plans SET required = 1", "review_is_whole_or_absent"),
            ("UPDATE plans SET required = -1", "required_is_a_count"),
            ("UPDATE plans SET risk_grade = 'grave'", "risk_grade_is_known"),
            (
                "INSERT INTO decisions (plan, kind, account, person, at, entry) VALUES (1, 'liked', 'a', 'a', 1, 1)",
                "kind_is_known"
            ),
            (
                "INSERT INTO decisions (plan, kind, account, person, at, entry) VALUES (9, 'approved', 'a', 'a', 1, 1)",
                "FOREIGN KEY constraint failed"
            ),
            ("DELETE FROM audit_entries", "entries of the audit are never deleted"),
            ("UPDATE audit_entries SET payload = '{}'", "entries of the audit are never changed"),
            ("UPDATE audit_entries SET payload = NULL, at = 1", "entries of the audit are never changed"),
            ("UPDATE plans SET state = 'committing'", "committing_has_its_time"),
            ("UPDATE plans SET state = 'committing', committing_since = 1, ended_at = 2", "ended_has_its_time"),
            ("UPDATE plans SET state = 'committed', committing_since = 1", "ended_has_its_time"),
            ("UPDATE plans SET ended_at = 2", "ended_has_its_time"),
            ("UPDATE plans SET state = 'stale', ended_at = 2", "stale_has_its_reason"),
            ("UPDATE plans SET state = 'stale', ended_at = 2, stale_reason = 'mood'", "stale_reason_is_known"),
            ("UPDATE plans SET stale_reason = 'another-server'", "stale_has_its_reason"),
            ("UPDATE plans SET expires_at = prepared_at - 1", "expires_after_preparation"),
            ("UPDATE plans SET digest = 'abc'", "digest_is_sha256"),
            ("UPDATE plans SET digest = upper(digest)", "digest_is_sha256"),
            ("UPDATE plans SET record_history = 2", "record_history_is_boolean"),
            ("UPDATE plans SET fingerprint = '{'", "fingerprint_is_json"),
            ("UPDATE plans SET account = NULL", "NOT NULL constraint failed: plans.account"),
            ("UPDATE plans SET prepared_at = 'today'", "cannot store TEXT value in INTEGER column"),
            ("UPDATE threads SET thread_id = 0", "thread_id_is_32_bits"),
            ("UPDATE threads SET thread_id = 4294967296", "thread_id_is_32_bits"),
            ("UPDATE threads SET position = -1", "position_is_not_negative"),
            ("UPDATE threads SET user = NULL", "session_is_whole_or_absent"),
            ("UPDATE threads SET host = NULL", "session_is_whole_or_absent"),
            ("UPDATE threads SET user = NULL, host = NULL, details = NULL", "session_is_whole_or_absent"),
            (
                "UPDATE threads SET user = NULL, host = NULL, performance_schema_thread_id = NULL",
                "session_is_whole_or_absent"
            ),
            ("UPDATE threads SET details = 'idle'", "details_are_json"),
            ("UPDATE threads SET client = 'psql'", "client_is_json"),
            ("UPDATE plans SET impact = '{'", "impact_is_json"),
            ("UPDATE threads SET plan = 99", "FOREIGN KEY constraint failed"),
            ("UPDATE threads SET outcome = 'dead'", "outcome_is_known"),
            ("UPDATE threads SET outcome = 'killed'", "killed_only_after_intent"),
            ("UPDATE threads SET outcome = 'gone', outcome_detail = 'x'", "detail_where_it_belongs"),
            ("UPDATE threads SET outcome = 'failed'", "reason_where_it_belongs"),
            ("UPDATE threads SET outcome_reason = 'task-interrupted'", "reason_where_it_belongs"),
            ("UPDATE threads SET outcome = 'failed', outcome_reason = 'mood'", "outcome_reason_is_known"),
            ("UPDATE threads SET outcome = 'failed', outcome_reason = 'untold'", "denied_for_a_reason_of_its_own"),
            ("UPDATE threads SET outcome = 'denied', outcome_reason = 'not-pinnable'", "denied_for_a_reason"),
            ("UPDATE threads SET outcome = 'failed', outcome_reason = 'worded'", "detail_where_it_belongs"),
            (
                "UPDATE threads SET outcome = 'failed', outcome_reason = 'refused', outcome_detail = 'x'",
                "server_error_where_it_belongs"
            ),
            ("UPDATE threads SET server_error = 1317", "server_error_where_it_belongs"),
            ("UPDATE threads SET outcome_detail = 'x'", "detail_where_it_belongs"),
            ("UPDATE threads SET outcome = 'ended'", "ended_only_after_intent"),
            ("UPDATE threads SET outcome = 'already-committed'", "committed_only_after_intent"),
            ("UPDATE threads SET outcome = 'xa-unknown', outcome_detail = 'x'", "detail_where_it_belongs"),
            ("UPDATE threads SET outcome = 'rolling-back', outcome_detail = ''", "rolling_back_tells_rows"),
            ("UPDATE threads SET outcome = 'rolling-back', outcome_detail = '-1'", "rolling_back_tells_rows"),
            ("UPDATE threads SET outcome = 'protected', outcome_detail = 'friend'", "protected_tells_why"),
            ("UPDATE plans SET task = 99", "FOREIGN KEY constraint failed"),
            ("UPDATE kill_tasks SET ends_at = created_at", "ends_after_creation"),
            ("UPDATE kill_tasks SET host = ''", "host_is_not_empty"),
            ("UPDATE kill_tasks SET user = ''", "user_is_not_empty"),
            ("UPDATE kill_tasks SET databases = '[]'", "databases_are_not_empty"),
            ("UPDATE kill_tasks SET databases = '{\"a\":1}'", "databases_are_not_empty"),
            ("UPDATE kill_tasks SET databases = 'shop'", "malformed JSON"),
            ("UPDATE kill_tasks SET commands = '[]'", "commands_are_not_empty"),
            ("UPDATE kill_tasks SET longer_than = -1", "longer_than_is_not_negative"),
            ("UPDATE kill_tasks SET statement_prefix = ''", "statement_prefix_is_not_empty"),
            ("UPDATE kill_tasks SET statement_keywords = '[]'", "statement_keywords_are_not_empty"),
            ("UPDATE kill_tasks SET statement_prefix = 'a', statement_keywords = '[\"a\"]'", "one_condition_on_the"),
            ("UPDATE kill_tasks SET state = 'suspended'", "state_is_known"),
            ("UPDATE kill_tasks SET state = 'expired'", "ended_has_its_time"),
            ("UPDATE kill_tasks SET ended_at = 1", "ended_has_its_time"),
            ("UPDATE kill_tasks SET state = 'cancelled', ended_at = 1", "cancelled_has_its_account"),
            ("UPDATE kill_tasks SET cancelled_by = 'ci'", "cancelled_has_its_account"),
            ("UPDATE kill_tasks SET state = 'expired', ended_at = 1, ends_at = NULL", "expired_had_an_end"),
            ("UPDATE kill_tasks SET killed_sessions = -1", "killed_sessions_is_a_count"),
            (
                "INSERT INTO kill_tasks (name, account, instance, created_at) "
                    + "SELECT 'another', account, instance, 1 FROM kill_tasks",
                "UNIQUE constraint failed: kill_tasks.instance"
            ),
        ]
        let store = try await openStore()
        try await store.insert(.example(threads: 1))
        _ = try await store.insert(KillTask.example())
        for (sql, constraint) in refused {
            do {
                try await store.execute(sql)
                XCTFail("accepted: \(sql)")
            } catch let error as SQLiteError {
                XCTAssertTrue(error.message.contains(constraint), "\(sql): \(error.message)")
            }
        }
        let stored = try await store.plan(with: KillPlan.example().sqlExecID)
        XCTAssertEqual(stored?.plan, .example(threads: 1))
        let tasks = try await store.runningTasks()
        XCTAssertEqual(tasks, [.example()])
    }

    func testErrorsNeverShowWhatWasBound() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        let error = try await storeError { try await store.insert(.example()) }
        XCTAssertTrue(error.description.contains("INSERT INTO plans"), error.description)
        for secret in ["ticket1", "SLEEP", "10.0.0.7"] {
            XCTAssertFalse(error.description.contains(secret), error.description)
        }
    }
}
