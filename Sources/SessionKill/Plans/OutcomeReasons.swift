extension Outcome {
    /// Why a session that was to end did not, as far as is known.
    public enum Failure: Hashable, Sendable {
        /// KILL was accepted, and the server still lists the session, which may end yet.
        case outlivedKill
        /// The same of a session that waits for a replica to acknowledge its change.
        /// MySQL does not let go of it before; MariaDB does at once (measured).
        case outlivedKillCommitted
        /// The server answered KILL with an error.
        case refused(ServerMessage)
        /// The server lists the session, but answered its KILL that there is none (error 1094).
        case unkillable
        /// No list that guards a KILL showed the session as it was listed a moment before; nothing was sent.
        case notFoundByGuard
        /// The connection broke before KILL was sent.
        case connectionBroke
        /// The plan's time was over before KILL was sent.
        case planExpired
        /// The kill task ended or was suspended before KILL was sent.
        case taskRevoked
        /// It does not match the conditions of the kill task any more.
        case noLongerMatched
        /// The configuration of now does not let KILL be sent.
        case notPermitted(KillObstacle)
        /// A Commit that was interrupted had not meant to end it.
        case sparedByInterruptedCommit
        /// Its task was interrupted, and nobody else may end it.
        case taskInterrupted
        /// The server refused the login as which the task was to end it.
        case loginRefused
        /// No session of the proxy has a connection with this id.
        case unknownConnection
        /// Nothing would tell it from another session.
        case notPinnable
        /// In the words of an earlier killd, which kept nothing else.
        case worded(String)
    }

    /// Why the server does not let a session be killed.
    public enum Denial: Hashable, Sendable {
        /// In the server's words.
        case byServer(message: String)
        /// The account that logged in for it may end its own sessions only; no KILL was sent.
        case ownSessionsOnly
        /// In words that an earlier killd did not keep.
        case untold
    }
}

/// An error as a database server told it.
public struct ServerMessage: Hashable, Sendable {
    /// The number, such as 1317.
    public let code: UInt32
    public let text: String

    public init(code: UInt32, text: String) {
        self.code = code
        self.text = text
    }
}

extension Outcome.Failure: CustomStringConvertible {
    /// The reason in a sentence.
    public var description: String {
        switch self {
        case .outlivedKill: "KILL was accepted, but the server still lists the session"
        case .outlivedKillCommitted:
            """
            KILL was accepted, but the server lists the session until a replica acknowledges its change, which is \
            committed and stays
            """
        case .refused(let error): "\(error.code): \(error.text)"
        case .unkillable: "1094: the server lists the session, but answered its KILL that there is none"
        case .notFoundByGuard:
            """
            this Commit sent no KILL: of the lists that guard a KILL none showed the session with the user and host \
            that it had a moment before
            """
        case .connectionBroke: "the connection broke before KILL was sent"
        case .planExpired: "the plan expired before KILL was sent"
        case .taskRevoked: "the task ended or was suspended before KILL was sent"
        case .noLongerMatched: "it no longer matched the task's conditions"
        case .notPermitted(let obstacle): obstacle.description
        case .sparedByInterruptedCommit: "spared by the Commit that was interrupted"
        case .taskInterrupted: "the task was interrupted"
        case .loginRefused: "the server refused the login of the task"
        case .unknownConnection: "no session of the proxy has this connection"
        case .notPinnable: "nothing would tell this session from another one"
        case .worded(let sentence): sentence
        }
    }
}

extension Outcome {
    /// What goes with the kind, for people: the rows left, the kind of protection, the reason, or what the server said.
    public var detail: String? {
        switch self {
        case .rollingBack(let rowsLeft): String(rowsLeft)
        case .protected(let protection): protection.rawValue
        case .failed(let reason): reason.description
        case .denied(.byServer(let message)): message
        case .denied(.ownSessionsOnly): "no KILL was sent: the account that logged in may end its own sessions only"
        case .denied(.untold): nil
        case .killed, .gone, .replaced, .xaPrepared, .xaUnknown, .alreadyCommitted, .ended, .unknown: nil
        }
    }
}
