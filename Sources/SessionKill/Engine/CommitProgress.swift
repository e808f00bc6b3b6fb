import Synchronization

/// How far a Commit has come, as far as it has seen.
public struct CommitProgress: Hashable, Sendable {
    /// The sessions that it is to end.
    public var total: Int
    /// Those that were seen to be gone, their transactions included.
    public var ended = 0
    /// Those whose transaction is being undone.
    public var rollingBack = 0
    /// What these have left to undo; `nil` as long as the server has not told.
    public var rowsLeft: UInt64?

    public init(total: Int) { self.total = total }
}

/// How far the Commits have come that this process is at.
final class CommitsSeen: Sendable {
    private struct Seen {
        var progress: CommitProgress
        /// Whether somebody has asked since the Commit looked last.
        var isAskedFor = false
    }

    /// Beyond so many Commits at a time no more is told.
    private static let capacity = 1_000

    private let seen = Mutex<[PlanName: Seen]>([:])

    func note(_ progress: CommitProgress, of plan: PlanName) {
        seen.withLock { seen in
            guard seen.count < Self.capacity || seen[plan] != nil else { return }
            seen[plan, default: Seen(progress: progress)].progress = progress
        }
    }

    func forget(_ plan: PlanName) { seen.withLock { $0[plan] = nil } }

    func progress(of plan: PlanName) -> CommitProgress? {
        seen.withLock { seen in
            seen[plan]?.isAskedFor = true
            return seen[plan]?.progress
        }
    }

    /// Whether somebody has asked since this was called last: then a reading of the transactions is worth its while.
    func isAskedFor(_ plan: PlanName) -> Bool {
        seen.withLock { seen in
            defer { seen[plan]?.isAskedFor = false }
            return seen[plan]?.isAskedFor == true
        }
    }
}

extension KillEngine {
    /// What the Commit of a plan that this process is at has seen; `nil` if there is none.
    public func progress(of plan: PlanName) -> CommitProgress? { commitsSeen.progress(of: plan) }
}
