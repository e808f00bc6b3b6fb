import Synchronization
import Text

/// What is said on standard error while something is under way: one line that is written over, or, where nothing can be
/// written over, a line now and then.
final class ProgressLine: Sendable {
    private struct State {
        var isOver = false
        var last = ""
        var lastLine: ContinuousClock.Instant?
    }

    private static let pause = Duration.seconds(10)

    private let state = Mutex(State())

    func show(_ text: VisibleText) {
        state.withLock { state in
            guard !state.isOver, !state.last.isSame(as: text.text) else { return }
            if Terminal.standardError.canWriteOver {
                Terminal.standardError.announce("\r\u{1B}[K" + text.text)
            } else {
                if let last = state.lastLine, last.duration(to: .now) < Self.pause { return }
                state.lastLine = .now
                Terminal.standardError.announce(text.text + "\n")
            }
            state.last = text.text
        }
    }

    /// Whether nothing is to be shown any more.
    var isOver: Bool { state.withLock(\.isOver) }

    /// Removes the line where that can be done; nothing is shown from now on.
    func end() {
        state.withLock { state in
            if !state.isOver, !state.last.isEmpty, Terminal.standardError.canWriteOver {
                Terminal.standardError.announce("\r\u{1B}[K")
            }
            state.isOver = true
        }
    }
}
