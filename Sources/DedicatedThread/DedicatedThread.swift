import Dispatch
import Synchronization

/// A serial executor that runs everything on one thread of its own.
///
/// libmysqlclient and SQLite block. Swift's cooperative pool has no more
/// threads than the machine has cores and never grows for blocked work, so an
/// actor that makes blocking calls must not live there: give it one of these as
/// its executor. Thread-bound C state (`mysql_thread_init`) is safe in such an
/// actor too, since all of its code runs on the same thread.
///
/// The thread ends when the executor is released.
public final class DedicatedThread: SerialExecutor {
    private let inbox: Inbox

    /// Starts the thread.
    ///
    /// - Parameter name: shown by `ps -L` and debuggers; Linux keeps the first
    ///   15 bytes.
    /// - Throws: ``ThreadCreationError`` if the system has no room for a thread.
    public init(name: String) throws {
        let inbox = Inbox()
        self.inbox = inbox
        try startThread(name: name) { inbox.runUntilStopped() }
    }

    deinit { inbox.put(.stop) }

    public func enqueue(_ job: consuming ExecutorJob) {
        inbox.put(.job(UnownedJob(job), asUnownedSerialExecutor()))
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}

/// What waits for the thread. Separate from the executor so that the thread
/// does not keep the executor alive and its release can end the thread.
private final class Inbox: Sendable {
    enum Item {
        case job(UnownedJob, UnownedSerialExecutor)
        case stop
    }

    private let waiting = Mutex<[Item]>([])
    private let signal = DispatchSemaphore(value: 0)

    func put(_ item: Item) {
        waiting.withLock { $0.append(item) }
        signal.signal()
    }

    func runUntilStopped() {
        while true {
            signal.wait()
            let batch = waiting.withLock { items in
                let batch = items
                items.removeAll(keepingCapacity: true)
                return batch
            }
            // The signals of the items behind the first find an empty array later, which is harmless.
            for item in batch {
                switch item {
                case .job(let job, let executor): job.runSynchronously(on: executor)
                case .stop: return
                }
            }
        }
    }
}
