import FoundationEssentials

/// The bodies of messages, as each format has them.
extension WebhookFormat {
    /// A body that nothing was signed for yet.
    ///
    /// - Parameter sign: of Feishu, whose signature is a part of the body.
    func body(
        of notices: [Notice], in language: NoticeLanguage, sign: BodySignature? = nil
    ) throws -> [UInt8] {
        switch self {
        case .standard:
            // It folds nothing: there is one.
            guard let notice = notices.first else { return [] }
            let bodies = try StandardBody.Room.all.map { try encoded(StandardBody(notice, $0)) }
            return bodies.first { $0.count < 20_000 } ?? bodies[bodies.count - 1]
        case .slack: return try encoded(SlackBody(text(of: notices, in: language)))
        case .feishu: return try encoded(FeishuBody(text(of: notices, in: language), sign: sign))
        case .wecom: return try encoded(WeComBody(text(of: notices, in: language)))
        case .dingtalk: return try encoded(DingTalkBody(text(of: notices, in: language)))
        }
    }

    private func text(of notices: [Notice], in language: NoticeLanguage) -> NoticeText {
        if notices.count == 1, let notice = notices.first { return NoticeText(notice, in: language) }
        return NoticeText(summaryOf: notices, in: language)
    }

    private func encoded(_ body: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(body))
    }
}

/// What Feishu's bodies are signed with.
struct BodySignature {
    /// In seconds.
    let timestamp: String
    let sign: String
}

/// `text` is what notifications show; it is mrkdwn too.
private struct SlackBody: Encodable {
    struct TextObject: Encodable {
        let type: String
        let text: String
        /// Whether nothing of the text is made a link or mention that is not written as one.
        var verbatim: Bool?
    }

    struct Block: Encodable {
        let type: String
        let text: TextObject
    }

    let text: String
    let blocks: [Block]

    /// 3,000 characters is the limit of a section.
    private static let longest = 2_900

    init(_ text: NoticeText) {
        let message = ChatMessage(
            text, in: .slack, bytes: Self.longest, label: { "*\($0):* " }, link: { "<\($1)|\($0)>" })
        self.text = message.title
        blocks = [
            Block(type: "section", text: TextObject(type: "mrkdwn", text: "*\(message.title)*", verbatim: true)),
            Block(type: "section", text: TextObject(type: "mrkdwn", text: message.body, verbatim: true)),
        ]
    }
}

/// A card of plain text: nothing in it can mention anybody.
private struct FeishuBody: Encodable {
    struct TextObject: Encodable {
        let tag: String
        let content: String
    }

    struct Element: Encodable {
        let tag: String
        let text: TextObject
    }

    struct Header: Encodable {
        let title: TextObject
    }

    struct CardLink: Encodable {
        let url: String
    }

    struct Card: Encodable {
        let header: Header
        let elements: [Element]
        let card_link: CardLink?
    }

    let timestamp: String?
    let sign: String?
    let msg_type = "interactive"
    let card: Card

    enum CodingKeys: String, CodingKey { case timestamp, sign, msg_type, card }

    /// The whole body may have 20 KB; JSON can make two bytes of one.
    private static let longest = 8_000

    init(_ text: NoticeText, sign: BodySignature?) {
        let message = ChatMessage(text, in: .plain, bytes: Self.longest, label: { "\($0): " }, link: { "\($0): \($1)" })
        timestamp = sign?.timestamp
        self.sign = sign?.sign
        card = Card(
            header: Header(title: TextObject(tag: "plain_text", content: message.title)),
            elements: [Element(tag: "div", text: TextObject(tag: "plain_text", content: message.body))],
            card_link: text.link.map { CardLink(url: $0.address) })
    }
}

private struct WeComBody: Encodable {
    struct Markdown: Encodable {
        let content: String
    }

    let msgtype = "markdown"
    let markdown: Markdown

    enum CodingKeys: String, CodingKey { case msgtype, markdown }

    /// Of the content.
    private static let limit = 4_096

    init(_ text: NoticeText) {
        let title = Markup.markdown.escaped(text.title, bytes: 300)
        let heading = "**\(title)**\n"
        let message = ChatMessage(
            text, in: .markdown, bytes: Self.limit - heading.utf8.count, label: { ">\($0): " },
            link: { "[\($0)](\($1))" })
        markdown = Markdown(content: heading + message.body)
    }
}

private struct DingTalkBody: Encodable {
    struct Markdown: Encodable {
        let title: String
        let text: String
    }

    let msgtype = "markdown"
    let markdown: Markdown

    enum CodingKeys: String, CodingKey { case msgtype, markdown }

    /// The whole body may have 20 KB; JSON can make two bytes of one.
    private static let longest = 8_000

    init(_ text: NoticeText) {
        let message = ChatMessage(
            text, in: .markdown, bytes: Self.longest, label: { "- \($0): " }, link: { "\n[\($0)](\($1))" })
        // A list needs an empty line before it.
        markdown = Markdown(title: message.title, text: "**\(message.title)**\n\n\(message.body)")
    }
}
