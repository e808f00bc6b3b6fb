import AuditTrail
import DedicatedThread
import Dispatch
import FileDescriptors
import Glibc
import SessionKill
import Synchronization

/// The file of `auditHeads`, on another disk than the store: one line for each group of writes, with the number and the
/// hash of the last entry of the audit.
///
/// It is written on a thread of its own, behind the store. As long as it cannot be written killd prepares and claims no
/// plan: whoever asks for a witness wants nothing done without one. What was begun is still ended and recorded.
final class HeadsFile: Sendable {
    let path: String
    /// What the file ended with when it was opened.
    let last: KnownHead?

    private struct State {
        var pending: KnownHead?
        var failure: String?
    }

    private let file: FileDescriptor
    private let log: Log
    private let state = Mutex(State())
    /// Held while writing.
    private let output = Mutex(())
    private let wake = DispatchSemaphore(value: 0)

    /// How often a write that failed is tried again.
    private static let pause = DispatchTimeInterval.seconds(1)

    /// Opens the file, and creates it if there is none.
    init(_ path: String, log: Log) throws(ConfigurationError) {
        self.path = path
        self.log = log
        do throws(FileError) {
            file = try FileDescriptor(opening: path, flags: O_RDWR | O_CREAT | O_APPEND)
        } catch {
            throw ConfigurationError(
                "auditHeads", "\(path) cannot be opened by killd's user (uid \(geteuid())): \(error.words)")
        }
        last = try Self.lastHead(in: path)
    }

    /// The head with which a file of heads ends; nil of an empty one.
    ///
    /// - Throws: ``ConfigurationError`` if the file cannot be read or is no file of heads.
    static func lastHead(in path: String) throws(ConfigurationError) -> KnownHead? {
        let end: [UInt8]
        do throws(FileError) {
            let file = try FileDescriptor(opening: path, flags: O_RDONLY)
            let size = lseek(file.number, 0, SEEK_END)
            guard size >= 0, lseek(file.number, max(0, size - 4_096), SEEK_SET) >= 0 else {
                throw .system(number: errno)
            }
            end = try file.contents(mostBytes: 1 << 20)
        } catch {
            throw ConfigurationError("auditHeads", "\(path) cannot be read: \(error.words)")
        }
        // A line without an end was being written when the power failed.
        let lines = end.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        guard let line = lines.last(where: { !$0.isEmpty }) else { return nil }
        guard let head = KnownHead(line: line, place: KnownHead.Place(file: path, line: 0)) else {
            throw ConfigurationError("auditHeads", "\(path) is no file of heads; name another place")
        }
        return head
    }

    /// - Throws: `ThreadCreationError`.
    func start() throws {
        try startThread(name: "audit-heads") { [weak self] in
            while let self {
                if self.state.withLock({ $0.failure != nil && $0.pending != nil }) {
                    _ = self.wake.wait(timeout: .now() + Self.pause)
                } else {
                    self.wake.wait()
                }
                self.flush()
            }
        }
    }

    /// Takes a head and returns at once. Of several that wait the last is written, which binds the others.
    func take(_ head: KnownHead) {
        state.withLock { $0.pending = head }
        wake.signal()
    }

    /// - Throws: ``StoreError`` if the last write failed.
    func requireWritable() throws(StoreError) {
        guard let failure = state.withLock({ $0.failure }) else { return }
        throw StoreError(
            .cannotWrite,
            """
            the heads file \(path) (auditHeads) cannot be written: \(failure); nothing is prepared and nobody killed until \
            it can
            """)
    }

    /// Writes what waits.
    func flush() {
        output.withLock { _ in
            guard let head = state.withLock({ $0.pending }) else { return }
            let failure = write(head.line)
            let before = state.withLock { state in
                defer { state.failure = failure }
                if failure == nil, state.pending == head { state.pending = nil }
                return state.failure
            }
            if let failure, before == nil {
                log.error(
                    "the heads file cannot be written; nothing is prepared and nobody killed until it can",
                    [("file", path), ("cause", failure)])
            } else if failure == nil, before != nil {
                log.info("the heads file can be written again", [("file", path)])
            }
        }
    }

    /// - Returns: why it failed.
    private func write(_ line: String) -> String? {
        var (own, named) = (stat(), stat())
        guard fstat(file.number, &own) == 0, stat(path, &named) == 0, own.st_dev == named.st_dev,
            own.st_ino == named.st_ino
        else { return "it was deleted, renamed or replaced; put it back, or restart killd" }
        // What follows a torn line begins a new one.
        var bytes = Array((endsWithLine(own.st_size) ? "" : "\n").utf8)
        bytes += line.utf8
        bytes.append(UInt8(ascii: "\n"))
        let count = Glibc.write(file.number, bytes, bytes.count)
        if count == bytes.count, fdatasync(file.number) == 0 { return nil }
        // A file that takes a part only has met the end of the disk, of which no call says anything yet.
        let reason = count >= 0 && count < bytes.count ? ENOSPC : errno
        if count > 0 { _ = ftruncate(file.number, own.st_size) }
        return String(cString: strerror(reason))
    }

    private func endsWithLine(_ size: off_t) -> Bool {
        var last: UInt8 = 0
        return size == 0 || (pread(file.number, &last, 1, size - 1) == 1 && last == UInt8(ascii: "\n"))
    }
}
