import Cryptography
import SessionKill

extension SQLiteStore: AuditOutbox {
    /// Records what happened to no plan and to no task.
    @discardableResult
    public nonisolated func append(_ event: AuditEvent, at time: UnixTime) async throws(StoreError) -> AuditReceipt {
        try await attempting("append to the audit") {
            try await write { tables in try tables.audit.append(event, at: time) }
        }
    }

    public nonisolated func setOutboxTargets(_ targets: [String]) async throws(StoreError) {
        try await attempting("set the targets of the outbox") {
            try await write { tables in try tables.audit.setTargets(targets) }
        }
    }

    public nonisolated func outbox(
        target: String, dueBy time: UnixTime, limit: Int
    ) async throws(StoreError) -> [OutboxMessage] {
        try await attempting("read the outbox") {
            try await read { tables in try tables.audit.messages(to: target, dueBy: time, limit: limit) }
        }
    }

    public nonisolated func settle(
        _ message: Int64, as settlement: OutboxSettlement
    ) async throws(StoreError) {
        try await attempting("settle a message of the outbox") {
            try await write { tables in try tables.audit.settle(message, as: settlement) }
        }
    }

    public nonisolated func nextDue(target: String) async throws(StoreError) -> UnixTime? {
        try await attempting("read the outbox") {
            try await read { tables in try tables.audit.nextDue(of: target) }
        }
    }

    public nonisolated func waitingMessages() async throws(StoreError) -> [String: Int] {
        try await attempting("count the messages of the outbox") {
            try await read { tables in try tables.audit.waitingMessages() }
        }
    }

    /// A text by which what is told of this store is known from what is told of others.
    public nonisolated func auditName() async throws(StoreError) -> String {
        // The first entry holds a random name, which its hash stands for also when the entry is no longer kept.
        try await attempting("read the beginning of the audit") {
            try await read { tables in String(try tables.audit.receipt(1).hash.prefix(16)) }
        }
    }
}

extension Database {
    /// Appends the first entry, if there is none.
    borrowing func beginAudit(at time: UnixTime) throws {
        guard try tables.audit.head().sequence == 0 else { return }
        let store = try randomText(count: 32, alphabet: "0123456789abcdef")
        try inTransaction {
            let earlierPlans = try tables.plans.countAll()
            try tables.audit.append(.created(store: store, earlierPlans: earlierPlans), at: time)
        }
    }
}
