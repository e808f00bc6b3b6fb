import RequestSigning
import SessionKill

@testable import Webhooks

extension Notice {
    static let sampleHash = String(repeating: "ab12", count: 16)

    /// Asks for two approvals of a plan that ends three sessions.
    static func asking(
        instance: String = "cdb-1", reason: String? = "ticket 4711", users: [String] = ["app", "report"],
        preparedBy: String = "ci", requestedBy: String? = "dan", link: String? = nil
    ) -> Notice {
        Notice(
            id: MessageID(store: "st0re", entry: 7), kind: .prepared,
            time: UnixTime(milliseconds: 1_790_000_000_000), audit: AuditReceipt(entry: 7, hash: sampleHash),
            plan: PlanName(rawValue: "plan-abc"), instance: InstanceID(rawValue: instance),
            actor: Actor(
                account: AccountName(rawValue: preparedBy), person: PersonName(rawValue: preparedBy)),
            content: Content(
                digest: "d1ge57", preparedBy: AccountName(rawValue: preparedBy),
                requestedBy: requestedBy.map { PersonName(rawValue: $0) }, reason: reason,
                risk: RiskAssessment(reasons: [
                    RiskReason(.rowsToUndo, grade: .high, count: 250_000), RiskReason(.userLock, grade: .medium),
                ]), sessions: 3, users: users, required: 2, deadline: UnixTime(milliseconds: 1_790_000_600_000)),
            link: link)
    }

    static func ended(
        _ kind: Kind, entry: Int64 = 9, outcomes: [Outcome.Kind: Int] = [:], killed: Int = 0,
        staleReason: StaleReason? = nil
    ) -> Notice {
        var notice = asking()
        notice.id = MessageID(store: "st0re", entry: entry)
        notice.kind = kind
        notice.content?.deadline = nil
        notice.content?.approvedBy = [PersonName(rawValue: "eve"), PersonName(rawValue: "mallory")]
        notice.content?.outcomes = outcomes
        notice.content?.killed = killed
        notice.content?.staleReason = staleReason
        return notice
    }
}

extension WebhookTarget {
    static func sample(
        _ format: WebhookFormat, address: String = "https://hooks.example/services/T0/s3cr3t", key: Key = .none,
        language: NoticeLanguage = .english
    ) throws -> WebhookTarget {
        guard let address = WebhookAddress(Secret(address)) else { throw NoAddress() }
        return WebhookTarget(name: "ops", address: address, format: format, key: key, language: language)
    }

    private struct NoAddress: Error {}
}
