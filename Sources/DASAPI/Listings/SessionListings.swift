import Cryptography
import SessionKill
import Text

/// The listings that were asked for, and their results.
///
/// They live in memory only: a result is of use for minutes, and after a restart
/// a client asks anew. Each is kept for 24 hours, but of one account's results
/// only so many, and so much, as ``Limits`` say: beyond that the account's
/// oldest are dropped and are like unknown ones. The latest is kept whatever its
/// size.
public actor SessionListings {
    public struct Limits: Sendable {
        /// The most listings of an account, those under way included.
        public var count = 500
        /// The most bytes of an account's listings, about.
        public var bytes = 32 << 20

        public init() {}
    }

    struct Key: Hashable {
        let account: AccountName
        @Exact var id: String
    }

    struct Listing {
        let id: String
        let target: SessionTaskTarget
        let requestedAt: UnixTime
        var state = State.running
    }

    enum State {
        case running
        case finished(SessionData)
        case failed
    }

    /// The seconds for which a result is kept at most.
    static let retention = 86_400

    private let limits: Limits
    private let now: @Sendable () -> UnixTime
    private let report: @Sendable (SessionTaskTarget, any Error) -> Void
    private var listings: [Key: Listing] = [:]
    /// The ids of each account, the oldest first.
    private var order: [AccountName: [String]] = [:]

    /// - Parameter report: told why a listing failed; must not block.
    public init(
        limits: Limits = Limits(), now: @escaping @Sendable () -> UnixTime,
        report: @escaping @Sendable (SessionTaskTarget, any Error) -> Void
    ) {
        self.limits = limits
        self.now = now
        self.report = report
    }

    /// Begins a listing. Those of one server that begin at the same moment share
    /// a snapshot of it.
    func begin(
        on instance: Instance, for account: AccountName
    ) throws(CryptographyError) -> Listing {
        let id = "async_" + (try randomText(count: 32, alphabet: "0123456789abcdef"))
        let key = Key(account: account, id: id)
        let target = instance.target
        let listing = Listing(id: id, target: target, requestedAt: now())
        listings[key] = listing
        order[account, default: []].append(id)
        dropOldest(of: account)
        Task {
            let state: State
            do {
                let list = try await instance.list()
                // Off this actor: it takes some milliseconds for many sessions.
                state = .finished(await Self.data(of: list, readAt: now()))
            } catch {
                report(target, error)
                state = .failed
            }
            // It may have been dropped meanwhile.
            listings[key]?.state = state
            dropOldest(of: account)
        }
        return listing
    }

    /// The listing with that id, if the account asked for it at that place.
    func listing(_ id: String, at target: SessionTaskTarget, of account: AccountName) -> Listing? {
        dropOldest(of: account)
        guard let listing = listings[Key(account: account, id: id)], listing.target == target else { return nil }
        return listing
    }

    @concurrent private nonisolated static func data(
        of list: SessionList, readAt time: UnixTime
    ) async -> SessionData {
        SessionData(list, readAt: time)
    }

    private func dropOldest(of account: AccountName) {
        guard var ids = order[account] else { return }
        let now = now()
        var size = ids.reduce(0) { $0 + self.size(of: Key(account: account, id: $1)) }
        while let oldest = ids.first, let listing = listings[Key(account: account, id: oldest)] {
            let isOver = now >= listing.requestedAt.advanced(bySeconds: Self.retention)
            let isTooMuch = ids.count > 1 && (ids.count > limits.count || size > limits.bytes)
            guard isOver || isTooMuch else { break }
            size -= self.size(of: Key(account: account, id: oldest))
            listings[Key(account: account, id: oldest)] = nil
            ids.removeFirst()
        }
        order[account] = ids.isEmpty ? nil : ids
    }

    private func size(of key: Key) -> Int {
        if case .finished(let data)? = listings[key]?.state { data.size } else { 0 }
    }
}
