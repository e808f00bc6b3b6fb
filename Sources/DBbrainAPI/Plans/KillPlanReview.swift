import SessionKill

/// What it costs if the sessions of a plan die.
public struct KillPlanRisk: Codable, Sendable {
    /// `low`, `medium` or `high`.
    public var Grade: String
    /// The gravest first, each for people: `1,203,004 rows to undo (12)`, with the threads of which it is true.
    public var Reasons: [String]

    init(_ risk: RiskAssessment) {
        Grade = risk.grade.rawValue
        Reasons = risk.reasons.map(\.description)
    }
}

public struct KillPlanApproval: Codable, Sendable {
    public var Person: String
    public var Account: String
    public var At: String
    /// Where the request came from.
    public var Address: String?
    public var Comment: String?
    /// Whether it counts now: not if its account has lost the right since, and not twice of one person.
    public var Valid: Bool

    init(_ decision: Decision, isValid: Bool) {
        Person = decision.caller.person.rawValue
        Account = decision.caller.account.rawValue
        At = decision.time.text
        Address = decision.caller.request?.address
        Comment = decision.comment
        Valid = isValid
    }
}

/// What somebody has decided about a plan.
public struct KillPlanDecision: Codable, Sendable {
    /// `rejected`, `cancelled`, `broke-glass` or `reviewed`.
    public var Kind: String
    public var Account: String
    public var Person: String
    public var At: String
    public var Reason: String?

    init(_ decision: Decision) {
        Kind = decision.kind.rawValue
        Account = decision.caller.account.rawValue
        Person = decision.caller.person.rawValue
        At = decision.time.text
        Reason = decision.comment
    }
}

/// A session that waited for another one's lock when the plan was made.
public struct KillPlanWaitEdge: Codable, Sendable {
    public var Waiter: ThreadID
    /// The waiter's.
    public var User: String
    public var Host: String
    /// Missing if no session holds the lock: it belongs to a prepared XA transaction whose session is gone.
    public var Holder: ThreadID?
    /// `row`, `metadata` or `user` (GET_LOCK).
    public var Kind: String
    public var Object: String
    public var Index: String?
    public var Mode: String?
    /// How long the waiter has been in its state.
    public var Seconds: Int64?

    init(_ edge: WaitEdge) {
        Waiter = edge.waiter
        User = edge.user
        Host = edge.host
        Holder = edge.holder
        Kind = edge.lock.kind.rawValue
        Object = edge.lock.object
        Index = edge.lock.index
        Mode = edge.lock.mode
        Seconds = edge.seconds
    }
}

/// What the sessions of a plan do now.
public struct KillPlanNow: Codable, Sendable {
    public var At: String
    /// Whether the server is the one of the plan and was not restarted; if not, ``Threads`` is empty.
    public var SameServer: Bool
    /// What it would cost if those died that are there; missing if ``SameServer`` is false.
    public var Risk: KillPlanRisk?
    /// In the order of the plan, with ``KillPlanThread/SameSession``.
    public var Threads: [KillPlanThread]

    init(_ now: PlanNow, of plan: KillPlan) {
        At = now.time.text
        SameServer = now.stale == nil
        self.Risk = now.risk.map(KillPlanRisk.init)
        Threads = plan.content.threads.compactMap { thread in
            now.threads[thread.id].map { KillPlanThread(thread, presence: $0) }
        }
    }
}

/// How far a Commit has come.
public struct KillPlanProgress: Codable, Sendable {
    /// The sessions that it is to end.
    public var Total: Int
    /// Those that were seen to be gone, their transactions included.
    public var Ended: Int
    /// Those whose transaction is being undone.
    public var RollingBack: Int
    /// What these have left to undo; missing where the server has not told yet.
    public var RowsLeft: UInt64?

    init(_ progress: CommitProgress) {
        Total = progress.total
        Ended = progress.ended
        RollingBack = progress.rollingBack
        RowsLeft = progress.rowsLeft
    }
}
