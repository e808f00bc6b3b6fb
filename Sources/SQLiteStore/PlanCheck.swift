import AuditTrail
import SessionKill

/// An entry about a plan.
struct TrailEntry {
    let sequence: Int64
    let time: UnixTime
    /// `nil` if there is no such kind.
    let kind: AuditEvent.Kind?
    let word: String
    /// `nil` once it is no longer kept.
    let members: [(name: String, value: JSONSlice)]?

    init(_ row: borrowing Row) throws {
        sequence = try row.integer("seq")
        time = UnixTime(milliseconds: try row.integer("at"))
        word = try row.text("kind")
        kind = AuditEvent.Kind(rawValue: word)
        members = try row.optionalText("payload").flatMap { JSONSlice($0).members }
    }

    subscript(_ name: String) -> JSONSlice? { members?.first { $0.name == name }?.value }
}

/// A comparison of a plan, as it is stored, with the entries about it.
///
/// Entries are never written anew: who changes what a plan's columns hold, or what an entry says of them, has to have
/// this read both.
struct PlanCheck {
    private let stored: StoredPlan
    private let progress: ProgressColumns
    private let audited: AuditedPlan
    /// The column that only lists read.
    private let grade: String?
    /// The decisions that no entry has told of yet, and the entries that they say tell of them.
    private(set) var strays: [(decision: Decision, entry: Int64)]
    private(set) var faults: [PlanFault] = []
    /// Whether it was prepared before there was an audit.
    var isEarlier = false

    /// Where the entries have led to.
    private var state: PlanStatus?
    private var brokeGlass = false
    private var approvers: Set<String> = []
    private var claim: TrailEntry?

    init(
        _ stored: StoredPlan, _ progress: ProgressColumns, grade: String?, decisionEntries: [Int64]
    ) throws {
        guard decisionEntries.count == stored.decisions.count else {
            throw StoreError(.damaged, "the plan's decisions cannot be counted")
        }
        self.stored = stored
        self.progress = progress
        self.grade = grade
        audited = AuditedPlan(name: stored.plan.name, instance: stored.plan.content.instance, digest: stored.digest)
        strays = Array(zip(stored.decisions, decisionEntries)).map { ($0, $1) }
    }

    mutating func run(_ entries: [TrailEntry]) throws {
        if try stored.plan.digest() != stored.digest { faults.append(.digest) }
        guard isEarlier || entries.first?.kind == .prepared else { return faults.append(.notPrepared) }
        if isEarlier, let first = entries.first?.kind {
            // What was committing when the audit began can have ended in any of these ways.
            state = [.committed, .stale, .abandoned].contains(first) ? .committing : .prepared
        }
        for entry in entries { try take(entry) }
        let told = state ?? stored.state.status
        if told != stored.state.status {
            faults.append(.state(stored.state.status.rawValue, told: told.rawValue))
        }
        checkClaim()
    }

    private mutating func take(_ entry: TrailEntry) throws {
        guard let kind = entry.kind, let next = Self.state(after: kind, in: state, brokeGlass)
        else { return faults.append(.outOfOrder(entry: entry.sequence, kind: entry.word)) }
        switch kind {
        case .prepared:
            let caller = Caller(account: stored.plan.content.account, person: stored.preparer)
            try compare(
                entry, .prepared(stored.plan, digest: stored.digest, by: caller), unknown: ["address", "requestId"])
            if entry["grade"]?.string != grade { differ(entry, "grade") }
        case .approved, .rejected, .cancelled, .brokeGlass, .reviewed: try takeDecision(entry, kind)
        case .claimed: try takeClaim(entry)
        case .committed, .stale, .abandoned, .expired: try takeEnd(entry, kind)
        default: break
        }
        state = next
    }

