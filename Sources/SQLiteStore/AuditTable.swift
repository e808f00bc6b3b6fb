import AuditTrail
import SessionKill

/// The statements on the tables `audit_entries` and `outbox`, prepared once.
///
/// What a method does belongs to the transaction of whoever calls it. The last entry is read from the table each time:
/// one that was kept in memory would survive the undoing of the write that made it.
struct AuditTable: ~Copyable {
    /// What was appended and nobody was told of yet.
    let untold = UntoldEntries()
    private let selectHead: Statement
    private let insertEntry: Statement
    private let insertMessages: Statement
    private let selectHash: Statement
    private let selectEnd: Statement
    private let selectAfter: Statement
    private let dropPayloads: Statement
    private let selectFirstKept: Statement
    private let deleteTargets: Statement
    private let insertTargets: Statement
    private let selectDue: Statement
    private let selectNextDue: Statement
    private let countMessages: Statement
    private let postponeMessage: Statement
    private let deleteMessage: Statement
}

/// Entries from when they are appended until they are told outside, so that they need not be read again. Whoever undoes
/// what has appended some takes them out.
final class UntoldEntries {
    private(set) var entries: [RecordedEntry] = []

    func append(_ entry: RecordedEntry) { entries.append(entry) }

    func removeAll(after count: Int) { entries.removeLast(entries.count - count) }

    func take() -> [RecordedEntry] {
        defer { entries = [] }
        return entries
    }
}

/// The last entry.
struct AuditHead {
    /// 0 if there is none.
    var sequence: Int64 = 0
    var time = UnixTime(milliseconds: .min)
    var hash = AuditChain.firstPrevious

    /// What counts as the time of something that happens now: a clock that was set back revives nothing.
    func time(atLeast time: UnixTime) -> UnixTime { max(self.time, min(time, SQLiteStore.endOfYear9999)) }
}

extension AuditTable {
    init(on connection: borrowing Connection) throws(SQLiteError) {
        self.init(
            selectHead: try Statement(
                "SELECT seq, at, hash FROM audit_entries ORDER BY seq DESC LIMIT 1", on: connection),
            insertEntry: try Statement(
                """
                INSERT INTO audit_entries (seq, at, kind, plan, payload, payload_sha256, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """, on: connection),
            insertMessages: try Statement(
                "INSERT INTO outbox (target, entry, due_at) SELECT target, ?, ? FROM outbox_targets", on: connection),
            selectHash: try Statement("SELECT hash FROM audit_entries WHERE seq = ?", on: connection),
            selectEnd: try Statement(
                """
                SELECT seq, hash FROM audit_entries
                WHERE plan = ? AND kind <> 'prepared' AND kind IN (SELECT value FROM json_each(?))
                ORDER BY seq DESC LIMIT 1
                """, on: connection),
            selectAfter: try Statement(
                "SELECT seq, hash, kind, plan FROM audit_entries WHERE seq > ? ORDER BY seq", on: connection),
            // The first one names the store; what was deleted is told for ever.
            dropPayloads: try Statement(
                """
                UPDATE audit_entries SET payload = NULL WHERE seq IN (
                    SELECT seq FROM audit_entries WHERE seq >= max(?, 2) AND payload IS NOT NULL AND at < ? AND kind <> 'pruned'
                        AND (plan IS NULL OR plan NOT IN (SELECT name FROM plans))
                        AND seq NOT IN (SELECT entry FROM outbox)
                    ORDER BY seq LIMIT ?)
                RETURNING seq
                """, on: connection),
            selectFirstKept: try Statement(
                "SELECT seq FROM audit_entries WHERE seq >= max(?, 2) AND payload IS NOT NULL ORDER BY seq LIMIT 1",
                on: connection),
            deleteTargets: try Statement(
                "DELETE FROM outbox_targets WHERE target NOT IN (SELECT value FROM json_each(?))", on: connection),
            insertTargets: try Statement(
                "INSERT INTO outbox_targets SELECT value FROM json_each(?) WHERE true ON CONFLICT DO NOTHING",
                on: connection),
            selectDue: try Statement(
                """
                SELECT id, entry, hash, kind, at, payload, audit_entries.plan, attempts, due_at
                FROM outbox JOIN audit_entries ON seq = entry
                WHERE target = ? AND due_at <= ? ORDER BY kind <> 'broke-glass', entry LIMIT ?
                """, on: connection),
            selectNextDue: try Statement("SELECT min(due_at) AS time FROM outbox WHERE target = ?", on: connection),
            countMessages: try Statement(
                "SELECT target, count(*) AS count FROM outbox GROUP BY target", on: connection),
            postponeMessage: try Statement(
                "UPDATE outbox SET attempts = attempts + 1, due_at = ? WHERE id = ?", on: connection),
            deleteMessage: try Statement("DELETE FROM outbox WHERE id = ?", on: connection))
    }

