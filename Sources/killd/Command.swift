/// One command of the program: one file in `Commands`.
protocol Command {
    static var name: String { get }
    /// One line for `killd --help`.
    static var summary: String { get }
    /// What follows the name, e.g. `--config FILE`.
    static var usage: String { get }
    /// One row for each option: its spelling and what it does.
    static var options: [(spelling: String, meaning: String)] { get }

    /// Takes its options and words out of `arguments`.
    init(_ arguments: inout Arguments) throws

    func run() async throws -> ExitStatus
}

extension Command {
    static var help: VisibleText {
        var text = "\(summary)\n\nUsage: killd \(name) \(usage)\n"
        if !options.isEmpty {
            text += "\nOptions:\n"
            let width = options.map(\.spelling.width).max() ?? 0
            for option in options { text += "  \(option.spelling.padded(to: width))  \(option.meaning)\n" }
        }
        return VisibleText(trusted: text)
    }
}

/// The exit status of the process.
enum ExitStatus: Int32 {
    case done = 0
    /// Rejected by the server, or failed.
    case failed = 1
    case wrongUsage = 2
}

/// An error in the words on the command line.
struct UsageError: Error, CustomStringConvertible {
    let text: VisibleText
    var description: String { text.text }
    init(_ text: VisibleText) { self.text = text }
}

/// A failure to do what was asked, in words for a person.
struct CommandFailure: Error, CustomStringConvertible {
    let text: VisibleText
    var description: String { text.text }
    init(_ text: VisibleText) { self.text = text }
}
