/// A message for people, written in the markup of a chat within its limit.
struct ChatMessage {
    let title: String
    let body: String

    /// - Parameters:
    ///   - limit: of the body, in bytes.
    ///   - label: writes the name of a row.
    ///   - link: writes a link; `nil` where there is another place for it.
    init(
        _ text: NoticeText, in markup: Markup, bytes limit: Int, label: (String) -> String,
        link: ((_ title: String, _ address: String) -> String)?
    ) {
        title = markup.escaped(text.title, bytes: Self.longestTitle)
        var lines: [String] = []
        var size = 0
        let end = [
            text.audit.map { label(markup.escaped($0.label)) + markup.escaped($0.value) },
            text.link.flatMap { link?(markup.escaped($0.title), $0.address) },
        ].compactMap { $0 }
        let room = limit - end.reduce(0) { $0 + $1.utf8.count + 1 }
        for (index, row) in text.rows.enumerated() {
            let beginning = label(markup.escaped(row.label, bytes: Self.longestTitle))
            let left = room - size - beginning.utf8.count - 1
            // A row of which nothing could be read is left out, and all behind it.
            guard left >= 16 else {
                let more = "… +\(text.rows.count - index)"
                if size + more.utf8.count < room { lines.append(more) }
                break
            }
            let line = beginning + markup.escaped(row.value, bytes: left)
            size += line.utf8.count + 1
            lines.append(line)
        }
        body = (lines + end).joined(separator: "\n")
    }

    /// Slack's limit for a header is 150 characters.
    private static let longestTitle = 150
}
