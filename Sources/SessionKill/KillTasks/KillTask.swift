import Cryptography

/// Ends the sessions of an instance that match a rule, again and again for a
/// time. Never changes.
public struct KillTask: Hashable, Sendable {
    public let name: KillTaskName
    public let instance: InstanceID
    /// Who created it.
    public let account: AccountName
    public let rule: KillRule
    public let createdAt: UnixTime
    /// From this instant on nothing is killed; `nil` if it goes on until it is
    /// cancelled.
    public let endsAt: UnixTime?

    public init(
        name: KillTaskName, instance: InstanceID, account: AccountName, rule: KillRule, createdAt: UnixTime,
        endsAt: UnixTime?
    ) {
        self.name = name
        self.instance = instance
        self.account = account
        self.rule = rule
        self.createdAt = createdAt
        self.endsAt = endsAt
    }

    func hasExpired(at time: UnixTime) -> Bool { endsAt.map { time >= $0 } == true }
}

/// A task's public name.
public struct KillTaskName: TextID, Codable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A fresh name: `task-` and 12 random characters.
    public static func random() throws(CryptographyError) -> KillTaskName {
        KillTaskName(rawValue: "task-" + (try randomText(count: 12, alphabet: PlanName.alphabet)))
    }
}

/// How long a task kills.
public enum KillTaskDuration: Hashable, Sendable {
    case untilCancelled
    case seconds(Int)
}

/// How a task ends.
public enum KillTaskEnding: Hashable, Sendable {
    /// Its duration was over.
    case expired
    case cancelled(by: AccountName)
}

/// How far a task got. That a running one has expired follows from the time
/// before it is stored.
public enum KillTaskState: Hashable, Sendable {
    case running
    case ended(KillTaskEnding, at: UnixTime)
}

/// A task and what has happened with it.
public struct StoredKillTask: Hashable, Sendable {
    public let task: KillTask
    public let state: KillTaskState
    /// How many sessions its plans have ended.
    public let killedSessions: Int

    public init(task: KillTask, state: KillTaskState, killedSessions: Int) {
        self.task = task
        self.state = state
        self.killedSessions = killedSessions
    }
}

/// Where kill tasks are kept, beside the plans. Every method that writes returns
/// only when the write would survive a power failure.
public protocol KillTaskStore: Sendable {
    /// Stores a new task as running.
    ///
    /// - Returns: false, with nothing changed, if its instance has a running
    ///   task already.
    func insert(_ task: KillTask) async throws(StoreError) -> Bool

    /// Ends a running task.
    ///
    /// - Returns: false, with nothing changed, if the task has ended already.
    func end(_ task: KillTaskName, as ending: KillTaskEnding, at time: UnixTime) async throws(StoreError) -> Bool

    /// Every task that has not ended.
    func runningTasks() async throws(StoreError) -> [KillTask]

    /// The tasks of `instances`, the latest first.
    func tasks(
        of instances: Set<InstanceID>, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [StoredKillTask]

    /// The plans of tasks whose Commit began and did not come to its end.
    func interruptedTaskPlans() async throws(StoreError) -> [InterruptedTaskPlan]
}

/// A task's plan whose Commit did not come to its end.
public struct InterruptedTaskPlan: Hashable, Sendable {
    public let sqlExecID: SqlExecID
    public let instance: InstanceID

    public init(sqlExecID: SqlExecID, instance: InstanceID) {
        self.sqlExecID = sqlExecID
        self.instance = instance
    }
}
