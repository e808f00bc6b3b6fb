import Synchronization

/// What all clients of one or several servers may hold of memory together:
/// requests until their responses are there, what was sent behind them, and responses that
/// are not read.
///
/// Half of it is dealt out evenly: up to its share a connection is always served,
/// so that nobody can take that from it. What a connection holds beyond its share
/// comes out of the other half, and once that is used up who wants more of it is
/// rejected.
public final class HTTPMemory: Sendable {
    /// What every connection may hold, in bytes.
    let share: Int
    private let mostBeyondShares: Int
    private let beyondShares = Atomic(0)

    /// - Parameters:
    ///   - bytes: what all may hold.
    ///   - connections: how many the servers accept.
    public init(bytes: Int, connections: Int) {
        share = bytes / 2 / max(1, connections)
        mostBeyondShares = bytes - share * connections
    }

    /// Notes that a connection holds so many bytes more, or fewer, beyond its
    /// share.
    ///
    /// - Returns: whether there was room for it.
    func change(by bytes: Int) -> Bool {
        guard bytes != 0 else { return true }
        let held = beyondShares.add(bytes, ordering: .relaxed).newValue
        return bytes < 0 || held <= mostBeyondShares
    }
}
