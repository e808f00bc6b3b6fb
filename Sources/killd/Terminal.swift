import Glibc
import Synchronization

/// An output stream of the process.
struct Terminal: Sendable {
    static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
    static let standardError = Terminal(descriptor: STDERR_FILENO)

    private let descriptor: Int32

    /// Whether a person reads it.
    var isInteractive: Bool { isatty(descriptor) == 1 }

    /// Writes all of `text`. A reader that went away is no error of ours.
    func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                return
            }
        }
    }
}

/// Rows under headings, in columns as wide as their longest cell.
struct Table {
    var headings: [String]
    var rows: [[String]] = []

    init(_ headings: String...) { self.headings = headings }

    var text: String {
        let lines = ([headings] + rows).map { $0.map(\.printable) }
        let widths = headings.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            let cells = line.enumerated().map { column, cell in
                column == line.count - 1 ? cell : cell.padded(to: widths[column])
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }
}

extension String {
    /// Followed by blanks up to `width` characters.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// Fit for one line of a terminal: statements and host names come from
    /// strangers and could carry escape sequences.
    var printable: String {
        String(unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
    }
}
