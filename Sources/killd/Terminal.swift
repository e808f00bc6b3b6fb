import Glibc
import Synchronization

/// An output stream of the process.
struct Terminal: Sendable {
    static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
    static let standardError = Terminal(descriptor: STDERR_FILENO)

    private let descriptor: Int32

    /// Whether a person reads it.
    var isInteractive: Bool { isatty(descriptor) == 1 }

    /// Writes what a person reads.
    func write(_ text: VisibleText) { write(asItCame: text.text) }

    /// Writes all of `text`, which a program reads. A reader that went away is no error of ours.
    func write(asItCame text: String) {
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
