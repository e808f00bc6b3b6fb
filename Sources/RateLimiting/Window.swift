/// The calls with one key that were accepted in the last second, oldest first.
struct Window: Sendable {
    private struct AcceptedCall {
        let time: ContinuousClock.Instant
        /// Its number among all calls, the rejected ones too.
        let number: Int
    }

    /// The accepted calls; those before `firstCounted` are over a second old.
    private var accepted: [AcceptedCall] = []
    private var firstCounted = 0
    private var calls = 0

    /// - Parameter now: not before that of the call before.
    mutating func admit(at now: ContinuousClock.Instant, limit: Int) -> Admission {
        calls += 1
        while firstCounted < accepted.count, Self.isOver(accepted[firstCounted], at: now) {
            firstCounted += 1
        }
        if accepted.count - firstCounted >= limit {
            return .rejected(countInThisSecond: calls - accepted[firstCounted].number + 1, limit: limit)
        }
        removeUncounted()
        accepted.append(AcceptedCall(time: now, number: calls))
        return .accepted
    }

    /// Whether no call of the last second was accepted.
    func isIdle(at now: ContinuousClock.Instant) -> Bool {
        accepted.last.map { Self.isOver($0, at: now) } ?? true
    }

    private static func isOver(_ call: AcceptedCall, at now: ContinuousClock.Instant) -> Bool {
        call.time.duration(to: now) >= .seconds(1)
    }

    /// Waits until half of the array is of no use, so that each call is moved
    /// once on average.
    private mutating func removeUncounted() {
        guard firstCounted > accepted.count / 2 else { return }
        accepted.removeFirst(firstCounted)
        firstCounted = 0
    }
}
