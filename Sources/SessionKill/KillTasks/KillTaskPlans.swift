import Text

/// How a task's plans are made and carried out.
extension KillEngine {
    /// The most sessions that one plan of a task ends.
    static let largestTaskPlan = 1_000

    /// Whether the server would let a task do its work.
    ///
    /// - Throws: ``ServerError``, also if the session list that killd sees is
    ///   not complete.
    func requireAbilityToKill(on instance: Instance) async throws {
        try await instance.observe().requireKillPrivilege()
    }

    /// Stores a plan with the sessions that match a task's rule now, those in
    /// their present state for the longest time first.
    ///
    /// They are pinned from the same look at the server in which they matched:
    /// between two, an id could become somebody else's.
    ///
    /// - Returns: `nil`, with nothing stored, if there are none.
    /// - Throws: ``ServerError``, ``StoreError`` or `CryptographyError`; nothing
    ///   is stored then.
    func prepare(_ task: KillTask, on instance: Instance, sparing attempts: KillAttempts) async throws -> KillPlan? {
        func victims(in snapshot: IndexedObservation) -> [ThreadID] {
            let selection = TaskSelection(
                task.rule, snapshot.observation, instance.protectionRules(snapshot.observation))
            let now = clock.now()
            let selected = snapshot.observation.sessions.filter {
                selection.contains($0) && !attempts.include($0.identity, at: now)
            }
            return selected.sorted { ($0.details.seconds ?? 0, $1.id) > ($1.details.seconds ?? 0, $0.id) }
                .prefix(Self.largestTaskPlan).map(\.id)
        }
        let list = try await instance.lists.observe()
        try list.observation.requireKillPrivilege()
        guard !victims(in: list).isEmpty else { return nil }
        // Only now what costs the server more: transactions and locks.
        let snapshot = try await instance.detailedSnapshots.observe()
        let selected = victims(in: snapshot)
        guard !selected.isEmpty else { return nil }
        return try await store(
            selected, from: snapshot, on: instance, for: task.account, task: task.name, recordHistory: true)
    }

    /// Ends the sessions of a task's plan, or brings an interrupted Commit of it
    /// to its end.
    ///
    /// - Throws: as ``commit(_:on:for:)``.
    func commit(_ sqlExecID: SqlExecID, on instance: Instance, as mandate: TaskMandate) async throws -> CommitReport {
        guard let stored = try await store.plan(with: sqlExecID), stored.plan.content.task != nil,
            stored.plan.content.instance == instance.id
        else { throw KillError.planNotFound }
        return try await commit(stored, on: instance, as: mandate)
    }
}

/// What a Commit of a task's plan may do. It is narrower than that of a plan
/// which somebody looked at: nobody named these sessions.
enum TaskMandate: Sendable {
    /// To end the sessions that still match the rule, as long as it is permitted.
    case end(KillRule, KillPermit)
    /// To find out what became of a Commit that cannot go on, and kill nobody: a
    /// kill task that still runs sees for itself whom it missed.
    ///
    /// - Parameter reason: why sessions that are still there are left alone.
    case findOut(because: Outcome.Failure)
}

/// Which sessions of one look at a server a task is to end.
private struct TaskSelection {
    private let rule: KillRule
    private let protection: UnnamedProtection

    init(_ rule: KillRule, _ observation: ServerObservation, _ protection: ProtectionRules) {
        self.rule = rule
        self.protection = UnnamedProtection(observation, protection)
    }

    func contains(_ session: Session) -> Bool {
        rule.selects(session) && session.identity.isPinnable && protection.protection(of: session) == nil
    }
}

/// Who is protected where nobody named the sessions that are to end.
struct UnnamedProtection {
    private let rules: ProtectionRules
    /// The users as which killd itself is there, another killd perhaps included.
    private let ownUsers: Set<ExactText>

    init(_ observation: ServerObservation, _ rules: ProtectionRules) {
        self.rules = rules
        let own = observation.sessions.filter { observation.ownThreadIDs.contains($0.id) }
        ownUsers = Set(own.map { ExactText($0.identity.user) })
    }

    func protection(of session: Session) -> Protection? {
        if let protection = rules.protection(of: session) { return protection }
        // A connection that killd is just opening is not known for its own yet.
        if ownUsers.contains(ExactText(session.identity.user)) { return .ownConnection }
        // Both servers' name for whoever has not logged in: it may become a protected user's session.
        if session.identity.user.isSame(as: "unauthenticated user") { return .systemThread }
        return nil
    }
}

extension KillRule {
    /// Whether a task with this rule should end a session: it matches, and its
    /// end is not under way already.
    func selects(_ session: Session) -> Bool { !session.details.isBeingKilled && matches(session) }
}

/// The sessions that a task tried to end a short while ago.
///
/// One that cannot be ended would otherwise be in a plan a second.
struct KillAttempts: Sendable {
    /// Seconds until a session is tried again.
    static let pause = 60

    private struct Attempt {
        let identity: SessionIdentity
        let until: UnixTime
    }

    private var attempts: [ThreadID: Attempt] = [:]

    func include(_ session: SessionIdentity, at time: UnixTime) -> Bool {
        guard let attempt = attempts[session.id], time < attempt.until else { return false }
        return attempt.identity.isSameSession(as: session)
    }

    /// Adds the sessions of a plan, and forgets those whose time is over.
    mutating func add(_ plan: KillPlan) {
        let now = plan.content.preparedAt
        attempts = attempts.filter { now < $0.value.until }
        for session in plan.content.threads.compactMap(\.session) {
            attempts[session.identity.id] = Attempt(
                identity: session.identity, until: now.advanced(bySeconds: Self.pause))
        }
    }
}
