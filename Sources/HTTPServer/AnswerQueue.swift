import Glibc
import Synchronization

/// Has answers worked out beside the event loop, and put into its mailbox.
///
/// A task for each answer would cost as much as a short piece of work itself, in
/// memory and in waking threads: as long as work comes in, one task does a piece
/// after the other, in the order in which they came.
final class AnswerQueue: Sendable {
    private struct Piece {
        let find: @Sendable () -> HTTPAnswer
        let id: ConnectionID
    }

    private struct State {
        /// Those before `firstWaiting` are taken.
        var pieces: [Piece?] = []
        var firstWaiting = 0
        var taskCount = 0
    }

    /// The threads that Swift's tasks share are as many: more would wait for each other.
    private static let mostTasks = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// After so many pieces a task lets the others of the process have its thread.
    private static let mostPiecesAtOnce = 16

    private let mailbox: Mailbox
    private let state = Mutex(State())

    init(mailbox: Mailbox) { self.mailbox = mailbox }

    func put(_ answer: HTTPAnswer, to id: ConnectionID) {
        switch answer {
        // Not taken if the server has ended meanwhile.
        case .now(let response): _ = mailbox.put(.answer(response, to: id))
        case .soon(let find): put(Piece(find: find, id: id))
        case .later(let work): Task { [mailbox] in _ = mailbox.put(.answer(await work(), to: id)) }
        }
    }

    private func put(_ piece: Piece) {
        let needsTask = state.withLock { state in
            state.pieces.append(piece)
            guard state.taskCount < Self.mostTasks else { return false }
            state.taskCount += 1
            return true
        }
        if needsTask { startTask() }
    }

    private func startTask() {
        Task {
            for _ in 0..<Self.mostPiecesAtOnce {
                guard let piece = next() else { return }
                put(piece.find(), to: piece.id)
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
