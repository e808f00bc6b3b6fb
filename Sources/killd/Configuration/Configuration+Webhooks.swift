import APIClient
import HTTPServer
import RequestSigning
import Settings
import Text
import Webhooks

/// Who is told of plans, and where people see them.
struct WebhookConfiguration: Sendable {
    var targets: [WebhookTarget] = []
    /// Where people reach killd, without a slash at its end.
    var publicURL: String?

    init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        publicURL = try reader.publicURL("publicURL")
        guard reader.value("webhooks") != nil else { return }
        for var webhook in try reader.objects("webhooks") { targets.append(try WebhookTarget(&webhook)) }
        for (index, target) in targets.enumerated() {
            guard targets[..<index].contains(where: { $0.name.isSame(as: target.name) }) else { continue }
            throw ConfigurationError(
                "webhooks.\(index).name",
                "\"\(target.name)\" is used twice (without a name it is the format); give each webhook a name of its own"
            )
        }
    }
}

extension WebhookTarget {
    fileprivate init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        guard let format = try reader.choice("format", WebhookFormat.self) else {
            throw reader.error(
                "format", "missing; expected one of \(WebhookFormat.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let name = try reader.string("name") ?? format.rawValue
        guard name.utf8.count <= 64 else { throw reader.error("name", "expected at most 64 bytes") }
        guard let url = try reader.secret("url") else {
            throw reader.error("url", "missing; expected a text, {\"env\": NAME} or {\"file\": PATH}")
        }
        // Never with the address in it, which is a secret.
        guard let address = WebhookAddress(url) else {
            throw reader.error("url", "expected https://HOST[:PORT]/PATH without a login, blanks or a #")
        }
        let isInsecure = try reader.boolean("insecure") ?? false
        guard address.endpoint.scheme == .https || isInsecure || address.endpoint.isOfThisMachine else {
            throw reader.error(
                "url",
                "is plain http to another machine, where all on the way can read and change messages; use https, or set "
                    + "\"insecure\": true beside it if that is meant")
        }
        let key = try Key(&reader, format: format)
        let events = try reader.strings("events")
        let language = try reader.choice("language", NoticeLanguage.self) ?? .english
        let allowed = try reader.strings("allow") ?? []
        let networks = try allowed.map { text throws(ConfigurationError) in
            guard let network = IPNetwork(text) else {
                throw reader.error(
                    "allow",
                    "\"\(text)\" is no IP address, and no network by its first address and length (10.0.0.0/24)")
            }
            return network
        }
        let authorities = try reader.readable(reader.path("ca"), "ca")
        try reader.refuseUnknownKeys()
        self.init(
            name: name, address: address, format: format, key: key,
            kinds: try events.map { events throws(ConfigurationError) in try Self.kinds(events, reader) }
                ?? Notice.Kind.usual,
            language: language, isInsecure: isInsecure, allowed: networks, trust: ServerTrust(authorities: authorities))
    }

    private static func kinds(
        _ words: [String], _ reader: ConfigurationReader
    ) throws(ConfigurationError) -> Set<Notice.Kind> {
        var kinds: Set<Notice.Kind> = []
        for word in words {
            guard let kind = Notice.Kind(rawValue: word) else {
                throw reader.error(
                    "events",
                    "\"\(word)\" is none of \(Notice.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            kinds.insert(kind)
        }
        return kinds
    }
}

extension WebhookTarget.Key {
    fileprivate init(_ reader: inout ConfigurationReader, format: WebhookFormat) throws(ConfigurationError) {
        try reader.refuseNull("secret")
        let secret = try reader.secret("secret")
        switch (format, secret) {
        case (.slack, nil), (.wecom, nil), (.feishu, nil), (.dingtalk, nil): self = .none
        case (.slack, _?), (.wecom, _?):
            throw reader.error("secret", "messages to \(format.rawValue) are not signed; leave it out")
        case (.feishu, let secret?), (.dingtalk, let secret?): self = .text(secret)
        case (.standard, nil):
            throw reader.error("secret", "missing; make one with: echo whsec_$(openssl rand -base64 32)")
        case (.standard, let secret?):
            guard let key = StandardKey(secret) else {
                throw reader.error(
                    "secret",
                    "expected whsec_ and the base64 of 24 to 64 bytes; make one with: echo whsec_$(openssl rand -base64 32)"
                )
            }
            self = .standard(key)
        }
    }
}

extension Endpoint {
    /// As far as its text tells.
    fileprivate var isOfThisMachine: Bool { ListenAddress(host: host, port: port).isOfThisMachineOnly }
}

extension ConfigurationReader {
    fileprivate mutating func publicURL(_ key: String) throws(ConfigurationError) -> String? {
        guard let text = try string(key) else { return nil }
        guard WebhookAddress(Secret(text)) != nil, !text.contains("?") else {
            throw error(key, "expected where people reach killd, such as \"https://killd.example\"")
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }
}
