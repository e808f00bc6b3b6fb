/// Lets a task's KILLs pass until it is closed for good.
///
/// Whoever closed it knows that no KILL of the task is on its way any more.
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

    /// What `kill` returns, or `nil` if it was not permitted and not called.
    func callAsFunction<Value: Sendable>(_ kill: @Sendable () async -> Value) async -> Value? {
        guard !isRevoked, endsAt.map({ now() < $0 }) != false else { return nil }
        killsUnderWay += 1
        let value = await kill()
        killsUnderWay -= 1
        if killsUnderWay == 0 {
            for caller in waiting { caller.resume() }
            waiting = []
        }
        return value
    }

    /// Returns when no KILL is under way; there will be none after.
    func revoke() async {
        isRevoked = true
        guard killsUnderWay > 0 else { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}
