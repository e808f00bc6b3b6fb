import Text

/// A text for a person: whatever is interpolated may be a stranger's, and
/// what would not be seen of it, or would change how the rest is seen, is
/// replaced by marks.
struct VisibleText: ExpressibleByStringInterpolation {
    fileprivate(set) var text: String

    init(stringLiteral text: String) { self.text = text }
    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// Texts of ours, or such as are made visible already.
    init(trusted text: String) { self.text = text }

    /// Lines, which stay lines.
    init(lines text: String) {
        self.text = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(Substring($0)).visible }.joined(separator: "\n")
    }

    init(joining texts: [VisibleText], separator: String = "") {
        text = texts.map(\.text).joined(separator: separator)
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ text: VisibleText) { self.text += text.text }
        mutating func appendInterpolation(_ value: some Any) { text += "\(value)".visible }
    }
}

extension String {
    /// With marks such as `\u{202E}` for all that has no shape of its own:
    /// control characters, line separators, what turns the direction of the text,
    /// and what has no width; `\n`, `\r` and `\t` for the usual three.
    ///
    /// Two that look alike stay so: é as one code point and as two.
    var visible: String {
        // Nearly every text is of this kind, and Unicode's properties are dear.
        if utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return self }
        var visible = UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": visible.append(contentsOf: #"\n"#.unicodeScalars)
            case "\r": visible.append(contentsOf: #"\r"#.unicodeScalars)
            case "\t": visible.append(contentsOf: #"\t"#.unicodeScalars)
            case _ where scalar.isSeen: visible.append(scalar)
            default:
                visible.append(contentsOf: #"\u{\#(String(scalar.value, radix: 16, uppercase: true))}"#.unicodeScalars)
            }
        }
        return String(visible)
    }

    /// About so many columns of a terminal: two for the letters of East Asia and for emoji, none for marks that stand
    /// on the letter before them.
    var width: Int {
        // Nearly every text is of this kind, and Unicode's properties are dear.
        if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.count }
        return unicodeScalars.reduce(0) { $0 + $1.columns }
    }

    /// Followed by blanks up to `width` columns.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - self.width)) }

    /// Its first so many Unicode scalars, with an ellipsis if there are more.
    func shortened(to limit: Int) -> String {
        let beginning = beginning(scalars: limit)
        return beginning.utf8.count < utf8.count ? beginning + "…" : self
    }
}

extension Unicode.Scalar {
    /// How many columns of a terminal it takes.
    fileprivate var columns: Int {
        guard !isASCII else { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: break
        }
        switch value {
        // Vowels and finals of Hangul stand in the syllable that they complete.
        case 0x1160...0x11FF: return 0
        // Flags are two of these.
        case 0x1F1E6...0x1F1FF: return 1
        default: return Self.wide.contains { $0.contains(value) } || properties.isEmojiPresentation ? 2 : 1
        }
    }

    /// What Unicode's EastAsianWidth.txt calls W or F, but for emoji, which have a property of their own.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F,
        0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
        0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F200...0x1F265, 0x20000...0x2FFFD, 0x30000...0x3FFFD,
    ]

    fileprivate var isSeen: Bool {
        if isASCII { return (0x20...0x7E).contains(value) }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: return false
        // Of other categories, but without width: fillers of Hangul, selectors of variants.
        default: return !properties.isDefaultIgnorableCodePoint
        }
    }
}

/// Rows under headings, in columns as wide as their longest cell.
struct Table {
    var headings: [String]
    var rows: [[String]] = []

    /// In a column that others follow: as wide as the longest name of a user or host needs.
    private static let widestCell = 300

    init(_ headings: String...) { self.headings = headings }

    var text: VisibleText {
        let lines = ([headings] + rows).map { line in
            line.enumerated().map { column, cell in
                column == line.count - 1 ? cell.visible : cell.shortened(to: Self.widestCell).visible
            }
        }
        let widths = headings.indices.map { column in lines.map { $0[column].width }.max() ?? 0 }
        let texts = lines.map { line in
            let cells = line.enumerated().map { column, cell in
                column == line.count - 1 ? cell : cell.padded(to: widths[column])
            }
            return cells.joined(separator: "  ") + "\n"
        }
        return VisibleText(trusted: texts.joined())
    }
}
