import Text

/// How many persons have to agree before sessions of an instance are ended, and for how long their word is good.
public struct ApprovalPolicy: Hashable, Sendable, Codable {
    /// How many by the grade of the plan.
    public var required: [RiskGrade: Int]
    /// How long after Prepare a plan can be approved, in seconds.
    public var approvableFor: Int
    /// How long after the approval that completed the quorum a plan can be committed, in seconds.
    public var commitWithin: Int
    public var thresholds: RiskThresholds

    public init(
        required: [RiskGrade: Int] = [:], approvableFor: Int = 600, commitWithin: Int = 300,
        thresholds: RiskThresholds = RiskThresholds()
    ) {
        self.required = required
        self.approvableFor = approvableFor
        self.commitWithin = commitWithin
        self.thresholds = thresholds
    }

    /// Of an instance that asks nobody.
    public static let none = ApprovalPolicy()

    /// - Parameter grade: `nil` where nobody could tell, which is taken for the gravest.
    public func required(for grade: RiskGrade?) -> Int { required[grade ?? .high] ?? 0 }

    /// Whether plans of some grade need an approval. Nobody ends a session there by a rule that nobody saw.
    public var asks: Bool { highest > 0 }

    /// How many persons the grade asks for that asks for the most.
    public var highest: Int { required.values.max() ?? 0 }
}

/// From where on a number alone makes a plan grave.
public struct RiskThresholds: Hashable, Sendable, Codable {
    /// Rows to undo, of all sessions together.
    public var rows: UInt64
    /// Sessions that would die.
    public var sessions: Int

    public init(rows: UInt64 = 100_000, sessions: Int = 50) {
        self.rows = rows
        self.sessions = sessions
    }
}

/// What a plan asks for and what its approvers are shown beside its sessions, fixed at Prepare and bound by the digest.
public struct ReviewTerms: Hashable, Sendable {
    /// `nil` where nothing was looked at that could tell (`RecordHistory` false).
    public var risk: RiskAssessment?
    /// How many persons have to approve.
    public var required: Int
    public var approvableUntil: UnixTime
    /// Seconds after the approval that completed the quorum.
    public var commitWithin: Int
    /// Who waited for whom, at most ``mostWaits``.
    public var waits: [WaitEdge]
    /// How many more there were.
    public var omittedWaits: Int

    public static let mostWaits = 200

    public init(
        risk: RiskAssessment?, required: Int, approvableUntil: UnixTime, commitWithin: Int, waits: [WaitEdge] = [],
        omittedWaits: Int = 0
    ) {
        self.risk = risk
        self.required = required
        self.approvableUntil = approvableUntil
        self.commitWithin = commitWithin
        self.waits = waits
        self.omittedWaits = omittedWaits
    }
}

/// A session that waited for another one's lock when the plan was made.
public struct WaitEdge: Hashable, Sendable, Codable {
    public var waiter: ThreadID
    @Exact public var user: String
    @Exact public var host: String
    /// How long the waiter has been in its state, in seconds; `nil` where the server does not tell.
    public var seconds: Int64?
    /// `nil` if no session holds it: it belongs to a prepared XA transaction whose session is gone.
    public var holder: ThreadID?
    public var lock: Lock

    public init(waiter: ThreadID, user: String, host: String, seconds: Int64?, holder: ThreadID?, lock: Lock) {
        self.waiter = waiter
        self.user = user
        self.host = host
        self.seconds = seconds
        self.holder = holder
        self.lock = lock
    }
}
