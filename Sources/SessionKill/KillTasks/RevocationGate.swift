/// A task's permission to kill, which can be taken back for good.
///
/// Whoever took it back knows that no KILL of the task is on its way any more.
actor RevocationGate {
    private let endsAt: UnixTime?
    private let now: @Sendable () -> UnixTime
    private var isRevoked = false
    private var killsUnderWay = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameter endsAt: when it ends by itself, if it does.
    init(endsAt: UnixTime?, now: @escaping @Sendable () -> UnixTime) {
        self.endsAt = endsAt
        self.now = now
    }

    /// What `kill` answers, or `nil` if it was not permitted and not called.
    func callAsFunction<Answer: Sendable>(_ kill: @Sendable () async -> Answer) async -> Answer? {
        guard !isRevoked, endsAt.map({ now() < $0 }) != false else { return nil }
        killsUnderWay += 1
        let answer = await kill()
        killsUnderWay -= 1
        if killsUnderWay == 0 {
            for caller in waiting { caller.resume() }
            waiting = []
        }
        return answer
    }

    /// Returns when no KILL is under way; there will be none after.
    func revoke() async {
        isRevoked = true
        guard killsUnderWay > 0 else { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}
