import Synchronization

/// The nonces of the requests that were accepted, by access key: no request is
/// accepted twice.
///
/// A request is current for 30 minutes at most, from 15 before its timestamp to
/// 15 after it; a nonce is kept at least as long. It is kept as a hash of 64 bits,
/// with a key of this process, so a new nonce is taken for a used one once in
/// 10^13 times.
///
/// Of one access key there are at most ``capacity`` nonces: some 580 a second for
/// half an hour, while an account may call each action 20 times a second unless
/// configured otherwise. Beyond that its requests are refused until the oldest
/// are dropped: a nonce that was forgotten early would let a request be repeated.
struct NonceStore: Sendable {
    static let capacity = 1 << 20
    /// Seconds for which a nonce is kept at least.
    static let lifetime: Int64 = 1_800
    /// All nonces of so many seconds are dropped at once.
    private static let generationLength: Int64 = 300

    private struct Generation {
        let number: Int64
        var hashes: Set<Int> = []
    }

    private let capacity: Int
    private var generations: [String: [Generation]] = [:]
    private var latest = Int64.min

    init(capacity: Int = Self.capacity) { self.capacity = capacity }

    /// Whether the nonce was not recorded.
    ///
    /// - Parameter now: Unix time in seconds. A time before that of an earlier
    ///   call is taken as that one.
    mutating func isNew(_ nonce: String, of accessKeyID: String, at now: Int64) -> Bool {
        dropOldest(of: accessKeyID, at: now)
        let hash = Self.hash(nonce)
        return !(generations[accessKeyID] ?? []).contains { $0.hashes.contains(hash) }
    }

    /// Records a nonce that is new.
    ///
    /// - Parameter now: as above.
    /// - Returns: whether there was room; `false` also means that it is not recorded.
    mutating func record(_ nonce: String, of accessKeyID: String, at now: Int64) -> Bool {
        dropOldest(of: accessKeyID, at: now)
        guard count(of: accessKeyID) < capacity else { return false }
        let number = Self.generation(at: latest)
        let hash = Self.hash(nonce)
        var kept = generations.removeValue(forKey: accessKeyID) ?? []
        if kept.last?.number != number { kept.append(Generation(number: number)) }
        kept[kept.count - 1].hashes.insert(hash)
        generations[accessKeyID] = kept
        return true
    }

    /// Seconds until the oldest nonces of the access key are dropped.
    func secondsUntilRoom(for accessKeyID: String) -> Int64 {
        guard let oldest = generations[accessKeyID]?.first else { return 0 }
        return max(0, Self.end(of: oldest) - latest)
    }

    func count(of accessKeyID: String) -> Int { (generations[accessKeyID] ?? []).reduce(0) { $0 + $1.hashes.count } }

    private mutating func dropOldest(of accessKeyID: String, at now: Int64) {
        latest = max(latest, now)
        guard let oldest = generations[accessKeyID]?.first, Self.end(of: oldest) <= latest else { return }
        generations[accessKeyID]?.removeAll { Self.end(of: $0) <= latest }
    }

    /// When the last nonce of a generation is old enough.
    private static func end(of generation: Generation) -> Int64 {
        (generation.number + 1) * generationLength + lifetime
    }

    private static func generation(at time: Int64) -> Int64 { time / generationLength }

    private static func hash(_ nonce: String) -> Int {
        var hasher = Hasher()
        var nonce = nonce
        nonce.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        return hasher.finalize()
    }
}

/// The nonces of a running killd. They outlive its configuration.
public final class SeenNonces: Sendable {
    let store: Mutex<NonceStore>

    public convenience init() { self.init(capacity: NonceStore.capacity) }

    init(capacity: Int) { store = Mutex(NonceStore(capacity: capacity)) }
}
