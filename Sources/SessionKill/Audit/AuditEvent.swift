import Text

/// Something that happened to plans or tasks, or to the rules by which they may be made, as the audit records it.
///
/// Without statements: a plan's digest binds them, and the audit outlives the time for which they are kept.
public enum AuditEvent: Hashable, Sendable {
    /// The audit begins.
    ///
    /// - Parameters:
    ///   - store: a random name by which entries of one store are told from those of another.
    ///   - earlierPlans: how many plans an earlier killd had stored by then, of which there are no entries.
    case created(store: String, earlierPlans: Int)
    case configured(AuditedConfiguration)
    case prepared(KillPlan, digest: String, by: Caller)
    /// Approved, rejected, cancelled, reviewed, or committed without the approvals needed.
    case decided(Decision, on: AuditedPlan)
    case claimed(PlanClaim, on: AuditedPlan, required: Int)
    /// Committed, stale or abandoned.
    case finished(PlanEnding, outcomes: [ThreadID: Outcome], on: AuditedPlan)
    case expired(AuditedPlan)
    case taskCreated(KillTask)
    case taskEnded(KillTaskName, KillTaskEnding)
    case sessionTaskCreated(SessionTask, threads: [ThreadID])
    case sessionTaskEnded(SessionTaskID, SessionTaskEnding, outcomes: [AuditedOutcome])
    /// Plans or tasks were deleted because they were old.
    case pruned([String], of: Pruned)
    /// Payloads of entries were dropped because they were old, the last of them that of entry `through`.
    case payloadsDropped(through: Int64, count: Int)
    /// killd was started with a store that lacks this entry, which is known outside of it.
    ///
    /// - Parameter store: the name of the store that has it.
    case rollbackAccepted(entry: Int64, hash: String, store: String?)

    public enum Pruned: String, Hashable, Sendable {
        case plans
        case killTasks = "kill-tasks"
        case sessionTasks = "session-tasks"
    }
}

extension AuditEvent {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case created
        case configured
        case prepared
        case approved
        case rejected
        case cancelled
        case brokeGlass = "broke-glass"
        case claimed
        case committed
        case stale
        case abandoned
        case expired
        case reviewed
        case taskCreated = "task-created"
        case taskEnded = "task-ended"
        case sessionTaskCreated = "session-task-created"
        case sessionTaskEnded = "session-task-ended"
        case pruned
        case rolledBack = "rolled-back"

        /// Those after which a plan stays what it is.
        public static let ends: [Kind] = [.committed, .stale, .abandoned, .rejected, .cancelled, .expired]
    }

    public var kind: Kind {
        switch self {
        case .created: .created
        case .configured: .configured
        case .prepared: .prepared
        case .decided(let decision, _):
            switch decision.kind {
            case .approved: .approved
            case .rejected: .rejected
            case .cancelled: .cancelled
            case .brokeGlass: .brokeGlass
            case .reviewed: .reviewed
            }
        case .claimed: .claimed
        case .finished(.committed, _, _): .committed
        case .finished(.stale, _, _): .stale
        case .finished(.abandoned, _, _): .abandoned
        case .finished(.rejected, _, _): .rejected
        case .finished(.cancelled, _, _): .cancelled
        case .finished(.expired, _, _), .expired: .expired
        case .taskCreated: .taskCreated
        case .taskEnded: .taskEnded
        case .sessionTaskCreated: .sessionTaskCreated
        case .sessionTaskEnded: .sessionTaskEnded
        case .pruned, .payloadsDropped: .pruned
        case .rollbackAccepted: .rolledBack
        }
    }

    /// The plan that it happened to.
    public var plan: PlanName? {
        switch self {
        case .prepared(let plan, _, _): plan.name
        case .decided(_, let plan), .claimed(_, let plan, _), .finished(_, _, let plan), .expired(let plan): plan.name
        case .created, .configured, .taskCreated, .taskEnded, .sessionTaskCreated, .sessionTaskEnded, .pruned,
            .payloadsDropped, .rollbackAccepted:
            nil
        }
    }
}

/// A plan as entries name it.
public struct AuditedPlan: Hashable, Sendable {
    public var name: PlanName
    public var instance: InstanceID
    public var digest: String

    public init(name: PlanName, instance: InstanceID, digest: String) {
        self.name = name
        self.instance = instance
        self.digest = digest
    }
}

/// What became of a session, in the words of the store's columns: sentences may be worded anew.
public struct AuditedOutcome: Hashable, Sendable {
    public var thread: ThreadID
    @Exact public var outcome: String?
    /// Why, of `denied` and `failed`.
    @Exact public var reason: String?
    /// The number of the server's error.
    public var serverError: Int64?
    @Exact public var detail: String?

    public init(thread: ThreadID, outcome: String?, reason: String?, serverError: Int64?, detail: String?) {
        self.thread = thread
        self.outcome = outcome
        self.reason = reason
        self.serverError = serverError
        self.detail = detail
    }
}

/// Who may do what, and how many have to agree, without secrets.
public struct AuditedConfiguration: Hashable, Sendable {
    public enum Occasion: String, Hashable, Sendable {
        case start
        case reload
    }

    public struct Account: Hashable, Sendable {
        public var name: AccountName
        public var person: PersonName
        /// As the configuration says it.
        public var permissions: [String]
        /// As the configuration says it: ids, or beginnings of such with a `*`.
        public var instances: [String]

        public init(name: AccountName, person: PersonName, permissions: [String], instances: [String]) {
            self.name = name
            self.person = person
            self.permissions = permissions
            self.instances = instances
        }
    }

    public var occasion: Occasion
    public var accounts: [Account]
    public var approvals: [InstanceID: ApprovalPolicy]

    public init(occasion: Occasion, accounts: [Account], approvals: [InstanceID: ApprovalPolicy]) {
        self.occasion = occasion
        self.accounts = accounts
        self.approvals = approvals
    }
}
