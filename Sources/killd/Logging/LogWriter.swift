import DedicatedThread
import Dispatch
import Glibc
import Synchronization

/// A writer of log lines to a descriptor, on a thread of its own.
///
/// Whoever logs must never wait for whoever reads the log: the event loop logs
/// too, and a full pipe would stop the whole server. Lines that find no room
/// are dropped, and their number is logged instead.
final class LogWriter: Sendable {
    static let standardError = LogWriter(descriptor: STDERR_FILENO).start()

    /// Bytes that may wait to be written.
    private static let capacity = 1 << 20
    /// How long the reader may leave a full pipe full, in milliseconds.
    private static let timeout: Int32 = 5_000

    /// How long lines are gathered before they are written together, in microseconds.
    private static let gathering: UInt32 = 10_000

    private struct Waiting {
        var bytes: [UInt8] = []
        var droppedLines = 0
    }

    private let descriptor: Int32
    private let waiting = Mutex(Waiting())
    private let wake = DispatchSemaphore(value: 0)
    /// Held while writing, so that ``flush()`` comes after what is being written.
    private let output = Mutex(())
    private let hasThread = Atomic(false)

    private init(descriptor: Int32) { self.descriptor = descriptor }

    private func start() -> LogWriter {
        do {
            try startThread(name: "log") {
                while true {
                    self.wake.wait()
                    // Under load a wake-up for each line would cost more than the line.
                    usleep(Self.gathering)
                    self.flush()
                }
            }
            hasThread.store(true, ordering: .relaxed)
        } catch {
            write(Array("{\"level\":\"warning\",\"message\":\"the log has no thread of its own\"}\n".utf8))
        }
        return self
    }

    /// Takes a line, its end included, and returns at once.
    func write(_ line: [UInt8]) {
        let isFirst = waiting.withLock { waiting in
            guard waiting.bytes.count + line.count <= Self.capacity else {
                waiting.droppedLines += 1
                return false
            }
            waiting.bytes += line
            return waiting.bytes.count == line.count
        }
        guard isFirst else { return }
        if hasThread.load(ordering: .relaxed) { wake.signal() } else { flush() }
    }

    /// Writes what waits. Blocks, but gives up on a reader that does not read.
    func flush() {
        output.withLock { _ in
            let batch = waiting.withLock { waiting in
                let batch = waiting
                waiting = Waiting()
                return batch
            }
            writeAll(batch.bytes[...])
            guard batch.droppedLines > 0 else { return }
            let notice =
                "{\"level\":\"warning\",\"message\":\"log lines dropped\",\"count\":\"\(batch.droppedLines)\"}\n"
            writeAll(Array(notice.utf8)[...])
        }
    }

    private func writeAll(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&ready, 1, Self.timeout) != 0 else { return }
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR && errno != EAGAIN {
                return
            }
        }
    }
}
