/// How the approvals of a plan stand by the configuration of now, and what somebody may do about it.
public struct PlanReview: Hashable, Sendable {
    /// How many persons have to approve: by the plan or by the configuration of now, whichever is more.
    public var required: Int
    /// The approvals that count now.
    public var valid: [Decision]
    public var standing: ReviewStanding
    /// The persons who could approve and have not.
    public var couldApprove: [PersonName]
    public var you: Rights

    /// Until when it can be committed, or could have been; `nil` while it lacks approvals.
    public var committableUntil: UnixTime? {
        switch standing {
        case .notNeeded(let until), .approved(let until): until
        case .waiting: nil
        case .expired(let since): valid.count < required ? nil : since
        }
    }

    /// What the caller may do about the plan as it stands.
    public struct Rights: Hashable, Sendable {
        /// Approve it, or look at it afterwards where glass was broken for it.
        public var mayApprove: Bool
        public var mayReject: Bool
        public var mayCancel: Bool
        public var mayCommit: Bool
        /// Why the caller may not approve; empty if they may.
        public var why: [ReviewObstacle]

        /// Of a plan that is over.
        public static func none(of status: PlanStatus) -> Rights {
            Rights(
                mayApprove: false, mayReject: false, mayCancel: false, mayCommit: false, why: [.notPrepared(status)])
        }
    }
}

/// Why somebody cannot decide something about a plan.
public enum ReviewObstacle: Error, Hashable, Sendable {
    /// The same person prepared it, by whichever account.
    case ownPlan
    /// It was prepared for the same person.
    case requestedByYou
    case alreadyApproved
    /// The plan has another digest than the one that was seen.
    case otherDigest
    /// The plan is in another state than the decision asks for.
    case notPrepared(PlanStatus)
    case tooLate(since: UnixTime)
    case notPermitted
    /// What it would end was not kept (`RecordHistory` false), so that nobody can see it.
    case notKept
    /// Only the account that prepared it can take it back.
    case notYourPlan
    /// Nobody broke glass for it.
    case notBroken
    case reasonMissing
    case reasonTooShort(least: Int)
    case reasonTooLong(most: Int)
    /// Control characters, or such as turn the direction of what follows.
    case reasonUnreadable
    /// It needs no approval.
    case notNeeded
}

/// What a plan lacks to be committed.
public struct ApprovalGap: Hashable, Sendable {
    public var required: Int
    public var approvedBy: [PersonName]
    /// The others who could.
    public var couldApprove: [PersonName]
    public var until: UnixTime
    public var plan: PlanName

    public var missing: Int { max(0, required - approvedBy.count) }
}

/// The wish to commit a plan without the approvals that it needs, by the right to do so.
public struct BreakGlass: Hashable, Sendable {
    public var reason: String
    public var request: KeptRequest?

    public init(reason: String, request: KeptRequest? = nil) {
        self.reason = reason
        self.request = request
    }

    /// The fewest characters of a reason.
    public static let shortestReason = 10
}

/// Texts that people write for others to decide by.
public enum ReviewText {
    /// Bytes.
    public static let longest = 1_024

    /// - Returns: what keeps a text from being one that everybody reads alike.
    static func obstacle(in text: String) -> ReviewObstacle? {
        guard text.utf8.count <= longest else { return .reasonTooLong(most: longest) }
        return isReadable(text) ? nil : .reasonUnreadable
    }

    /// Whether everybody reads the text alike: it has nothing that is not seen or that turns the text around.
    public static func isReadable(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.value {
            case 0x0A: true
            case 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: false
            default: scalar.properties.generalCategory != .control
            }
        }
    }

    public static func isBlank(_ text: String?) -> Bool {
        text?.unicodeScalars.allSatisfy(\.properties.isWhitespace) != false
    }
}