    /// - Returns: `nil` if no entry of that kind can stand there.
    private static func state(
        after kind: AuditEvent.Kind, in state: PlanStatus?, _ brokeGlass: Bool
    ) -> PlanStatus? {
        switch (kind, state) {
        case (.prepared, nil), (.approved, .prepared), (.brokeGlass, .prepared): .prepared
        case (.rejected, .prepared): .rejected
        case (.cancelled, .prepared): .cancelled
        case (.expired, .prepared): .expired
        case (.claimed, .prepared): .committing
        case (.committed, .committing): .committed
        case (.stale, .committing), (.stale, .prepared): .stale
        case (.abandoned, .committing), (.abandoned, .prepared): .abandoned
        case (.reviewed, let state?) where brokeGlass && ![.prepared, .committing].contains(state): state
        default: nil
        }
    }

    private mutating func takeDecision(_ entry: TrailEntry, _ kind: AuditEvent.Kind) throws {
        guard
            let place = strays.firstIndex(where: {
                $0.entry == entry.sequence && $0.decision.kind.rawValue == entry.word
            })
        else { return faults.append(.decisionRemoved(kind: entry.word, entry: entry.sequence)) }
        let decision = strays.remove(at: place).decision
        try compare(entry, .decided(decision, on: audited))
        if decision.time != entry.time { differ(entry, "at") }
        if [.rejected, .cancelled].contains(kind), progress.endedAt != entry.time.milliseconds { differ(entry, "at") }
        if kind == .approved, decision.digest == stored.digest { approvers.insert(decision.caller.person.rawValue) }
        if kind == .brokeGlass { brokeGlass = true }
    }

    private mutating func takeClaim(_ entry: TrailEntry) throws {
        claim = entry
        let made = PlanClaim(
            intended: [], caller: Caller(account: stored.plan.content.account, person: stored.preparer),
            digest: stored.digest, time: entry.time)
        // Who stands behind the account can be another one by then.
        try compare(
            entry, .claimed(made, on: audited, required: 0),
            unknown: ["address", "requestId", "person", "required", "approvals", "threads"])
        let approved = Set(entry["approvals"]?.strings ?? [])
        let required = Int(entry["required"]?.integer ?? .max)
        let ofPlan = stored.plan.content.review?.required ?? 0
        guard required >= ofPlan, approved.isSubset(of: approvers), approved.count >= required || brokeGlass else {
            return faults.append(.noQuorum(entry: entry.sequence))
        }
    }

    private mutating func takeEnd(_ entry: TrailEntry, _ kind: AuditEvent.Kind) throws {
        guard case .ended(let ending, let time, let outcomes, _) = stored.state, ending.status.rawValue == entry.word
        else { return }
        try compare(
            entry, kind == .expired ? .expired(audited) : .finished(ending, outcomes: outcomes, on: audited))
        // What a Commit saw and could not store for a while is stored as of the time when it saw it.
        if time > entry.time { differ(entry, "at") }
    }

    /// The columns in which a claim is kept after the plan's end.
    private mutating func checkClaim() {
        guard let claim else {
            if !isEarlier, progress.committingSince != nil || progress.threads.contains(where: \.isIntended) {
                faults.append(.state("committing", told: (state ?? .prepared).rawValue))
            }
            return
        }
        if progress.committingSince != claim.time.milliseconds { differ(claim, "at") }
        let intended = zip(stored.plan.content.threads, progress.threads).filter(\.1.isIntended).map {
            Int64($0.0.id.rawValue)
        }
        let told = claim["threads"]?.elements?.compactMap { $0["id"]?.integer } ?? []
        if told.sorted() != intended.sorted() { differ(claim, "threads") }
    }

    private mutating func compare(_ entry: TrailEntry, _ event: AuditEvent, unknown: Set<String> = []) throws {
        guard let members = entry.members else { return }
        guard let member = try event.difference(from: members, unknown: unknown) else { return }
        differ(entry, member)
    }

    private mutating func differ(_ entry: TrailEntry, _ member: String) {
        faults.append(.differs(entry: entry.sequence, member: member))
    }
}
