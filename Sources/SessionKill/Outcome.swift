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
    /// The server refused: killd's account may not kill this session.
    case denied
    /// The session is gone; its prepared XA transaction keeps its locks until
    /// somebody commits it or rolls it back.
    case xaPrepared
    /// The server's error, or why no KILL was sent.
    case failed(String)
    /// The intent to kill it was on record when a Commit was interrupted, and it
    /// is proven to be gone: whether of the KILL nobody can tell.
    case ended
    /// KILL may have been sent, and whether the session is gone cannot be seen.
    case unknown

    /// ``failed(_:)`` of a session that was still there when it was not waited for
    /// any longer. It may end yet.
    public static let outlivedKill = Outcome.failed("KILL was accepted, but the server still lists the session")

    /// Whether Commit's `Threads` lists the thread.
    public var isKilled: Bool {
        switch self {
        case .killed, .rollingBack, .xaPrepared, .ended: true
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
        case .failed: .failed
        case .ended: .ended
        case .unknown: .unknown
        }
    }

    /// What goes with the kind: the rows left, the kind of protection, or the reason.
    public var detail: String? {
        switch self {
        case .rollingBack(let rowsLeft): String(rowsLeft)
        case .protected(let protection): protection.rawValue
        case .failed(let reason): reason
        case .killed, .gone, .replaced, .denied, .xaPrepared, .ended, .unknown: nil
        }
    }
}
