import Synchronization

/// The server process that a plan was made on.
struct PlannedServer {
    let fingerprint: ServerFingerprint
    /// Over which connection the plan was made, if that is known and tells one process from another.
    let connection: ConnectionIdentity?

    /// Why `observation` cannot be of the same process, or `nil` if it can.
    func difference(from observation: ServerObservation) -> StaleReason? {
        fingerprint.difference(from: observation.fingerprint, inSameProcess: hasLived(until: observation))
    }

    /// Whether `observation` proves that the process has ended, and all its sessions with it.
    func hasEnded(before observation: ServerObservation) -> Bool {
        !hasLived(until: observation) && fingerprint.hasEnded(before: observation.fingerprint)
    }

    /// Whether `observation` was taken over the very connection, which has been open since: no connection outlives its
    /// server.
    private func hasLived(until observation: ServerObservation) -> Bool {
        connection != nil && observation.connection == connection
    }
}

/// Over which connections plans were made, for as long as killd runs.
///
/// It keeps no connection from anybody, and none open: the pool does that, for everybody. It holds what tells those of the
/// last plans apart. Without, a plan is judged by its fingerprint alone.
final class PlanConnections: Sendable {
    private let capacity: Int

    /// When there is no more room among the newer ones, they become the older ones, in whose place they come.
    private struct Generations {
        var newer: [PlanName: ConnectionIdentity] = [:]
        var older: [PlanName: ConnectionIdentity] = [:]
    }

    private let generations = Mutex(Generations())

    /// - Parameter capacity: how many of the last plans are held at least, and at most twice as many.
    init(capacity: Int = 5_000) { self.capacity = capacity }

    subscript(_ plan: PlanName) -> ConnectionIdentity? {
        generations.withLock { $0.newer[plan] ?? $0.older[plan] }
    }

    func note(_ connection: ConnectionIdentity?, of plan: PlanName) {
        guard let connection else { return }
        generations.withLock { generations in
            if generations.newer.count == capacity {
                generations.older = generations.newer
                generations.newer = [:]
            }
            generations.newer[plan] = connection
        }
    }

    func forget(_ plan: PlanName) {
        generations.withLock { generations in
            generations.newer[plan] = nil
            generations.older[plan] = nil
        }
    }

    var count: Int { generations.withLock { $0.newer.count + $0.older.count } }
}
