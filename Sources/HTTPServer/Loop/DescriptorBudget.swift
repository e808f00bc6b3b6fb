import Synchronization

/// How many of the process's descriptors the connections of a server may take.
///
/// The soft limit of many systems, 1,024, is for programs that call select(2);
/// it is raised as far as needed. What is still not there is missing to the
/// clients: a database or the store that cannot be opened for lack of a
/// descriptor would fail a Commit.
struct DescriptorBudget: ~Copyable, Sendable {
    /// Connections that fit, if no other server has as many.
    let connections: Int
    private let wanted: Int

    /// The descriptors for all that is no connection of a client: databases, files, threads.
    private static let others = 1024
    /// What all servers of this process want.
    private static let wantedByAll = Mutex(0)

    init(wanted: Int) {
        let limit = Self.wantedByAll.withLock { sum in
            sum += wanted
            return DescriptorLimit.raised(to: sum + Self.others)
        }
        connections = Self.connections(wanted: wanted, descriptors: limit)
        self.wanted = wanted
    }

    /// The connections that a limit of descriptors allows; where it is very low the clients get half of it.
    static func connections(wanted: Int, descriptors: Int) -> Int {
        max(1, min(wanted, max(descriptors - others, descriptors / 2)))
    }

    deinit { Self.wantedByAll.withLock { [wanted] in $0 -= wanted } }
}
