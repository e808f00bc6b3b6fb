import DedicatedThread
import Migrations
import SessionKill

/// Keeps kill plans, kill tasks and session tasks in one SQLite database.
///
/// Everything that touches the database happens on one thread of the store's
/// own. Writes that wait while another is being synced to disk are folded into
/// one transaction (group commit), and no caller is answered before its
/// transaction is on disk.
///
/// The file can be read with the sqlite3 program at any time; its tables are
/// explained in `Migrations/`.
public actor SQLiteStore: PlanStore {
    /// The open store; `nil` once it is closed.
    private(set) var database: Database?
    private var waiting: [WaitingWrite] = []
    private let thread: DedicatedThread

    private struct WaitingWrite {
        let write: Write
        let continuation: CheckedContinuation<Result<Int, any Error>, Never>
    }

    /// The most writes that share a transaction: bounds how long the first of them waits for the last.
    static let largestGroup = 256
    /// The most plans deleted at once, so that a purge never keeps others waiting for long.
    static let purgePortion = 32

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private init(thread: DedicatedThread) { self.thread = thread }

    /// Opens the store at `path`; creates it, readable by its owner only, if
    /// there is none; brings its tables up to date.
    ///
    /// A file that is no store of killd's, was written by a newer killd or went
    /// through other migrations than this killd's is refused and left as it is.
    ///
    /// - Parameter time: recorded with the migrations that are applied.
    public static func open(path: String, at time: UnixTime) async throws(StoreError) -> SQLiteStore {
        try await open(path: path, at: time, migrations: Migration.all)
    }

    static func open(
        path: String, at time: UnixTime, migrations: [Migration]
    ) async throws(StoreError) -> SQLiteStore {
        try await attempting("open the store \(path)") {
            let store = SQLiteStore(thread: try DedicatedThread(name: "store"))
            try await store.openDatabase(path: path, at: time, migrations: migrations)
            return store
        }
    }

    private func openDatabase(path: String, at time: UnixTime, migrations: [Migration]) throws {
        database = try Database(path: path, migrations: migrations, at: time)
    }

    public nonisolated func insert(_ plan: KillPlan) async throws(StoreError) {
        try await attempting("store \(plan.name.rawValue)") {
            let rows = try PlanRows(plan)
            _ = try await write { tables in try tables.plans.insert(rows) }
        }
    }

    public nonisolated func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan? {
        // Without the ticket: whoever reads the log must not be able to commit.
        try await plan("a plan") { tables in try tables.plans.plan(with: sqlExecID) }
    }

    public nonisolated func plan(named name: PlanName) async throws(StoreError) -> StoredPlan? {
        try await plan(name.rawValue) { tables in try tables.plans.plan(named: name) }
    }

    private nonisolated func plan(
        _ description: String, _ find: @Sendable (borrowing Tables) throws -> (PlanRows, ProgressColumns)?
    ) async throws(StoreError) -> StoredPlan? {
        try await attempting("read \(description)") {
            guard let (rows, progress) = try await read(find) else { return nil }
            return try rows.storedPlan(progress: progress)
        }
    }

    public nonisolated func history(
        of instances: Set<InstanceID>, at time: UnixTime, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [PlanSummary] {
        try await attempting("read the history") {
            let rows = try await read { tables in
                try tables.plans.history(of: instances, skipping: offset, limit: limit)
            }
            return try rows.map { try $0.summary(at: time) }
        }
    }

    public nonisolated func claim(
        _ plan: PlanName, intending threads: [ThreadID], at time: UnixTime
    ) async throws(StoreError) -> Bool {
        try await attempting("record the intent of \(plan.rawValue)") {
            try await write { tables in try tables.plans.claim(plan, intending: threads, at: time) } == 1
        }
    }

    public nonisolated func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> Bool {
        try await attempting("record the end of \(plan.rawValue)") {
            try await write { tables in
                try tables.plans.finish(plan, as: ending, outcomes: outcomes, guards: guards, at: time)
            } == 1
        }
    }

    /// Deletes every plan that ended, or expired without being committed,
    /// before `time`, in portions between which others can write; then every
    /// task that ended before `time` and none of whose plans is left. A plan
    /// that is committing is kept, however old, and so is a running task.
    ///
    /// - Returns: how many plans were deleted.
    public nonisolated func purge(endedOrExpiredBefore time: UnixTime) async throws(StoreError) -> Int {
        let count = try await purge("plans") { tables in
            try tables.plans.deletePlans(endedOrExpiredBefore: time, limit: Self.purgePortion)
        }
        _ = try await purge("tasks") { tables in
            try tables.tasks.deleteTasks(endedBefore: time, limit: Self.purgePortion)
        }
        return count
    }

    nonisolated func purge(
        _ description: String, _ deletePortion: @escaping Write
    ) async throws(StoreError) -> Int {
        var total = 0
        while true {
            let deleted = try await attempting("delete old \(description)") { try await write(deletePortion) }
            total += deleted
            if deleted < Self.purgePortion { return total }
        }
    }

    /// Finishes the writes that wait, moves the WAL into the database file and
    /// closes it. Every later call throws.
    public func close() async throws(StoreError) {
        while !waiting.isEmpty { commitWaiting() }
        try attempting("close the store") {
            guard let database = database.take() else { throw Self.closed }
            try database.close()
        }
    }

    /// Runs `write` in the next transaction and returns when that is on disk.
    func write(_ write: @escaping Write) async throws -> Int {
        let result = await withCheckedContinuation { continuation in
            waiting.append(WaitingWrite(write: write, continuation: continuation))
            if waiting.count == 1 { scheduleCommit() }
        }
        return try result.get()
    }

    func read<Value: Sendable>(_ read: @Sendable (borrowing Tables) throws -> Value) throws -> Value {
        switch database {
        case .some(let database): return try database.read(read)
        case .none: throw Self.closed
        }
    }

    /// The commit is queued behind every write that has already reached the thread, and so takes them with it.
    private func scheduleCommit() {
        Task { commitWaiting() }
    }

    private func commitWaiting() {
        let group = waiting.prefix(Self.largestGroup)
        waiting.removeFirst(group.count)
        if !waiting.isEmpty { scheduleCommit() }
        let results: [Result<Int, any Error>] =
            switch database {
            case .some(let database): database.commit(group.map(\.write))
            case .none: group.map { _ in .failure(Self.closed) }
            }
        for (write, result) in zip(group, results) { write.continuation.resume(returning: result) }
    }

    static let closed = StoreError(.other, "the store is closed")
}
