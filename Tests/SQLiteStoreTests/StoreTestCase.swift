import CSQLite
import Foundation
import Migrations
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

/// Gives each test a fresh folder, and afterwards closes every store that the
/// test opened, making sure that none of its statements was left running.
class StoreTestCase: XCTestCase {
    private(set) var folder = ""
    private var stores: [SQLiteStore] = []

    var path: String { folder + "/killd.sqlite" }

    override func setUpWithError() throws {
        folder = NSTemporaryDirectory() + "killd-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }

    override func tearDown() async throws {
        for store in stores {
            guard await store.isOpen else { continue }
            let busy = await store.busyStatements()
            XCTAssertEqual(busy, [])
            try await store.close()
        }
        stores = []
        try FileManager.default.removeItem(atPath: folder)
    }

    func openStore(
        _ path: String? = nil, migrations: [Migration] = Migration.all, witness: AuditWitness? = nil
    ) async throws -> SQLiteStore {
        let store = try await SQLiteStore.open(
            path: path ?? self.path, at: openingTime, migrations: migrations, witness: witness)
        stores.append(store)
        return store
    }

    /// The error that `body` throws.
    func storeError(
        file: StaticString = #filePath, line: UInt = #line, _ body: () async throws -> Void
    ) async throws -> StoreError {
        do {
            try await body()
        } catch let error as StoreError {
            return error
        }
        XCTFail("nothing was thrown", file: file, line: line)
        throw XCTSkip("nothing to go on with")
    }

    func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }
}

let openingTime = UnixTime(milliseconds: 1_790_000_000_000)
let preparation = UnixTime(milliseconds: 1_790_000_100_123)
let commit = UnixTime(milliseconds: 1_790_000_200_456)
let end = UnixTime(milliseconds: 1_790_000_200_999)

extension SQLiteStore {
    var isOpen: Bool {
        switch database {
        case .some: true
        case .none: false
        }
    }

    /// Runs `body` on the store's thread with its connection.
    func withConnection<Value: Sendable>(_ body: @Sendable (borrowing Connection) throws -> Value) throws -> Value {
        switch database {
        case .some(let database): return try body(database.connection)
        case .none: throw StoreError(.other, "closed")
        }
    }

    func execute(_ sql: String) throws { try withConnection { try $0.execute(sql) } }

    func value(_ sql: String) throws -> String? { try withConnection { try $0.firstValue(of: sql) } }

    func busyStatements() -> [String] {
        switch database {
        case .some(let database):
            var busy: [String] = []
            var statement = sqlite3_next_stmt(database.connection.handle, nil)
            while let current = statement {
                if sqlite3_stmt_busy(current) != 0 { busy.append(String(cString: sqlite3_sql(current))) }
                statement = sqlite3_next_stmt(database.connection.handle, current)
            }
            return busy
        case .none:
            return []
        }
    }

    /// Performs `writes` so that all of them wait before the first is begun:
    /// they are queued while this keeps the store's thread.
    func performTogether(_ writes: [Write]) async -> [Result<Void, any Error>] {
        let tasks = writes.map { write in Task { try await self.write(write) } }
        var answers: [Result<Void, any Error>] = []
        for task in tasks { answers.append(await task.result) }
        return answers
    }
}

extension SQLiteStore {
    @discardableResult
    func purge(endedOrExpiredBefore time: UnixTime) async throws(StoreError) -> Int {
        try await purge(endedOrExpiredBefore: time, at: time)
    }

    @discardableResult
    func purgeSessionTasks(endedBefore time: UnixTime) async throws(StoreError) -> Int {
        try await purgeSessionTasks(endedBefore: time, at: time)
    }
}

extension PlanRows {
    init(_ plan: KillPlan) throws {
        try self.init(plan, preparer: PersonName(rawValue: plan.content.account.rawValue))
    }
}

extension ThreadID {
    /// For numbers that stand in a test.
    static func number(_ number: Int) -> ThreadID {
        guard let id = ThreadID(number) else { preconditionFailure("\(number) is no thread id") }
        return id
    }
}

extension KillPlan {
    /// A plan with threads 101, 102, …
    static func example(_ number: Int = 1, threads count: Int = 2, expiresAt: UnixTime? = nil) -> KillPlan {
        KillPlan(
            name: PlanName(rawValue: "plan-\(number)"), sqlExecID: SqlExecID(rawValue: "ticket\(number)"),
            content: Content(
                account: "ci", instance: InstanceID(rawValue: "cdb-8jawylhf"), preparedAt: preparation,
                expiresAt: expiresAt ?? preparation.advanced(bySeconds: 600), recordHistory: false,
                fingerprint: ServerFingerprint(
                    uniqueID: "a1b2", hostname: "db-1", port: 3306, serverID: 1, version: "9.7.0",
                    startedAt: 1_789_000_000, connectionCount: 4_711),
                threads: (0..<count).map { index in
                    PinnedThread(
                        PinnedSession(
                            identity: SessionIdentity(
                                id: .number(101 + index), user: "app", host: "10.0.0.7:\(50_000 + index)",
                                performanceSchemaThreadID: UInt64(900 + index)),
                            details: PinnedDetails(
                                database: "shop", command: "Query", seconds: 12, state: "executing",
                                statement: .shown(text: "SELECT SLEEP(100)", length: 17))))
                }))
    }
}

extension KillPlan {
    /// Statements that write it as killds did whose table of threads had a column `picture`.
    ///
    /// - Parameter outcomes: the columns `outcome` and `outcome_detail` of the first threads; with them, the plan is
    ///   committed, and KILL was intended for all threads.
    func earlierRows(id: Int, outcomes: [(outcome: String, detail: String?)] = []) throws -> String {
        func literal(_ text: String?) -> String {
            text.map { "'" + $0.replacing("'", with: "''") + "'" } ?? "NULL"
        }
        let rows = try PlanRows(self)
        let intendedAt = outcomes.isEmpty ? "NULL" : String(commit.milliseconds)
        let progress = outcomes.isEmpty ? "'prepared', NULL" : "'committed', \(end.milliseconds)"
        let plan = """
            INSERT INTO plans (id, name, sql_exec_id, digest, account, instance, prepared_at, expires_at, \
            record_history, fingerprint, state, ended_at) VALUES (\(id), '\(rows.name)', '\(rows.sqlExecID)', \
            '\(rows.digest)', '\(rows.account)', '\(rows.instance)', \(rows.preparedAt), \(rows.expiresAt), 0, \
            '\(rows.fingerprint)', \(progress));
            """
        let threads = rows.threads.enumerated().map { position, thread in
            let (outcome, detail) = position < outcomes.count ? outcomes[position] : (nil, nil)
            return """
                INSERT INTO threads (plan, position, thread_id, user, host, performance_schema_thread_id, picture, \
                intended_at, outcome, outcome_detail) VALUES (\(id), \(position), \(thread.id), \
                \(literal(thread.session?.user)), \(literal(thread.session?.host)), \
                \(thread.session?.performanceSchemaThreadID.map(String.init) ?? "NULL"), \
                \(literal(thread.session?.details)), \(intendedAt), \(literal(outcome)), \(literal(detail)));
                """
        }
        return plan + threads.joined()
    }
}
