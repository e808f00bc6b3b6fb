import Text

/// A text and where it comes from.
public struct Wording: Hashable, Sendable {
    public enum Source: Hashable, Sendable {
        /// The vendor's service was seen to respond with this text.
        case vendor
        /// No public text of the vendor is known.
        case ours
    }

    public let text: String
    public let source: Source
    /// The ranges in the UTF-8 of ``text`` of the values that are not always the same.
    private let values: [Range<Int>]

    private init(_ message: MessageText, _ source: Source) {
        text = message.text
        values = message.values
        self.source = source
    }

    /// The vendor's text, to the letter: clients take such texts apart.
    static func vendor(_ message: MessageText) -> Wording { Wording(message, .vendor) }

    static func ours(_ message: MessageText) -> Wording { Wording(message, .ours) }

    /// ``text`` with `{1}`, `{2}` … for its values.
    public var template: String {
        var template: [UInt8] = []
        var end = 0
        let text = Array(text.utf8)
        for (number, value) in zip(1..., values) {
            template += text[end..<value.lowerBound]
            template += "{\(number)}".utf8
            end = value.upperBound
        }
        return String(decoding: template + text[end...], as: UTF8.self)
    }

    /// The values, in the order in which they stand in ``text``.
    var valueTexts: [String] {
        let text = Array(text.utf8)
        return values.map { String(decoding: text[$0], as: UTF8.self) }
    }
}

/// A message under construction. Whatever text is interpolated came with a
/// request or from a server, so it is bounded and stripped before it is echoed.
struct MessageText: ExpressibleByStringInterpolation {
    let text: String
    /// The ranges of the values, as in ``Wording``.
    let values: [Range<Int>]

    init(stringLiteral value: String) {
        text = value
        values = []
    }

    init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
        values = stringInterpolation.values
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text: String
        fileprivate var values: [Range<Int>] = []

        init(literalCapacity: Int, interpolationCount: Int) {
            text = ""
            text.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        mutating func appendInterpolation(_ number: some BinaryInteger) {
            appendValue(String(number))
        }

        /// A text of ours.
        mutating func appendInterpolation(trusted text: String) {
            self.text += text
        }

        mutating func appendInterpolation(_ foreignText: String) {
            appendValue(echo(foreignText))
        }

        private mutating func appendValue(_ value: String) {
            let start = text.utf8.count
            text += value
            values.append(start..<text.utf8.count)
        }
    }
}

/// `text` as it may stand in a message: at most 200 Unicode scalars, cut between
/// characters and then ended by an ellipsis, without control characters, line
/// separators and invisible formatting, which could forge lines of a log or
/// turn the text around on a terminal.
private func echo(_ text: String) -> String {
    // Nearly every text is of this kind, and Unicode's properties are dear.
    if text.utf8.count <= 200, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text }
    // Bytes first, as a text of its own: finding the end of a character takes as long as the text is, if it is one of
    // combining marks.
    var rest = text.beginning(bytes: 1_024)[...]
    var isCut = rest.utf8.count < text.utf8.count
    var echoed = String.UnicodeScalarView()
    var count = 0
    while let character = rest.popFirst() {
        let visible = character.unicodeScalars.filter { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
        count += visible.count
        guard count <= 200 else {
            isCut = true
            break
        }
        echoed.append(contentsOf: visible)
    }
    if isCut { echoed.append("…") }
    return String(echoed)
}
