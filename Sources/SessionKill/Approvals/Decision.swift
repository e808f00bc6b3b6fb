import Text

/// What somebody decided about a plan, and the request that proves it.
public struct Decision: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case approved
        /// Final.
        case rejected
        /// By the preparer's account. Final.
        case cancelled
        /// Committed without the approvals that it needed, by the right to do so.
        case brokeGlass = "broke-glass"
        /// Looked at afterwards, a plan for which glass was broken.
        case reviewed
    }

    public var kind: Kind
    public var caller: Caller
    public var time: UnixTime
    /// A comment, or the reason, where one was given.
    @Exact public var comment: String?
    /// Of the plan, as the request said it; `nil` for what needs none.
    public var digest: String?
    public var request: KeptRequest?

    public init(
        _ kind: Kind, by caller: Caller, at time: UnixTime, comment: String? = nil, digest: String? = nil,
        request: KeptRequest? = nil
    ) {
        self.kind = kind
        self.caller = caller
        self.time = time
        self.comment = comment
        self.digest = digest
        self.request = request
    }
}

/// A request as it came, with all that its signature covers: whoever can write the store but does not know the
/// signer's key cannot make one.
///
/// Only who keeps and verifies it knows what is in it; it holds no secret.
public struct KeptRequest: Hashable, Sendable {
    @Exact public var text: String

    public init(_ text: String) { self.text = text }
}

/// How the approvals of a plan stand at a time.
public enum ReviewStanding: Hashable, Sendable {
    /// It needs none: its own lifetime counts.
    case notNeeded(until: UnixTime)
    case waiting(missing: Int, until: UnixTime)
    case approved(until: UnixTime)
    case expired(since: UnixTime)
}

extension ReviewStanding {
    /// When the plan expires if nothing happens, or has expired.
    public var deadline: UnixTime {
        switch self {
        case .notNeeded(let time), .waiting(_, let time), .approved(let time), .expired(let time): time
        }
    }

    /// - Parameters:
    ///   - required: how many approvals are asked for, by the plan or by the configuration of now, whichever is more.
    ///   - approvedAt: when each approval was given that is valid now, one of each person.
    ///   - expiresAt: of a plan that needs none.
    public init(
        required: Int, approvedAt: [UnixTime], approvableUntil: UnixTime, commitWithin: Int, expiresAt: UnixTime,
        at time: UnixTime
    ) {
        guard required > 0 else {
            self = time < expiresAt ? .notNeeded(until: expiresAt) : .expired(since: expiresAt)
            return
        }
        let inOrder = approvedAt.sorted()
        guard inOrder.count >= required else {
            let missing = required - inOrder.count
            self =
                time < approvableUntil
                ? .waiting(missing: missing, until: approvableUntil) : .expired(since: approvableUntil)
            return
        }
        let until = inOrder[required - 1].advanced(bySeconds: commitWithin)
        self = time < until ? .approved(until: until) : .expired(since: until)
    }
}
