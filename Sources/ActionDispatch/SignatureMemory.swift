import RequestSigning
import TencentCloudErrors

/// The signatures of one key that were verified, each until it expires, with what
/// they were used for.
///
/// A TC3 signature of the SDKs covers neither the action nor a nonce: whoever has
/// seen a request could send it again, or as another action with the same content.
/// So a signature that was used for a change is good for nothing else, and one
/// that was used for something else is good for no change.
///
/// Of a signature there is a hash of 64 bits, with a key of this process, so a new
/// one is taken for a used one once in 10^13 times.
///
/// Beyond ``capacity`` the signatures of the oldest second are forgotten, and with
/// every second that is forgotten ``floor`` rises above it: no change is made by a
/// signature of which nobody would know whether it was used.
struct SignatureMemory: Sendable {
    /// The most signatures of a key that are remembered, in about 5 MB; by default
    /// an account cannot have so many calls admitted in the ten minutes for which a
    /// signature can be good.
    static let capacity = 1 << 18
    /// Seconds in which a client can have signed several requests in the same
    /// second, and have sent them: then they have one signature, if it does not
    /// cover their payloads.
    private static let burst: Int64 = 2

    enum Use: UInt8, Sendable { case changesNothing, endsNobody, decision, change }

    /// Something that was changed, once.
    struct Change: Sendable {
        let action: String
        /// Counts all changes, of any key.
        let number: UInt64
        let outcome: Outcome
    }

    typealias Outcome = Task<any Encodable & Sendable, any Error>

    private struct Second: Sendable {
        var uses: [Int: Use] = [:]
        var changes: [Int: Change] = [:]
        /// The time at which a signature came first that does not cover its payload.
        var unsignedSince: [Int: Int64] = [:]

        var count: Int { uses.count + unsignedSince.count }
    }

    /// The Unix time in seconds from which on every signature that was verified is known.
    private(set) var floor = Int64.min
    private(set) var count = 0
    private let capacity: Int
    private var seconds: [Int64: Second] = [:]
    private var tidiedAt = Int64.min

    init(capacity: Int = Self.capacity) { self.capacity = capacity }

    /// Notes the use of a signature for an action that may be repeated.
    mutating func note(_ mark: SignatureMark, for use: Use, at now: Int64) throws(TencentCloudError) {
        forgetExpired(at: now)
        guard mark.timestamp >= floor else {
            guard use == .changesNothing, mark.unsignedPayload == nil else { throw .signatureForgotten(since: floor) }
            return
        }
        let hash = Self.hash(of: mark)
        guard notePayload(of: mark, at: now) else { throw .signatureUsed }
        if let earlier = seconds[mark.timestamp]?.uses[hash] {
            guard earlier == use else { throw .signatureUsed }
            return
        }
        insert(hash, of: mark.timestamp, for: use)
    }

    /// What became of the change that was made with this signature; `nil` if there
    /// was none, so that it is to begin now.
    ///
    /// - Parameter latest: the number of the latest change. A client that sends a
    ///   request again because it got no response is told that response; but once
    ///   something else was changed that would no longer be true.
    /// - Throws: if it was used for anything else.
    mutating func change(
        _ mark: SignatureMark, action: String, latest: UInt64, at now: Int64
    ) throws(TencentCloudError) -> Outcome? {
        forgetExpired(at: now)
        guard mark.timestamp >= floor else { throw .signatureForgotten(since: floor) }
        guard notePayload(of: mark, at: now) else { throw .signatureUsed }
        let hash = Self.hash(of: mark)
        guard let second = seconds[mark.timestamp], second.uses[hash] != nil else { return nil }
        guard let change = second.changes[hash], change.action == action, change.number == latest else {
            throw .signatureUsed
        }
        return change.outcome
    }

    /// Records a change whose signature is new.
    mutating func record(_ change: Change, by mark: SignatureMark) {
        let hash = Self.hash(of: mark)
        insert(hash, of: mark.timestamp, for: .change)
        seconds[mark.timestamp]?.changes[hash] = change
    }

    /// Uses a signature up, if it was not used: it is good for nothing any more.
    mutating func spend(_ mark: SignatureMark, at now: Int64) {
        forgetExpired(at: now)
        let hash = Self.hash(of: mark)
        guard notePayload(of: mark, at: now), seconds[mark.timestamp]?.uses[hash] == nil else { return }
        insert(hash, of: mark.timestamp, for: .change)
    }

    /// - Returns: `false` if the signature does not cover the payload and came with
    ///   another one, longer ago than clients send at once.
    private mutating func notePayload(of mark: SignatureMark, at now: Int64) -> Bool {
        guard mark.unsignedPayload != nil, seconds[mark.timestamp]?.uses[Self.hash(of: mark)] == nil else {
            return true
        }
        let signature = Self.hash(of: SignatureMark(bytes: mark.bytes, timestamp: mark.timestamp))
        if let first = seconds[mark.timestamp]?.unsignedSince[signature] {
            return (first...first + Self.burst).contains(now)
        }
        makeRoom()
        guard mark.timestamp >= floor else { return true }
        seconds[mark.timestamp, default: Second()].unsignedSince[signature] = now
        count += 1
        return true
    }

    private mutating func insert(_ hash: Int, of timestamp: Int64, for use: Use) {
        makeRoom()
        guard timestamp >= floor else { return }
        seconds[timestamp, default: Second()].uses[hash] = use
        count += 1
    }

    private mutating func makeRoom() {
        while count >= capacity, let oldest = seconds.keys.min() { forget(oldest) }
    }

    private mutating func forgetExpired(at now: Int64) {
        guard now != tidiedAt else { return }
        tidiedAt = now
        for timestamp in seconds.keys where SignatureVerdict.hasExpired(timestamp, at: now) && timestamp < now {
            forget(timestamp)
        }
    }

    private mutating func forget(_ timestamp: Int64) {
        count -= seconds.removeValue(forKey: timestamp)?.count ?? 0
        floor = max(floor, timestamp + 1)
    }

    private static func hash(of mark: SignatureMark) -> Int {
        var hasher = Hasher()
        mark.bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        mark.unsignedPayload?.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