    borrowing func head() throws -> AuditHead {
        try selectHead.rows { row in
            AuditHead(
                sequence: try row.integer("seq"), time: UnixTime(milliseconds: try row.integer("at")),
                hash: try row.text("hash"))
        }.first ?? AuditHead()
    }

    /// - Parameter time: by the clock. The entry's is no earlier than that of the one before.
    @discardableResult
    borrowing func append(_ event: AuditEvent, at time: UnixTime) throws -> AuditReceipt {
        try append(WrittenEvent(event), at: time)
    }

    @discardableResult
    borrowing func append(_ event: WrittenEvent, at time: UnixTime) throws -> AuditReceipt {
        let head = try head()
        let (sequence, time) = (head.sequence + 1, head.time(atLeast: time))
        let payload = event.payload(sequence: sequence, at: time)
        let payloadHash = try AuditChain.payloadHash(payload)
        let hash = try AuditChain.hash(sequence: sequence, previous: head.hash, payloadHash: payloadHash)
        try insertEntry.run([
            .integer(sequence), .integer(time.milliseconds), .text(event.kind.rawValue),
            SQLiteValue(event.plan?.rawValue), .text(payload), .text(payloadHash), .text(hash),
        ])
        try insertMessages.run([.integer(sequence), .integer(time.milliseconds)])
        untold.append(
            RecordedEntry(sequence: sequence, hash: hash, kind: event.kind.rawValue, plan: event.plan?.rawValue))
        return AuditReceipt(entry: sequence, hash: hash)
    }

    /// Where the entry with that number stands.
    borrowing func receipt(_ entry: Int64) throws -> AuditReceipt {
        guard let hash = try selectHash.rows([.integer(entry)], { try $0.text("hash") }).first else {
            throw StoreError(.damaged, "the audit lacks entry \(entry)")
        }
        return AuditReceipt(entry: entry, hash: hash)
    }

    /// Where the end of a plan stands.
    borrowing func receiptOfEnd(of plan: PlanName) throws -> AuditReceipt? {
        let kinds = try SQLiteValue(jsonArray: AuditEvent.Kind.ends.map(\.rawValue))
        return try selectEnd.rows([.text(plan.rawValue), kinds]) { row in
            AuditReceipt(entry: try row.integer("seq"), hash: try row.text("hash"))
        }.first
    }

    /// In order.
    borrowing func entries(after sequence: Int64) throws -> [RecordedEntry] {
        try selectAfter.rows([.integer(sequence)]) { row in
            RecordedEntry(
                sequence: try row.integer("seq"), hash: try row.text("hash"), kind: try row.text("kind"),
                plan: try row.optionalText("plan"))
        }
    }

    /// Drops at most `limit` payloads of entries from before `time`.
    ///
    /// - Returns: whose they were.
    borrowing func dropPayloads(from first: Int64, before time: UnixTime, limit: Int) throws -> [Int64] {
        try dropPayloads.rows([.integer(first), .integer(time.milliseconds), .integer(Int64(limit))]) {
            try $0.integer("seq")
        }
    }

    borrowing func firstKeptPayload(from first: Int64) throws -> Int64? {
        try selectFirstKept.rows([.integer(first)]) { try $0.integer("seq") }.first
    }

    // MARK: The outbox

    borrowing func setTargets(_ targets: [String]) throws {
        let names = try SQLiteValue(jsonArray: targets)
        try deleteTargets.run([names])
        try insertTargets.run([names])
    }

    borrowing func messages(to target: String, dueBy time: UnixTime, limit: Int) throws -> [OutboxMessage] {
        try selectDue.rows([.text(target), .integer(time.milliseconds), .integer(Int64(limit))]) { row in
            let kind = try row.text("kind")
            guard let known = AuditEvent.Kind(rawValue: kind) else {
                throw StoreError(.damaged, "\(kind) is no kind of entry")
            }
            return OutboxMessage(
                id: try row.integer("id"), entry: try row.integer("entry"), hash: try row.text("hash"), kind: known,
                time: UnixTime(milliseconds: try row.integer("at")), payload: try row.optionalText("payload"),
                plan: try row.optionalText("plan").map(PlanName.init), attempts: Int(try row.integer("attempts")),
                dueAt: UnixTime(milliseconds: try row.integer("due_at")))
        }
    }

    borrowing func nextDue(of target: String) throws -> UnixTime? {
        try selectNextDue.rows([.text(target)]) { try $0.optionalInteger("time") }.first?
            .map { UnixTime(milliseconds: $0) }
    }

    borrowing func waitingMessages() throws -> [String: Int] {
        let counts = try countMessages.rows { row in (try row.text("target"), Int(try row.integer("count"))) }
        return Dictionary(uniqueKeysWithValues: counts)
    }

    borrowing func settle(_ message: Int64, as settlement: OutboxSettlement) throws {
        switch settlement {
        case .delivered, .dropped: try deleteMessage.run([.integer(message)])
        case .retry(let time): try postponeMessage.run([.integer(time.milliseconds), .integer(message)])
        }
    }
}
