/// A plan and what has happened to it.
public struct StoredPlan: Hashable, Sendable {
    public let plan: KillPlan
    /// The digest as it was when the plan was stored.
    public let digest: String
    /// Who stood behind the plan's account when it was prepared.
    public let preparer: PersonName
    public let state: PlanState
    /// In the order in which they were recorded.
    public let decisions: [Decision]

    /// - Parameter preparer: `nil` for the account itself.
    public init(
        plan: KillPlan, digest: String, preparer: PersonName? = nil, state: PlanState, decisions: [Decision] = []
    ) {
        self.plan = plan
        self.digest = digest
        self.preparer = preparer ?? PersonName(rawValue: plan.content.account.rawValue)
        self.state = state
        self.decisions = decisions
    }
}

extension StoredPlan {
    public var outline: PlanOutline {
        let content = plan.content
        return PlanOutline(
            name: plan.name, account: content.account, preparer: preparer, instance: content.instance,
            task: content.task, requestedBy: content.requestedBy, recordHistory: content.recordHistory,
            expiresAt: content.expiresAt,
            terms: content.review.map { review in
                PlanOutline.Terms(
                    grade: review.risk?.grade, required: review.required, approvableUntil: review.approvableUntil,
                    commitWithin: review.commitWithin)
            },
            digest: digest, state: state.status, decisions: decisions)
    }

    /// Those of the plan as it is, whether they are still valid or not.
    public var approvals: [Decision] { outline.approvals }

    /// How far the plan got by a time, by what it asks for itself.
    public func status(at time: UnixTime) -> PlanStatus { outline.status(at: time) }
}

/// How far a plan got. That a prepared plan is approved or has expired follows from its approvals and the time.
public enum PlanState: Hashable, Sendable {
    case prepared
    /// A Commit recorded that it was about to kill these and did not come to its end yet.
    case committing(since: UnixTime, intended: Set<ThreadID>)
    /// - Parameter guards: of those whose KILL the server accepted, if that is known.
    case ended(PlanEnding, at: UnixTime, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard] = [:])
}

extension PlanState {
    /// Whether its Commit has not come to its end.
    var isOpen: Bool { if case .ended = self { false } else { true } }

    /// As it is stored.
    public var status: PlanStatus {
        switch self {
        case .prepared: .prepared
        case .committing: .committing
        case .ended(let ending, _, _, _): ending.status
        }
    }
}

/// How a plan ends.
public enum PlanEnding: Hashable, Sendable {
    case committed
    case stale(StaleReason)
    /// Its task could not go on. The outcomes tell what became of the sessions, as far as it could be seen.
    case abandoned
    /// Somebody who might have approved it said no.
    case rejected
    /// The preparer took it back.
    case cancelled
    /// Its time was over, and somebody tried to commit it or looked.
    case expired
}

extension PlanEnding {
    /// The same in one word.
    public var status: PlanStatus {
        switch self {
        case .committed: .committed
        case .stale: .stale
        case .abandoned: .abandoned
        case .rejected: .rejected
        case .cancelled: .cancelled
        case .expired: .expired
        }
    }

    public var staleReason: StaleReason? { if case .stale(let reason) = self { reason } else { nil } }
}

/// How far a plan got, in one word.
public enum PlanStatus: String, Hashable, Sendable, CaseIterable {
    /// Its approvals do not suffice yet, or it needs none.
    case prepared
    /// It can be committed: as many persons as it asks for have approved it.
    case approved
    case rejected
    case cancelled
    /// Never committed, and too late for it now.
    case expired
    case committing
    case committed
    /// Its server was restarted or replaced, or its end would cost more than was approved, so that nothing was killed.
    case stale
    /// Its task could not go on, so that nobody was killed any more.
    case abandoned
}

extension PlanStatus {
    /// Of a plan that nobody has committed.
    public init(_ standing: ReviewStanding) {
        self =
            switch standing {
            case .notNeeded, .waiting: .prepared
            case .approved: .approved
            case .expired: .expired
            }
    }
}

extension PlanState {
    /// The threads that an interrupted Commit was about to kill.
    var intended: Set<ThreadID> {
        if case .committing(_, let intended) = self { intended } else { [] }
    }
}

extension StoredPlan {
    /// From when on nobody goes on with a Commit that was interrupted.
    var lastMoment: UnixTime {
        if decisions.contains(where: { $0.kind == .brokeGlass }), let review = plan.content.review {
            return review.approvableUntil
        }
        // By all approvals that there are: which of them counted is not known any more.
        let standing = outline.standing(validApprovals: approvals, required: 0, at: plan.content.preparedAt)
        return min(standing.deadline, plan.content.expiresAt)
    }
}
