import SessionKill

extension Seed {
    public struct Session: Hashable, Sendable, Codable {
        public var id: ThreadID
        public var user: String
        public var host: String
        public var details: Details
        /// What the client tells of itself.
        public var client: ClientAttributes?
        /// Of a session of an ODP.
        public var proxy: Proxy?
        public var locks: [Lock]
        public var waitsFor: Wait?
        public var reaction: Reaction
        public var happenings: [Happening]
        /// What it runs, another one in each list; empty if that is ``Details/statement``.
        public var statements: [String]
    }

    /// What a session does.
    public struct Details: Hashable, Sendable, Codable {
        public var database: String?
        public var command: String
        /// How long it has been in its state when the scene, or a change, begins.
        public var seconds: Int64?
        public var state: String?
        public var statement: String?
        public var transaction: Transaction?
        public var hasPreparedXA: Bool
    }

    public struct Transaction: Hashable, Sendable, Codable {
        /// How long it has been open when the scene, or a change, begins.
        public var seconds: Int64
        /// `nil` where the server does not count them, as OceanBase does not.
        public var rows: UInt64?
        public var state: String
    }

    /// What an ODP tells of a session besides.
    public struct Proxy: Hashable, Sendable, Codable {
        public var cluster: String
        public var tenant: String
        public var transactionCount: UInt64
        /// Whether it has reached a database server. Before, nothing tells it from another.
        public var isPinnable: Bool
        public var serverSessions: [ServerSession]
    }

    /// A lock that a session waits for.
    public enum Wait: Hashable, Sendable, Codable {
        /// - Parameter holder: `nil` for a prepared XA transaction whose session is gone.
        case lock(Lock, holder: ThreadID?)
        /// For the definition of a table; the server does not tell who holds it.
        case unexplained
    }

    /// What a session does when it is killed.
    public enum Reaction: Hashable, Sendable, Codable {
        /// It ends once it has been looked at so often, and so many seconds are over.
        case dies(afterLooks: Int, afterSeconds: Int)
        /// Its transaction is undone for so many seconds.
        case rollsBack(seconds: Int)
        /// The server answers KILL with an error.
        case refuses(ServerError)
        /// KILL is accepted, and nothing comes of it.
        case survives
        /// The server says that there is no such thread, though it lists it.
        case unkillable
        /// No list that guards a KILL shows it as the list of sessions does.
        case unguardable

        public struct ServerError: Hashable, Sendable, Codable {
            public var code: UInt32
            public var message: String
        }
    }

    /// What becomes of a session by itself.
    public struct Happening: Hashable, Sendable, Codable {
        public var kind: Kind
        public var moment: Moment

        public enum Kind: Hashable, Sendable, Codable {
            case vanishes
            /// Its id is another session's.
            case replaced(Successor)
            case changes(Details)
        }
    }

    /// Who has the id of a session after it.
    public struct Successor: Hashable, Sendable, Codable {
        public var user: String
        /// `nil` for the same connection, which was handed to another user (COM_CHANGE_USER).
        public var host: String?
        public var details: Details
        public var client: ClientAttributes?
    }
}
