import AuditTrail
import DedicatedThread
import Migrations
import SessionKill
import Synchronization

/// Keeps kill plans, kill tasks and session tasks in one SQLite database.
///
/// Everything that touches the database happens on one thread, which is the
/// store's own if it is a file. Writes that wait while another is being synced to disk are folded into
/// one transaction (group commit), and no caller is answered before its
/// transaction is on disk.
///
/// The file can be read with the sqlite3 program at any time; its tables are
/// explained in `Migrations/`.
public actor SQLiteStore: PlanStore {
    /// The open store; `nil` once it is closed.
    private(set) var database: Database?
    private var waiting: [WaitingWrite] = []
    private let witness: AuditWitness?
    private var name = ""
    /// Before it no entry but the first has a payload, as far as is known.
    var firstKeptPayload: Int64 = 2
    private let thread: DedicatedThread

    private struct WaitingWrite {
        let write: Write
        let continuation: CheckedContinuation<Result<Void, any Error>, Never>
    }

    /// The most writes that share a transaction: bounds how long the first of them waits for the last.
    static let largestGroup = 256

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private init(thread: DedicatedThread, witness: AuditWitness?) {
        self.thread = thread
        self.witness = witness
    }

    /// Opens the store at `path`; creates it, readable by its owner only, if
    /// there is none; brings its tables up to date.
    ///
    /// A file that is no store of killd's, was written by a newer killd or went
    /// through other migrations than this killd's is refused and left as it is.
    ///
    /// - Parameters:
    ///   - time: recorded with the migrations that are applied.
    ///   - head: what is known of the store's audit outside of it. A store that does not have it is refused, and left as
    ///     it is.
    ///   - acceptsRollback: whether such a store is opened nevertheless, which the audit tells.
    ///   - witness: is told of every entry.
    public static func open(
        path: String, at time: UnixTime, knowing head: KnownHead? = nil, acceptsRollback: Bool = false,
        witness: AuditWitness? = nil
    ) async throws(StoreError) -> SQLiteStore {
        try await open(
            path: path, at: time, migrations: Migration.all, knowing: head, acceptsRollback: acceptsRollback,
            witness: witness)
    }

    static func open(
        path: String, at time: UnixTime, migrations: [Migration], knowing head: KnownHead? = nil,
        acceptsRollback: Bool = false, witness: AuditWitness? = nil
    ) async throws(StoreError) -> SQLiteStore {
        try await attempting("open the store \(path)") {
            let store = SQLiteStore(thread: try DedicatedThread(name: "store"), witness: witness)
            try await store.openDatabase(
                at: { .file(try StoreFile(path: path)) }, at: time, migrations: migrations, knowing: head,
                acceptsRollback: acceptsRollback)
            return store
        }
    }

    /// Opens a store in memory: a copy of the one that these bytes are.
    ///
    /// - Parameter thread: of any number of stores.
    static func openInMemory(
        copying bytes: [UInt8], on thread: DedicatedThread, at time: UnixTime
    ) async throws(StoreError) -> SQLiteStore {
        try await attempting("open a store in memory") {
            let store = SQLiteStore(thread: thread, witness: nil)
            try await store.openDatabase(
                at: { .memory(copying: bytes) }, at: time, migrations: Migration.all, knowing: nil,
                acceptsRollback: false)
            return store
        }
    }

    /// - Parameter place: taken on the store's thread.
    private func openDatabase(
        at place: @Sendable () throws -> DatabasePlace, at time: UnixTime, migrations: [Migration],
        knowing head: KnownHead?, acceptsRollback: Bool
    ) throws {
        var isRolledBack = false
        let opened = try Database(at: try place(), migrations: migrations, at: time) { connection in
            guard let head, let problem = try connection.standing(to: head).problem(with: head) else { return }
            guard acceptsRollback else { throw StoreError(.other, problem) }
            isRolledBack = true
        }
        try opened.beginAudit(at: time)
        if isRolledBack, let head {
            _ = try opened.inTransaction {
                try opened.tables.audit.append(
                    .rollbackAccepted(entry: head.sequence, hash: head.hash, store: head.store), at: time)
            }
        }
        name = try opened.connection.storeName() ?? ""
        // The last one of before is told again: nobody knows whether it was before the end of the last killd.
        let begun = opened.tables.audit.untold.take()
        let last = try begun.first.map { $0.sequence - 1 } ?? opened.tables.audit.head().sequence
        witness?(try opened.tables.audit.entries(after: last - 1), name)
        database = consume opened
    }

    /// Tells what is on disk and was not told yet.
    private func tellWitness() {
        let entries: [RecordedEntry] =
            switch database {
            case .some(let database): database.tables.audit.untold.take()
            case .none: []
            }
        if let witness, !entries.isEmpty { witness(entries, name) }
    }

    @discardableResult
    public nonisolated func insert(_ plan: KillPlan, by caller: Caller) async throws(StoreError) -> AuditReceipt {
        try await attempting("store \(plan.name.rawValue)") {
            let rows = try PlanRows(plan, preparer: caller.person)
            let event = try WrittenEvent(.prepared(plan, digest: rows.digest, by: caller))
            return try await write { tables in try tables.insert(rows, event) }
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
        _ description: String, _ find: @Sendable (borrowing Tables) throws -> PlanRecord?
    ) async throws(StoreError) -> StoredPlan? {
        try await attempting("read \(description)") { try await read(find)?.storedPlan() }
    }

    public nonisolated func plans(
        _ query: PlanQuery, at time: UnixTime
    ) async throws(StoreError) -> [PlanSummary] {
        try await attempting("read the plans") {
            try await readAtOneMoment { tables in try tables.plans.summaries(query, at: time) }
        }
    }

    public nonisolated func record(
        _ decision: Decision, on plan: PlanName
    ) async throws(StoreError) -> DecisionResult {
        try await attempting("record that \(plan.rawValue) was \(decision.kind.rawValue)") {
            try await write { tables in try tables.record(decision, on: plan) }
        }
    }

    public nonisolated func claim(_ plan: PlanName, _ claim: PlanClaim) async throws(StoreError) -> ClaimResult {
        try await attempting("record the intent of \(plan.rawValue)") {
            try await write { tables in try tables.claim(plan, claim) }
        }
    }

    @discardableResult
    public nonisolated func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> AuditReceipt? {
        try await attempting("record the end of \(plan.rawValue)") {
            try await write { tables in
                try tables.finish(plan, as: ending, outcomes: outcomes, guards: guards, at: time)
            }
        }
    }

    public nonisolated func receiptOfEnd(of plan: PlanName) async throws(StoreError) -> AuditReceipt? {
        try await attempting("read the audit's entry of the end of \(plan.rawValue)") {
            try await read { tables in try tables.audit.receiptOfEnd(of: plan) }
        }
    }

    public nonisolated func revision() async throws(StoreError) -> Int64 {
        try await attempting("read the audit's last entry") {
            try await read { tables in try tables.audit.head().sequence }
        }
    }

    /// Runs `write` in the next transaction and returns when that is on disk.
    func write<Value: Sendable>(
        _ write: @escaping @Sendable (borrowing Tables) throws -> Value
    ) async throws -> Value {
        let made = Made<Value>()
        let result = await withCheckedContinuation { continuation in
            waiting.append(
                WaitingWrite(write: { tables in made.keep(try write(tables)) }, continuation: continuation))
            if waiting.count == 1 { scheduleCommit() }
        }
        try result.get()
        guard let value = made.value else { throw StoreError(.other, "a write was not run") }
        return value
    }

    func read<Value: Sendable>(_ read: @Sendable (borrowing Tables) throws -> Value) throws -> Value {
        switch database {
        case .some(let database): return try database.read(read)
        case .none: throw Self.closed
        }
    }

    /// Reads by several statements in one transaction, so that SQLite locks the file once.
    func readAtOneMoment<Value: Sendable>(
        _ read: @Sendable (borrowing Tables) throws -> Value
    ) throws -> Value {
        switch database {
        case .some(let database): return try database.readAtOneMoment(read)
        case .none: throw Self.closed
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

    /// The commit is queued behind every write that has already reached the thread, and so takes them with it.
    private func scheduleCommit() {
        Task { commitWaiting() }
    }

    private func commitWaiting() {
        let group = waiting.prefix(Self.largestGroup)
        waiting.removeFirst(group.count)
        if !waiting.isEmpty { scheduleCommit() }
        let results: [Result<Void, any Error>] =
            switch database {
            case .some(let database): database.commit(group.map(\.write))
            case .none: group.map { _ in .failure(Self.closed) }
            }
        // Whoever asked for it may be gone: what was written is told in any case, and before it is answered.
        tellWitness()
        for (write, result) in zip(group, results) { write.continuation.resume(returning: result) }
    }

    static let closed = StoreError(.other, "the store is closed")
}

/// What a write has made, until its transaction is on disk.
private final class Made<Value: Sendable>: Sendable {
    private let kept = Mutex<Value?>(nil)

    var value: Value? { kept.withLock { $0 } }

    func keep(_ value: Value) { kept.withLock { $0 = value } }
}
