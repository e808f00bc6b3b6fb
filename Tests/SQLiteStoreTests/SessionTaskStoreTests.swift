import Migrations
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class SessionTaskStoreTests: StoreTestCase {
    private let outcomes: [SessionTaskOutcome?] = [
        nil, .ignoredUser, .loginRefused, .decided(.killed), .decided(.rollingBack(rowsLeft: 7)), .decided(.gone),
        .decided(.replaced), .decided(.protected(.replication)), .decided(.denied(.untold)),
        .decided(.denied(.byServer(message: "You are not owner of thread 5"))),
        .decided(.xaPrepared), .decided(.xaUnknown), .decided(.alreadyCommitted),
        .decided(.failed(.refused(ServerMessage(code: 1_205, text: "日本")))), .decided(.failed(.outlivedKill)),
        .decided(.unknown), .decided(.ended),
    ]

    private var sessions: [TaskedSession] {
        outcomes.enumerated().map { index, outcome in
            let row = SessionRow(
                user: "caf\u{E9}", host: "10.0.0.7:\(index)", database: index == 1 ? nil : "shop", command: "Query",
                seconds: index == 2 ? nil : .max, state: index == 3 ? nil : "",
                statement: [nil, .shown(text: "SELECT '\u{0}'", length: 99), .hidden(sha256: "ab")][index % 3],
                isActive: index.isMultiple(of: 2))
            return TaskedSession(id: .number(4_294_967_295 - index), row: index == 4 ? nil : row, outcome: outcome)
        }
    }

    func testReadsBackEverySessionAfterARestart() async throws {
        let store = try await openStore()
        let tasks: [SessionTask] = [.example(1), .example(2, node: "pi-1")]
        for task in tasks { try await store.insert(task, sessions) }
        try await store.close()
        let reopened = try await openStore()
        let running = try await reopened.runningSessionTasks()
        XCTAssertEqual(running, tasks.map { StoredSessionTask(task: $0, state: .running, sessions: sessions) })
        let found = try await reopened.sessionTask(tasks[1].id)
        XCTAssertEqual(found, running.last)
        let unknown = try await reopened.sessionTask(SessionTask.example(3).id)
        XCTAssertNil(unknown)
    }

    func testEndsATaskOnceAndReplacesItsSessions() async throws {
        let store = try await openStore()
        for (number, ending) in SessionTaskEnding.allCases.enumerated() {
            let task = SessionTask.example(number)
            try await store.insert(task, [TaskedSession(id: .number(1), row: nil, outcome: nil)])
            var hasEnded = try await store.end(task.id, as: ending, sessions, at: end)
            XCTAssertTrue(hasEnded)
            hasEnded = try await store.end(task.id, as: .error, [], at: commit)
            XCTAssertFalse(hasEnded)
            let stored = try await store.sessionTask(task.id)
            XCTAssertEqual(stored, StoredSessionTask(task: task, state: .ended(ending, at: end), sessions: sessions))
        }
        let running = try await store.runningSessionTasks()
        XCTAssertEqual(running, [])
    }

    func testDeletesWhatEndedBeforeAndNothingElse() async throws {
        let store = try await openStore()
        for number in 0..<70 {
            try await store.insert(.example(number), sessions)
            guard number > 0 else { continue }
            _ = try await store.end(
                SessionTask.example(number).id, as: .success, sessions,
                at: number < 60 ? end : end.advanced(bySeconds: 1))
        }
        let count = try await store.purgeSessionTasks(endedBefore: end.advanced(bySeconds: 1))
        XCTAssertEqual(count, 59)
        let left = try await store.value("SELECT count(*) || ' ' || count(DISTINCT task) FROM session_task_sessions")
        XCTAssertEqual(left, "\(11 * sessions.count) 11")
        let running = try await store.runningSessionTasks()
        XCTAssertEqual(running.map(\.task), [.example(0)])
    }

    func testTheSchemaRefusesWrongStates() async throws {
        let refused = [
            ("UPDATE session_tasks SET task_id = upper('a' || substr(task_id, 2))", "task_id_is_hexadecimal"),
            ("UPDATE session_tasks SET task_id = 'ab'", "task_id_is_hexadecimal"),
            ("UPDATE session_tasks SET node = ''", "node_is_not_empty"),
            ("UPDATE session_tasks SET state = 'killed'", "state_is_known"),
            ("UPDATE session_tasks SET state = 'success'", "ended_has_its_time"),
            ("UPDATE session_tasks SET ended_at = 1", "ended_has_its_time"),
            ("UPDATE session_task_sessions SET thread_id = 0", "thread_id_is_32_bits"),
            ("UPDATE session_task_sessions SET thread_id = 4294967296", "thread_id_is_32_bits"),
            ("UPDATE session_task_sessions SET user = NULL", "row_is_whole_or_absent"),
            ("UPDATE session_task_sessions SET active = NULL", "row_is_whole_or_absent"),
            ("UPDATE session_task_sessions SET active = 2", "active_is_boolean"),
            ("UPDATE session_task_sessions SET statement = 'x'", "statement_is_json"),
            ("UPDATE session_task_sessions SET outcome = 'dead'", "outcome_is_known"),
            ("UPDATE session_task_sessions SET outcome = 'failed'", "reason_where_it_belongs"),
            ("UPDATE session_task_sessions SET outcome_reason = 'mood'", "outcome_reason_is_known"),
            ("UPDATE session_task_sessions SET outcome_detail = 'x'", "detail_where_it_belongs"),
            ("UPDATE session_task_sessions SET task = 99", "FOREIGN KEY constraint failed"),
        ]
        let store = try await openStore()
        try await store.insert(.example(1), Array(sessions.prefix(1)))
        for (sql, constraint) in refused {
            do {
                try await store.execute(sql)
                XCTFail("accepted: \(sql)")
            } catch let error as SQLiteError {
                XCTAssertTrue(error.message.contains(constraint), "\(sql): \(error.message)")
            }
        }
    }

    func testAStoreFromBeforeKeepsItsPlansAndTakesTasks() async throws {
        do {
            let file = try StoreFile(path: path)
            let old = try Connection(path: file.path)
            try old.setPragma("journal_mode", to: "WAL", answering: "wal")
            try SchemaVersions(of: old, known: Array(Migration.all.prefix(3))).applyPending(to: old, at: openingTime)
            try old.execute(try KillPlan.example().earlierRows(id: 1))
            try old.close()
        }
        let store = try await openStore()
        let plan = try await store.plan(with: KillPlan.example().sqlExecID)
        XCTAssertEqual(plan?.plan, .example())
        try await store.insert(.example(1), sessions)
    }
}

extension SessionTask {
    static func example(_ number: Int, node: String? = nil) -> SessionTask {
        SessionTask(
            id: SessionTaskID(rawValue: String(repeating: "a", count: 30) + String(10 + number)),
            account: "ci",
            target: SessionTaskTarget(instance: InstanceID(rawValue: "pc-1"), node: node.map(NodeID.init)),
            plan: PlanName(rawValue: "plan-\(number)"), createdAt: preparation)
    }
}
