import RequestSigning
import Synchronization
import TencentCloudErrors

/// The signatures that a running killd has taken. They outlive its configuration,
/// but not its end.
public final class UsedSignatures: Sendable {
    private struct State {
        /// The signatures of each SecretId.
        var memories: [String: SignatureMemory] = [:]
        /// The number of the latest change.
        var changes: UInt64 = 0
    }

    private let state = Mutex(State())
    private let capacity: Int
    /// The Unix time in seconds from which on signatures are known: what was signed
    /// earlier may have been taken by the killd of before.
    private let start: Int64
    /// The same of decisions.
    private let startOfDecisions: Int64

    /// - Parameter startOfDecisions: by the wall clock, also where that is behind what earlier killds have recorded:
    ///   each decision names its plan, so that one which was taken before changes nothing. `nil` for `start`.
    public convenience init(start: Int64, startOfDecisions: Int64? = nil) {
        self.init(start: start, startOfDecisions: startOfDecisions, capacity: SignatureMemory.capacity)
    }

    init(start: Int64, startOfDecisions: Int64? = nil, capacity: Int) {
        self.start = start
        self.startOfDecisions = startOfDecisions ?? start
        self.capacity = capacity
    }

    /// Notes the use of a signature for an action that may be repeated.
    ///
    /// A Prepare or Commit from before the start is taken all the same: repeated,
    /// it ends nobody. But without a signature under its payload it could be made
    /// into a Prepare of somebody else, and its Commit. A decision is refused, lest it was another action's signature.
    func note(
        _ mark: SignatureMark, of secretID: String, for use: SignatureMemory.Use, at now: Int64
    ) throws(TencentCloudError) {
        let isUnsigned = mark.unsignedPayload != nil
        let known = isUnsigned ? start : use == .decision ? startOfDecisions : .min
        guard mark.timestamp >= known else { throw .signatureForgotten(since: known) }
        try state.withLock { state throws(TencentCloudError) in
            try state.memories[secretID, default: SignatureMemory(capacity: capacity)].note(mark, for: use, at: now)
        }
    }

    /// Makes a change, unless it was made with this signature before.
    ///
    /// - Parameter begin: begins it; called at most once for each signature, and not
    ///   while another one is.
    /// - Returns: what becomes of it, or became of it then.
    func once(
        _ mark: SignatureMark, of secretID: String, action: String, at now: Int64,
        begin: () -> SignatureMemory.Outcome
    ) throws(TencentCloudError) -> SignatureMemory.Outcome {
        guard mark.timestamp >= start else { throw .signatureForgotten(since: start) }
        return try state.withLock { state throws(TencentCloudError) in
            let latest = state.changes
            let earlier = try state.memories[secretID, default: SignatureMemory(capacity: capacity)]
                .change(mark, action: action, latest: latest, at: now)
            if let earlier { return earlier }
            let change = SignatureMemory.Change(action: action, number: latest + 1, outcome: begin())
            state.changes = change.number
            state.memories[secretID]?.record(change, by: mark)
            return change.outcome
        }
    }

    /// Uses a signature up for what was rejected: sent again later, it might be what
    /// nobody wants any more.
    func spend(_ mark: SignatureMark, of secretID: String, at now: Int64) {
        state.withLock { state in
            state.memories[secretID, default: SignatureMemory(capacity: capacity)].spend(mark, at: now)
        }
    }
}
