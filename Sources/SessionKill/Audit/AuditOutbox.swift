/// Entries of the audit that somebody outside is still to be told of. They are put there in the transaction of the
/// entry, so that none is forgotten in a crash.
public protocol AuditOutbox: Sendable {
    /// Says who is to be told from now on, each by a name that stays the same over restarts. What others were still to
    /// be told is forgotten.
    func setOutboxTargets(_ targets: [String]) async throws(StoreError)

    /// What a target is to be told by a time, in the order of the entries, but that glass was broken before all else.
    func outbox(target: String, dueBy time: UnixTime, limit: Int) async throws(StoreError) -> [OutboxMessage]

    func settle(_ message: Int64, as settlement: OutboxSettlement) async throws(StoreError)

    /// When the target is to be told something next; `nil` if there is nothing to tell.
    func nextDue(target: String) async throws(StoreError) -> UnixTime?

    /// How many messages each target that has any is still to be told.
    func waitingMessages() async throws(StoreError) -> [String: Int]
}

public struct OutboxMessage: Hashable, Sendable {
    public var id: Int64
    /// The entry's number in the audit.
    public var entry: Int64
    /// Of the entry.
    public var hash: String
    public var kind: AuditEvent.Kind
    public var time: UnixTime
    /// The entry as it was hashed: one line of JSON; `nil` where it is not kept any more.
    public var payload: String?
    public var plan: PlanName?
    /// How often it was tried.
    public var attempts: Int
    public var dueAt: UnixTime

    public init(
        id: Int64, entry: Int64, hash: String, kind: AuditEvent.Kind, time: UnixTime, payload: String?,
        plan: PlanName?, attempts: Int, dueAt: UnixTime
    ) {
        self.id = id
        self.entry = entry
        self.hash = hash
        self.kind = kind
        self.time = time
        self.payload = payload
        self.plan = plan
        self.attempts = attempts
        self.dueAt = dueAt
    }
}

public enum OutboxSettlement: Hashable, Sendable {
    case delivered
    /// Nobody needs it any more, or it will never arrive.
    case dropped
    /// It was tried and is to be tried again.
    case retry(at: UnixTime)
}
