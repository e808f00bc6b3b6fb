import Cryptography
import Text

/// Exactly which sessions are to die, as Prepare pinned them. Never changes.
public struct KillPlan: Hashable, Sendable {
    public let name: PlanName
    /// The preparer's capability to commit. Approvers see a digest that binds it, but not the ticket.
    public let sqlExecID: SqlExecID
    public let content: Content

    public init(name: PlanName, sqlExecID: SqlExecID, content: Content) {
        self.name = name
        self.sqlExecID = sqlExecID
        self.content = content
    }

    /// What the digest binds, besides the name and the ticket.
    public struct Content: Hashable, Sendable {
        /// Who asked.
        public var account: AccountName
        public var instance: InstanceID
        /// The kill task that made the plan; `nil` if somebody asked for it.
        public var task: KillTaskName?
        public var preparedAt: UnixTime
        /// From this instant on a Commit is refused.
        public var expiresAt: UnixTime
        /// Whether the history shows the plan. Without, only what the laws need
        /// is kept: identities, intents and outcomes.
        public var recordHistory: Bool
        public var fingerprint: ServerFingerprint
        /// In the order of the request, each id once.
        public var threads: [PinnedThread]
        /// `nil` without history, as the details are.
        public var impact: PlanImpact?
        /// For whom the account says that it asks.
        public var requestedBy: PersonName?
        /// Why, in the words of whoever asked.
        @Exact public var reason: String?
        /// `nil` in plans of tasks, and of a killd that did not know of approvals.
        public var review: ReviewTerms?

        public init(
            account: AccountName, instance: InstanceID, task: KillTaskName? = nil, preparedAt: UnixTime,
            expiresAt: UnixTime, recordHistory: Bool, fingerprint: ServerFingerprint, threads: [PinnedThread],
            impact: PlanImpact? = nil, requestedBy: PersonName? = nil, reason: String? = nil,
            review: ReviewTerms? = nil
        ) {
            self.account = account
            self.instance = instance
            self.task = task
            self.preparedAt = preparedAt
            self.expiresAt = expiresAt
            self.recordHistory = recordHistory
            self.fingerprint = fingerprint
            self.threads = threads
            self.impact = impact
            self.requestedBy = requestedBy
            self.reason = reason
            self.review = review
        }
    }
}

extension KillPlan {
    /// From this instant on nobody can approve it, nor commit it by breaking glass.
    public var approvableUntil: UnixTime { content.review?.approvableUntil ?? content.expiresAt }
}

/// One thread of a plan.
public struct PinnedThread: Hashable, Sendable {
    public let id: ThreadID
    /// The session that had the id at Prepare; `nil` if none had.
    public let session: PinnedSession?

    /// A thread that Prepare found.
    public init(_ session: PinnedSession) {
        id = session.identity.id
        self.session = session
    }

    /// A thread that Prepare did not find: whoever has the id later was never approved of.
    public init(absent id: ThreadID) {
        self.id = id
        session = nil
    }
}

/// The plan's public name: knowing it does not let anybody commit.
public struct PlanName: TextID, Codable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A fresh name: `plan-` and 12 random characters.
    public static func random() throws(CryptographyError) -> PlanName {
        PlanName(rawValue: "plan-" + (try randomText(count: 12, alphabet: alphabet)))
    }

    /// Without l, o, 0 and 1, which people take for each other.
    static let alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
}

/// The ticket that Prepare answers and Commit takes.
public struct SqlExecID: TextID, Codable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A fresh ticket: 12 random letters and digits, 71 bits.
    public static func random() throws(CryptographyError) -> SqlExecID {
        SqlExecID(rawValue: try randomText(count: 12, alphabet: alphabet))
    }

    static let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
}

/// The name of a configured account, such as `ci`.
public struct AccountName: TextID {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// The id of a configured instance, such as `cdb-8jawylhf`.
public struct InstanceID: TextID, Codable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}
