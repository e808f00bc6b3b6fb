import Glibc
import Synchronization

/// An output stream of the process.
struct Terminal: Sendable {
    static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
    static let standardError = Terminal(descriptor: STDERR_FILENO)

    private let descriptor: Int32
    private let firstFailure = WriteFailure()

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Why something could not be written, in the system's words.
    var failure: String? {
        let number = firstFailure.number.load(ordering: .relaxed)
        return number == 0 ? nil : String(cString: strerror(number))
    }

    /// Whether a person reads it.
    var isInteractive: Bool { isatty(descriptor) == 1 }

    /// Whether a line on it can be written over.
    var canWriteOver: Bool {
        guard isInteractive, let kind = getenv("TERM"), kind.pointee != 0 else { return false }
        return strcmp(kind, "dumb") != 0
    }

    /// Whether there is somebody who can answer a question.
    static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && standardError.isInteractive }

    /// Asks on standard error.
    ///
    /// - Returns: the answer without blanks at its ends; `nil` if there is none.
    static func ask(_ question: VisibleText) -> String? {
        standardError.write(question)
        guard let line = readLine() else { return nil }
        return line.trimmingBlanks
    }

    /// Writes what a person reads.
    func write(_ text: VisibleText) { write(asItCame: text.text) }

    /// Writes all of `text`, which a program reads. What cannot be written (a full
    /// disk, a reader that went away) shows in ``failure``.
    func write(asItCame text: String) {
        if let error = put(text) { firstFailure.note(error) }
    }

    /// Writes what nobody has to read.
    func announce(_ text: String) { _ = put(text) }

    /// - Returns: the error number, if not all of it could be written.
    private func put(_ text: String) -> Int32? {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
        let bytes = Array(utf8.drop(while: isBlank))
        return String(decoding: bytes[..<((bytes.lastIndex { !isBlank($0) } ?? -1) + 1)], as: UTF8.self)
    }
}

/// The first error number of a stream; 0 as long as there is none.
private final class WriteFailure: Sendable {
    let number = Atomic<Int32>(0)

    func note(_ error: Int32) { _ = number.compareExchange(expected: 0, desired: error, ordering: .relaxed) }
}
