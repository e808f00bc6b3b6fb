import Synchronization

/// The nonces of the requests that were accepted, by access key: no request is
/// accepted twice.
///
/// A request is current for 30 minutes at most, from 15 before its timestamp to
/// 15 after it; a nonce is kept at least as long. It is kept as a hash of 64 bits,
/// with a key of this process, so a new nonce is taken for a used one once in
/// 10^13 times.
///
/// If the time of day is set back, a request can be current longer than that. So
/// ``floor`` tells of what time requests are forgotten, and no kill of such a time
/// is accepted.
///
/// Of one access key there are at most ``capacity`` nonces: some 500 a second for
/// good, while an account may call each action 20 times a second unless
/// configured otherwise. Beyond that its requests are rejected until the oldest
/// are dropped: a nonce that was forgotten early would let a request be repeated.
struct NonceStore: Sendable {
    static let capacity = 1 << 20
    /// The time for which a nonce is kept at least.
    static let lifetime = Duration.seconds(1_800)
    /// The time of which all nonces are dropped at once.
    private static let generationLength = Duration.seconds(300)

    private struct Generation {
        let end: ContinuousClock.Instant
        var hashes: Set<Int> = []
        /// The latest timestamp of its requests, Unix time in seconds.
        var newest = Int64.min
    }

    private let capacity: Int
    /// The Unix time in seconds from which on no nonce was forgotten, of any key:
    /// what was signed earlier may have been accepted before.
    private(set) var floor: Int64
    /// The nonces of each access key, the oldest first.
    private var generations: [String: [Generation]] = [:]

    /// - Parameter start: the Unix time in seconds at which nonces begin to be
    ///   recorded.
    init(start: Int64 = .min, capacity: Int = Self.capacity) {
        floor = start
        self.capacity = capacity
    }

    /// Whether the nonce was not recorded.
    ///
    /// - Parameter now: not the time of day, which can be set back: what was
    ///   forgotten could then be repeated. A time before that of an earlier call
    ///   drops nothing.
    mutating func isNew(_ nonce: String, of accessKeyID: String, at now: ContinuousClock.Instant) -> Bool {
        dropOldest(of: accessKeyID, at: now)
        let hash = Self.hash(nonce)
        return !(generations[accessKeyID] ?? []).contains { $0.hashes.contains(hash) }
    }

    /// Records a nonce that is new.
    ///
    /// - Parameters:
    ///   - timestamp: of its request, Unix time in seconds.
    ///   - now: as above.
    /// - Returns: whether there was room; `false` also means that it is not recorded.
    mutating func record(
        _ nonce: String, of accessKeyID: String, timestamp: Int64, at now: ContinuousClock.Instant
    ) -> Bool {
        dropOldest(of: accessKeyID, at: now)
        guard count(of: accessKeyID) < capacity else { return false }
        let hash = Self.hash(nonce)
        var kept = generations.removeValue(forKey: accessKeyID) ?? []
        if kept.last.map({ $0.end <= now }) ?? true { kept.append(Generation(end: now + Self.generationLength)) }
        kept[kept.count - 1].hashes.insert(hash)
        kept[kept.count - 1].newest = max(kept[kept.count - 1].newest, timestamp)
        generations[accessKeyID] = kept
        return true
    }

    /// How long it takes until the oldest nonces of the access key are dropped.
    func timeUntilRoom(for accessKeyID: String, at now: ContinuousClock.Instant) -> Duration {
        guard let oldest = generations[accessKeyID]?.first else { return .zero }
        return max(.zero, now.duration(to: oldest.end + Self.lifetime))
    }

    func count(of accessKeyID: String) -> Int { (generations[accessKeyID] ?? []).reduce(0) { $0 + $1.hashes.count } }

    private mutating func dropOldest(of accessKeyID: String, at now: ContinuousClock.Instant) {
        while let oldest = generations[accessKeyID]?.first, oldest.end + Self.lifetime <= now {
            // A timestamp near the greatest number is of no current request, so none was recorded with it.
            floor = max(floor, oldest.newest + 1)
            generations[accessKeyID]?.removeFirst()
        }
    }

    private static func hash(_ nonce: String) -> Int {
        var hasher = Hasher()
        var nonce = nonce
        nonce.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        return hasher.finalize()
    }
}

/// The nonces of a running killd. They outlive its configuration, but not its end.
public final class SeenNonces: Sendable {
    let store: Mutex<NonceStore>

    /// - Parameter start: the Unix time in seconds from which on nonces are known:
    ///   what was signed earlier may have been accepted by the killd of before.
    public convenience init(start: Int64) { self.init(start: start, capacity: NonceStore.capacity) }

    init(start: Int64, capacity: Int) {
        store = Mutex(NonceStore(start: start, capacity: capacity))
    }
}
