import Text

/// Who waits for whose locks.
public struct LockWaits: Hashable, Sendable {
    /// One for each pair of a waiting session and a holder of what it waits for.
    public var known: [LockWait]
    /// Sessions that wait for a lock of which the server does not tell killd's
    /// account who holds it.
    public var unexplained: Set<ThreadID>

    public init(known: [LockWait] = [], unexplained: Set<ThreadID> = []) {
        self.known = known
        self.unexplained = unexplained
    }
}

/// A session that waits for a lock, and who holds it.
public struct LockWait: Hashable, Sendable {
    public var waiter: ThreadID
    /// `nil` if no session holds it: it belongs to a prepared XA transaction
    /// whose session is gone.
    public var holder: ThreadID?
    public var lock: Lock

    public init(waiter: ThreadID, holder: ThreadID?, lock: Lock) {
        self.waiter = waiter
        self.holder = holder
        self.lock = lock
    }
}

/// A lock as the server names it.
public struct Lock: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable {
        /// Of a row or a whole InnoDB table.
        case row
        /// Of a table's definition, a schema, or the whole server.
        case metadata
        /// Taken by `GET_LOCK`.
        case user
    }

    public var kind: Kind
    /// `shop.orders`, or the name that `GET_LOCK` was given.
    @Exact public var object: String
    /// Of a row lock: the index that the row was found by.
    @Exact public var index: String?
    /// How it is held, in the server's words: `X`, `SHARED_READ`, …
    @Exact public var mode: String?

    public init(kind: Kind, object: String, index: String? = nil, mode: String? = nil) {
        self.kind = kind
        self.object = object
        self.index = index
        self.mode = mode
    }
}

/// Responses who can go on once certain sessions are gone.
struct WaitGraph: Sendable {
    private let locksWanted: [ThreadID: [Lock: Set<ThreadID>]]
    /// Whom each waiting session waits for.
    private let holders: [ThreadID: Set<ThreadID?>]
    /// Who waits for each holder.
    private let waiters: [ThreadID: Set<ThreadID>]

    /// - Parameter outliving: sessions whose prepared XA transactions keep their locks. Only what `GET_LOCK` took is a
    ///   session's own.
    init(_ waits: [LockWait], outliving: Set<ThreadID> = []) {
        var locksWanted: [ThreadID: [Lock: Set<ThreadID>]] = [:]
        var holders: [ThreadID: Set<ThreadID?>] = [:]
        var waiters: [ThreadID: Set<ThreadID>] = [:]
        for wait in waits where wait.holder != wait.waiter {
            let isKept = wait.lock.kind != .user && wait.holder.map(outliving.contains) == true
            holders[wait.waiter, default: []].insert(isKept ? nil : wait.holder)
            guard let holder = wait.holder else { continue }
            if !isKept { waiters[holder, default: []].insert(wait.waiter) }
            locksWanted[holder, default: [:]][wait.lock, default: []].insert(wait.waiter)
        }
        self.locksWanted = locksWanted
        self.holders = holders
        self.waiters = waiters
    }

    /// What `holder` holds that others wait for, most wanted first.
    func locksWanted(from holder: ThreadID) -> [WantedLock] {
        (locksWanted[holder] ?? [:]).map { WantedLock(lock: $0.key, waiters: $0.value.count) }
            .sorted { ($1.waiters, ExactText($0.lock.object)) < ($0.waiters, ExactText($1.lock.object)) }
    }

    /// The sessions that need wait for nobody any more once `dead` are gone:
    /// those that wait for them alone, and in turn those that wait for these.
    func freed(by dead: Set<ThreadID>) -> Set<ThreadID> {
        var freed: Set<ThreadID> = []
        var stillInTheWay: [ThreadID: Int] = [:]
        var goneOrFree = Array(dead)
        while let holder = goneOrFree.popLast() {
            for waiter in waiters[holder] ?? [] where !dead.contains(waiter) {
                let left = (stillInTheWay[waiter] ?? holders[waiter]?.count ?? 0) - 1
                stillInTheWay[waiter] = left
                if left == 0, freed.insert(waiter).inserted { goneOrFree.append(waiter) }
            }
        }
        return freed
    }
}
