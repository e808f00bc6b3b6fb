import FoundationEssentials
public import SessionKill
import Text

extension Notice {
    /// What a message of the outbox tells.
    ///
    /// - Parameters:
    ///   - plan: as it is now; nil if it is not kept any more.
    ///   - store: a name by which messages of one store are told from those of another.
    ///   - publicURL: where people reach killd.
    /// - Returns: nil for entries of which webhooks do not tell.
    public init?(
        _ message: OutboxMessage, plan stored: StoredPlan?, store: String, publicURL: String?, at time: UnixTime
    ) {
        guard let kind = Kind(rawValue: message.kind.rawValue), let plan = message.plan else { return nil }
        // What is no longer kept is told of without who did it and why.
        let entry = message.payload.flatMap { try? JSONDecoder().decode(Entry.self, from: Data($0.utf8)) }
        self.init(
            id: MessageID(store: store, entry: message.entry), kind: kind, time: message.time,
            audit: AuditReceipt(entry: message.entry, hash: message.hash), plan: plan,
            instance: stored?.plan.content.instance ?? InstanceID(rawValue: entry?.instance ?? "?"),
            actor: entry?.actor, comment: kind.isDecision ? entry?.reason : nil,
            content: stored.map { Content($0, at: time) },
            link: publicURL.map { Self.link(to: plan, from: $0) })
    }

    /// Where the console shows a plan.
    static func link(to plan: PlanName, from publicURL: String) -> String {
        "\(publicURL)/console/#/plans/\(plan.rawValue)"
    }

    /// Of the members of an entry those that are told.
    private struct Entry: Decodable {
        let instance: String?
        let account: String?
        let person: String?
        let reason: String?

        var actor: Actor? {
            guard let account, let person else { return nil }
            return Actor(account: AccountName(rawValue: account), person: PersonName(rawValue: person))
        }
    }
}

extension Notice.Kind {
    /// Whether somebody decided, whose words its entry has.
    fileprivate var isDecision: Bool {
        switch self {
        case .approved, .rejected, .cancelled, .brokeGlass, .reviewed: true
        case .prepared, .claimed, .committed, .stale, .expired, .abandoned: false
        }
    }
}

extension Notice.Content {
    init(_ stored: StoredPlan, at time: UnixTime) {
        let content = stored.plan.content
        let identities = content.threads.compactMap { $0.session?.identity }
        var approvers: [PersonName] = []
        for approval in stored.approvals where !approvers.contains(approval.caller.person) {
            approvers.append(approval.caller.person)
        }
        var users: [ExactText] = []
        for identity in identities where !users.contains(ExactText(identity.user)) {
            users.append(ExactText(identity.user))
        }
        self.init(
            digest: stored.digest, preparedBy: content.account, requestedBy: content.requestedBy,
            reason: content.reason, risk: content.review?.risk, sessions: identities.count, users: users.map(\.text),
            required: content.review?.required ?? 0, approvedBy: approvers)
        switch stored.state {
        case .prepared:
            let plan = stored.outline
            deadline = plan.standing(validApprovals: plan.approvals, required: 0, at: time).deadline
        case .committing: break
        case .ended(let ending, _, let outcomes, _):
            staleReason = ending.staleReason
            killed = outcomes.values.count(where: \.isKilled)
            self.outcomes = outcomes.values.reduce(into: [:]) { $0[$1.kind, default: 0] += 1 }
        }
    }
}

extension ReviewStanding {
    /// Until when somebody can do what comes next.
    fileprivate var deadline: UnixTime? {
        switch self {
        case .notNeeded(let until), .waiting(_, let until), .approved(let until): until
        case .expired: nil
        }
    }
}

extension DeliveryMachine.Standing {
    /// - Parameter notice: nil for what is not told.
    init(_ notice: Notice?, plan: StoredPlan?, at time: UnixTime) {
        switch (notice, plan) {
        case (nil, _): self = .untold
        case (let notice?, let plan?):
            if plan.plan.content.task != nil {
                self = .untold
            } else {
                self = notice.asksForDecision && plan.status(at: time) != .prepared ? .decided : .wanted
            }
        // What asks for nothing is told also of a plan that is not kept any more.
        case (let notice?, nil): self = notice.kind == .prepared ? .decided : .wanted
        }
    }
}
