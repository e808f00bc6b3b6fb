import Text

/// How texts of strangers are written into a message without being taken for its markup, a mention or a link.
enum Markup {
    /// Slack's mrkdwn: `<!channel>` mentions, `<url|text>` links.
    case slack
    /// What shows every character as it is.
    case plain
    /// Markdown of WeCom and DingTalk: `<@user>` mentions, `[text](url)` links, `![](url)` is fetched by who reads it.
    case markdown

    /// The longest beginning of a text that takes at most so many bytes when it is escaped, with an ellipsis if it is
    /// not the whole. On one line, with a mark for what has no shape of its own.
    func escaped(_ text: String, bytes limit: Int = .max) -> String {
        // Bytes first: finding the end of a character takes as long as the text is, if it is one of combining marks.
        let bounded = text.beginning(bytes: min(limit, Self.longestText))
        var isCut = bounded.utf8.count < text.utf8.count
        var characters: [String] = []
        var size = 0
        for character in bounded {
            let escaped = escape(character)
            size += escaped.utf8.count
            guard size <= limit else {
                isCut = true
                break
            }
            characters.append(escaped)
        }
        guard isCut else { return characters.joined() }
        while let last = characters.last, size > limit - Self.ellipsis.utf8.count {
            size -= last.utf8.count
            characters.removeLast()
        }
        return limit < Self.ellipsis.utf8.count ? "" : characters.joined() + Self.ellipsis
    }

    private static let ellipsis = "…"
    /// Longer than any message.
    private static let longestText = 32 * 1_024

    private func escape(_ character: Character) -> String {
        switch (self, character) {
        case (.slack, "&"): "&amp;"
        case (.slack, "<"): "&lt;"
        case (.slack, ">"): "&gt;"
        // Neither has an escape that both show. These look like what they stand for.
        case (.markdown, "<"): "＜"
        case (.markdown, ">"): "＞"
        case (.markdown, "["): "［"
        case (.markdown, "]"): "］"
        case (.markdown, "@"): "＠"
        case (.markdown, "`"): "｀"
        case (.markdown, "*"): "＊"
        case (.markdown, "\\"): "＼"
        default: visible(character)
        }
    }

    private func visible(_ character: Character) -> String {
        if character.unicodeScalars.allSatisfy({ (0x20...0x7E).contains($0.value) }) { return String(character) }
        var visible = String.UnicodeScalarView()
        for scalar in character.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: visible.append(" ")
            case .format, .surrogate, .unassigned, .privateUse: visible.append("\u{FFFD}")
            // Of other categories, but without width: fillers of Hangul, selectors of variants.
            default: visible.append(scalar.properties.isDefaultIgnorableCodePoint ? "\u{FFFD}" : scalar)
            }
        }
        return String(visible)
    }
}
