import Text

/// How a task's plans are made and carried out.
extension KillEngine {
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
    /// - Returns: `nil`, with nothing stored, if there are none.
    /// - Throws: ``ServerError``, ``StoreError`` or `CryptographyError`; nothing
    ///   is stored then.
    func prepare(_ task: KillTask, on instance: Instance, sparing attempts: KillAttempts) async throws -> KillPlan? {
        let selected = try await select(.matching(task.rule, sparing: attempts), on: instance)
        guard !selected.pinned.isEmpty else { return nil }
        return try await store(selected, on: instance, for: Caller(task.account), task: task.name)
    }
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
