import Glibc
import Synchronization

/// A queue of responses that are worked out beside the event loop, and put into its mailbox.
///
/// Those to long requests have a lane of their own, with fewer threads than there
/// are: whatever waits there, short requests do not wait for it.
final class ResponseQueue: Sendable {
    private let mailbox: Mailbox
    private let short: ResponseLane
    private let long: ResponseLane

    init(mailbox: Mailbox) {
        self.mailbox = mailbox
        // The threads that Swift's tasks share are as many: more would wait for each other.
        let threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        short = ResponseLane(mostTasks: threads, mostPiecesAtOnce: 16)
        long = ResponseLane(mostTasks: max(1, threads / 2), mostPiecesAtOnce: 1)
    }

    /// - Parameter isLong: whether working it out takes long, as far as the length
    ///   of the request tells.
    func put(_ pending: PendingResponse, to id: ConnectionID, isLong: Bool) {
        switch pending {
        // Not taken if the server has ended meanwhile.
        case .immediate(let response): _ = mailbox.put(.response(response, to: id))
        case .offloaded(let find):
            (isLong ? long : short).put { self.put(find(), to: id, isLong: isLong) }
        case .async(let work): Task { [mailbox] in _ = mailbox.put(.response(await work(), to: id)) }
        }
    }
}

/// Pieces of work that wait for nothing, done in the order in which they came.
///
/// A task for each would cost as much as a short piece itself, in memory and in
/// waking threads: as long as work comes in, one task does a piece after the
/// other.
private final class ResponseLane: Sendable {
    typealias Piece = @Sendable () -> Void

    private struct State {
        /// The pieces of work; those before `firstWaiting` are taken.
        var pieces: [Piece?] = []
        var firstWaiting = 0
        var taskCount = 0
    }

    private let mostTasks: Int
    /// The pieces after which a task lets the others of the process have its thread.
    private let mostPiecesAtOnce: Int
    private let state = Mutex(State())

    init(mostTasks: Int, mostPiecesAtOnce: Int) {
        self.mostTasks = mostTasks
        self.mostPiecesAtOnce = mostPiecesAtOnce
    }

    func put(_ piece: @escaping Piece) {
        let needsTask = state.withLock { state in
            state.pieces.append(piece)
            guard state.taskCount < mostTasks else { return false }
            state.taskCount += 1
            return true
        }
        if needsTask { startTask() }
    }

    private func startTask() {
        Task {
            for _ in 0..<mostPiecesAtOnce {
                guard let piece = next() else { return }
                piece()
            }
            startTask()
        }
    }

    /// - Returns: nil if the task is to end.
    private func next() -> Piece? {
        state.withLock { state in
            guard state.firstWaiting < state.pieces.count else {
                state.pieces.removeAll(keepingCapacity: true)
                state.firstWaiting = 0
                state.taskCount -= 1
                return nil
            }
            // Waits until half of the array is of no use, so that each piece is moved once on average.
            if state.firstWaiting > state.pieces.count / 2 {
                state.pieces.removeFirst(state.firstWaiting)
                state.firstWaiting = 0
            }
            defer { state.firstWaiting += 1 }
            return state.pieces[state.firstWaiting].take()
        }
    }
}
