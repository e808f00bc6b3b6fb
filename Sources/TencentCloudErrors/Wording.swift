/// A text and where it comes from.
public struct Wording: Hashable, Sendable {
    public enum Source: Hashable, Sendable {
        /// The vendor's service was seen to answer with this text.
        case vendor
        /// No public text of the vendor is known.
        case ours
    }

    public let text: String
    public let source: Source

    /// The vendor's text, to the letter: clients take such texts apart.
    static func vendor(_ message: MessageText) -> Wording {
        Wording(text: message.text, source: .vendor)
    }

    static func ours(_ message: MessageText) -> Wording {
        Wording(text: message.text, source: .ours)
    }
}

/// A message under construction. Whatever text is interpolated came with a
/// request or from a server, so it is bounded and stripped before it is echoed.
struct MessageText: ExpressibleByStringInterpolation {
    let text: String

    init(stringLiteral value: String) {
        text = value
    }

    init(stringInterpolation: StringInterpolation) {
        text = stringInterpolation.text
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text: String

        init(literalCapacity: Int, interpolationCount: Int) {
            text = ""
            text.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        mutating func appendInterpolation(_ number: some BinaryInteger) {
            text += String(number)
        }

        /// A text of ours.
        mutating func appendInterpolation(trusted text: String) {
            self.text += text
        }

        mutating func appendInterpolation(_ foreignText: String) {
            text += echo(foreignText)
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
    var echoed = String.UnicodeScalarView()
    for character in text {
        let visible = character.unicodeScalars.filter { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
        guard echoed.count + visible.count <= 200 else {
            echoed.append("…")
            break
        }
        echoed.append(contentsOf: visible)
    }
    return String(echoed)
}
