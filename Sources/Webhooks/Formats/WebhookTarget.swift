public import APIClient
public import HTTPServer
public import RequestSigning
import Text

/// Where messages go, and what the receiver wants of them.
public struct WebhookTarget: Sendable {
    /// In metrics, logs and the outbox, where the address must not be.
    public var name: String
    public var address: WebhookAddress
    public var format: WebhookFormat
    public var key: Key
    public var kinds: Set<Notice.Kind>
    public var language: NoticeLanguage
    /// Whether plain HTTP to other machines is meant.
    public var isInsecure: Bool
    /// Networks that a message may go to although they are none for webhooks; see ``AddressRule``.
    public var allowed: [IPNetwork]
    /// Who may certify the receiver.
    public var trust: ServerTrust

    /// What messages are signed with.
    public enum Key: Sendable {
        case none
        case standard(StandardKey)
        /// Of Feishu and DingTalk.
        case text(Secret)
    }

    public init(
        name: String, address: WebhookAddress, format: WebhookFormat, key: Key = .none,
        kinds: Set<Notice.Kind> = Notice.Kind.usual, language: NoticeLanguage = .english, isInsecure: Bool = false,
        allowed: [IPNetwork] = [], trust: ServerTrust = ServerTrust()
    ) {
        self.name = name
        self.address = address
        self.format = format
        self.key = key
        self.kinds = kinds
        self.language = language
        self.isInsecure = isInsecure
        self.allowed = allowed
        self.trust = trust
    }

    /// Whether it is told of this. Nobody can leave out that glass was broken.
    func wants(_ kind: Notice.Kind) -> Bool { kind == .brokeGlass || kinds.contains(kind) }
}

/// The address of a receiver, which often is all that it takes to write to it: no description shows it.
public struct WebhookAddress: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public let endpoint: Endpoint
    /// Path and query, as the request line has them.
    let target: String

    /// Reads `https://HOST[:PORT][/PATH][?QUERY]`, or the same with `http`; nil for anything else, such as an address
    /// with a login or a fragment.
    public init?(_ secret: Secret) {
        let text = secret.reveal()
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !#""<>\^`{|}#"#.utf8.contains($0) }),
            let scheme = ["https://", "http://"].first(where: text.hasPrefix)
        else { return nil }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@"), let endpoint = Endpoint(scheme + authority) else { return nil }
        self.endpoint = endpoint
        let path = rest[authority.endIndex...]
        target = path.hasPrefix("/") ? String(path) : "/" + path
    }

    public var description: String { "<address>" }
    public var debugDescription: String { "<address>" }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
