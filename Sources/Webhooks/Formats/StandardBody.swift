import FoundationEssentials
import SessionKill
import Text

/// For programs: thin, and less than 20 kB.
struct StandardBody: Encodable {
    let type: String
    /// ISO 8601.
    let timestamp: String
    let data: Payload

    struct Payload: Encodable {
        let plan: String
        let instance: String
        let account: String?
        let person: String?
        let comment: String?
        let audit: Audit
        let link: String?
        let content: Content?

        private enum CodingKeys: String, CodingKey {
            case plan, instance, account, person, comment
            case audit = "Audit"
            case link, content
        }
    }

    /// By the names that the API's answers have for it: by these `killd audit verify` finds it in what is kept.
    struct Audit: Encodable {
        let entry: Int64
        let hash: String

        private enum CodingKeys: String, CodingKey {
            case entry = "Entry"
            case hash = "Hash"
        }
    }

    struct Content: Encodable {
        let digest: String
        let preparedBy: String
        let requestedBy: String?
        let reason: String?
        let grade: String?
        let reasons: [Reason]?
        let sessions: Int
        let users: [String]
        /// How many more users there are.
        let otherUsers: Int?
        let required: Int
        let approvedBy: [String]
        let deadline: String?
        let killed: Int?
        let outcomes: [String: Int]?
        let staleReason: String?
    }

    struct Reason: Encodable {
        let kind: String
        let grade: String
        let count: UInt64?
    }

    /// How much there is room for of what others named and wrote.
    struct Room {
        let names: Int
        let nameBytes: Int
        let textBytes: Int

        /// The second is for names of control characters, of which JSON makes six bytes each.
        static let all = [
            Room(names: 20, nameBytes: 128, textBytes: 1_024), Room(names: 5, nameBytes: 64, textBytes: 256),
        ]
    }

    init(_ notice: Notice, _ room: Room) {
        // Types are words of letters, digits and underscores with full stops between them.
        type = "plan." + notice.kind.rawValue.replacing("-", with: "_")
        timestamp = Self.text(notice.time)
        data = Payload(
            plan: room.name(notice.plan.rawValue), instance: room.name(notice.instance.rawValue),
            account: notice.actor.map { room.name($0.account.rawValue) },
            person: notice.actor.map { room.name($0.person.rawValue) },
            comment: notice.comment.map { $0.beginning(bytes: room.textBytes) },
            audit: Audit(entry: notice.audit.entry, hash: notice.audit.hash), link: notice.link,
            content: notice.content.map { Self.content($0, room) })
    }

    private static func content(_ content: Notice.Content, _ room: Room) -> Content {
        let otherUsers = content.users.count - room.names
        return Content(
            digest: content.digest, preparedBy: room.name(content.preparedBy.rawValue),
            requestedBy: content.requestedBy.map { room.name($0.rawValue) },
            reason: content.reason.map { $0.beginning(bytes: room.textBytes) },
            grade: content.risk?.grade.rawValue,
            reasons: content.risk?.reasons.prefix(room.names).map {
                Reason(kind: $0.kind.rawValue, grade: $0.grade.rawValue, count: $0.count)
            },
            sessions: content.sessions, users: content.users.prefix(room.names).map { room.name($0.text) },
            otherUsers: otherUsers > 0 ? otherUsers : nil, required: content.required,
            approvedBy: content.approvedBy.prefix(room.names).map { room.name($0.rawValue) },
            deadline: content.deadline.map { text($0) }, killed: content.outcomes.isEmpty ? nil : content.killed,
            outcomes: content.outcomes.isEmpty
                ? nil : Dictionary(uniqueKeysWithValues: content.outcomes.map { ($0.key.rawValue, $0.value) }),
            staleReason: content.staleReason?.rawValue)
    }

    private static func text(_ time: UnixTime) -> String {
        Date(timeIntervalSince1970: Double(time.milliseconds) / 1_000).formatted(.iso8601)
    }
}

extension StandardBody.Room {
    fileprivate func name(_ text: String) -> String { text.beginning(bytes: nameBytes) }
}
