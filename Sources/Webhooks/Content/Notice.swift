public import SessionKill
import Text

/// What people and programs are told of one entry of the audit: which plan, what its death would cost, who did what.
///
/// No statements, and nothing by which anybody could commit or approve.
public struct Notice: Hashable, Sendable {
    /// What happened to a plan, by the names that the audit has for it.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case prepared
        case approved
        case rejected
        case cancelled
        case brokeGlass = "broke-glass"
        case claimed
        case committed
        case stale
        case expired
        case reviewed
        case abandoned
    }

    /// The same over all attempts to deliver it.
    public var id: MessageID
    public var kind: Kind
    public var time: UnixTime
    public var audit: AuditReceipt
    public var plan: PlanName
    public var instance: InstanceID
    /// Who did it; `nil` for what killd notices by itself.
    public var actor: Actor?
    /// What the actor gave as a reason or comment.
    @Exact public var comment: String?
    /// `nil` if the plan is not kept any more.
    public var content: Content?
    /// Where people see the plan.
    public var link: String?

    public init(
        id: MessageID, kind: Kind, time: UnixTime, audit: AuditReceipt, plan: PlanName, instance: InstanceID,
        actor: Actor? = nil, comment: String? = nil, content: Content? = nil, link: String? = nil
    ) {
        self.id = id
        self.kind = kind
        self.time = time
        self.audit = audit
        self.plan = plan
        self.instance = instance
        self.actor = actor
        self.comment = comment
        self.content = content
        self.link = link
    }

    /// Names a message: of which store, and which entry of its audit, so that receivers see gaps.
    public struct MessageID: Hashable, Sendable, CustomStringConvertible {
        public let store: String
        public let entry: Int64

        public init(store: String, entry: Int64) {
            self.store = store
            self.entry = entry
        }

        public var description: String { "\(store).\(entry)" }
    }

    public struct Actor: Hashable, Sendable {
        public var account: AccountName
        public var person: PersonName

        public init(account: AccountName, person: PersonName) {
            self.account = account
            self.person = person
        }
    }

    /// What the plan says, as far as it is anybody's business.
    public struct Content: Hashable, Sendable {
        public var digest: String
        public var preparedBy: AccountName
        public var requestedBy: PersonName?
        @Exact public var reason: String?
        /// `nil` where nothing was looked at.
        public var risk: RiskAssessment?
        /// How many sessions would die.
        public var sessions: Int
        /// Whose they are, each name once.
        public var users: [ExactText]
        public var required: Int
        /// The persons who have approved.
        public var approvedBy: [PersonName]
        /// Until when it can be approved, or, as soon as it needs no more approvals, committed; `nil` once it has ended.
        public var deadline: UnixTime?
        /// How many of its sessions were seen to be gone.
        public var killed: Int
        /// What became of its sessions.
        public var outcomes: [Outcome.Kind: Int]
        public var staleReason: StaleReason?

        public init(
            digest: String, preparedBy: AccountName, requestedBy: PersonName? = nil, reason: String? = nil,
            risk: RiskAssessment? = nil, sessions: Int, users: [String], required: Int = 0,
            approvedBy: [PersonName] = [], deadline: UnixTime? = nil, killed: Int = 0,
            outcomes: [Outcome.Kind: Int] = [:], staleReason: StaleReason? = nil
        ) {
            self.digest = digest
            self.preparedBy = preparedBy
            self.requestedBy = requestedBy
            self.reason = reason
            self.risk = risk
            self.sessions = sessions
            self.users = users.map { ExactText($0) }
            self.required = required
            self.approvedBy = approvedBy
            self.deadline = deadline
            self.killed = killed
            self.outcomes = outcomes
            self.staleReason = staleReason
        }

        var missingApprovals: Int { max(0, required - approvedBy.count) }
    }

    /// Whether it asks somebody to decide, and says nothing any more once somebody has.
    public var asksForDecision: Bool { kind == .prepared && (content?.required ?? 0) > 0 }
}

extension Notice.Kind {
    /// What targets are told of unless they say otherwise.
    public static let usual = Set(allCases).subtracting([.claimed])
}
