/// What became of one thread of a plan, decided at Commit.
public enum Outcome: Hashable, Sendable {
    /// KILL was accepted and the session was seen to be gone.
    case killed
    /// The session ended; the server is still undoing its transaction.
    case rollingBack(rowsLeft: UInt64)
    /// It had ended by itself before, or was not there at Prepare either.
    case gone
    /// The id belongs to another session now, which was left alone.
    case replaced
    case protected(Protection)
    /// The server does not let it be killed.
    case denied(Denial)
    /// The session is gone; its prepared XA transaction keeps its locks until
    /// somebody commits it or rolls it back.
    case xaPrepared
    /// The session is gone; whether it left a prepared XA transaction with its
    /// locks behind cannot be known.
    case xaUnknown
    /// The session is gone. When its KILL was sent it was waiting for a replica to
    /// acknowledge its change (semi-synchronous replication), which was committed
    /// by then and stays.
    case alreadyCommitted
    /// It was to end and did not, as far as is known.
    case failed(Failure)
    /// The intent to kill it was on record when a Commit was interrupted, and it
    /// is proven to be gone: whether of the KILL nobody can tell.
    case ended
    /// KILL may have been sent, and whether the session is gone cannot be seen.
    case unknown

    /// Whether Commit's `Threads` lists the thread.
    public var isKilled: Bool {
        switch self {
        case .killed, .rollingBack, .xaPrepared, .xaUnknown, .alreadyCommitted, .ended: true
        case .gone, .replaced, .protected, .denied, .failed, .unknown: false
        }
    }

    /// What became of it in one word, without what goes with it.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case killed
        case rollingBack = "rolling-back"
        case gone
        case replaced
        case protected
        case denied
        case xaPrepared = "xa-prepared"
        case xaUnknown = "xa-unknown"
        case alreadyCommitted = "already-committed"
        case failed
        case ended
        case unknown
    }

    public var kind: Kind {
        switch self {
        case .killed: .killed
        case .rollingBack: .rollingBack
        case .gone: .gone
        case .replaced: .replaced
        case .protected: .protected
        case .denied: .denied
        case .xaPrepared: .xaPrepared
        case .xaUnknown: .xaUnknown
        case .alreadyCommitted: .alreadyCommitted
        case .failed: .failed
        case .ended: .ended
        case .unknown: .unknown
        }
    }
}
