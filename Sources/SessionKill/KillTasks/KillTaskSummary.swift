/// How far a task got, in one word.
public enum KillTaskStatus: String, Hashable, Sendable {
    case running
    /// Not ended, but kept from killing by a ``KillTaskObstacle``, or because its
    /// cancellation is still to be stored.
    case suspended
    case expired
    case cancelled
}

/// A task in the list of tasks.
public struct KillTaskSummary: Hashable, Sendable {
    public let task: KillTask
    public let status: KillTaskStatus
    public let endedAt: UnixTime?
    /// The name of the account that cancelled it.
    public let cancelledBy: AccountName?
    public let killedSessions: Int

    init(_ stored: StoredKillTask, isSuspended: Bool, at time: UnixTime) {
        task = stored.task
        killedSessions = stored.killedSessions
        switch stored.state {
        case .ended(.expired, let time):
            (status, endedAt, cancelledBy) = (.expired, time, nil)
        case .ended(.cancelled(let account), let time):
            (status, endedAt, cancelledBy) = (.cancelled, time, account)
        case .running where stored.task.hasExpired(at: time):
            (status, endedAt, cancelledBy) = (.expired, stored.task.endsAt, nil)
        case .running:
            (status, endedAt, cancelledBy) = (isSuspended ? .suspended : .running, nil, nil)
        }
    }
}
