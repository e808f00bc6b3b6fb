import SessionKill

extension Seed {
    /// A server, its sessions, and what goes wrong with it.
    public struct Server: Hashable, Sendable, Codable {
        public var kind: Kind
        /// As the server tells it, such as `9.7.1`.
        public var version: String
        public var hostname: String
        public var port: Int
        public var serverID: UInt64
        /// For how long it has been running when the scene begins, in seconds.
        public var uptime: Int64
        /// Whether killd's account is shown the tables of performance_schema.
        public var showsPerformanceSchema: Bool
        /// The strongest guard of a KILL that it can run.
        public var strongestGuard: KillGuard
        /// What killd's account lacks.
        public var lacks: Set<Privilege>
        /// Whom it lets log in besides killd.
        public var users: [User]
        public var faults: [Fault]
        /// Each with another id.
        public var sessions: [Session]
    }

    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case mysql, mariadb
        case oceanBaseODP = "oceanbase-odp"
    }

    /// What an account may be granted, as MySQL spells it.
    public enum Privilege: String, Hashable, Sendable, Codable, CaseIterable {
        /// Without, it sees its own sessions only.
        case process = "PROCESS"
        /// Without, it may end its own sessions only.
        case connectionAdmin = "CONNECTION_ADMIN"
    }

    /// Somebody who may log in to a server, as clients of DAS do.
    public struct User: Hashable, Sendable, Codable {
        public var name: String
        public var password: String
        public var privileges: Set<Privilege>
    }

    /// When something happens by itself. Seconds and looks count from the scene's beginning.
    public enum Moment: Hashable, Sendable, Codable {
        case fromTheStart
        /// Once so many lists of the sessions have been read.
        case afterLooks(Int)
        case afterSeconds(Int)
        /// When the connection for a Commit is taken: after Prepare's list and before Commit's.
        case beforeCommit
        /// When KILLs are sent, before any has an effect: after Commit's list.
        case beforeKill
        /// When KILLs have had their effect, before their response.
        case afterKill
    }

    /// What goes wrong with a server.
    public struct Fault: Hashable, Sendable, Codable {
        public var kind: Kind
        public var moment: Moment
        /// How often it happens; `nil` for every time.
        public var times: Int?

        public enum Kind: Hashable, Sendable, Codable {
            case refuses(Refusal)
            /// Nothing is answered for so many seconds; `nil` for ever.
            case hangs(seconds: Int?)
            case losesConnection
            /// It is started anew: its ids begin again, and these are its sessions then.
            case restarts([Session])
            /// Another server answers at its address, with these sessions.
            case failsOver([Session])
        }

        /// Named as ``ServerError/Reason`` names what clients of it see.
        public enum Refusal: String, Hashable, Sendable, Codable, CaseIterable {
            // To whoever connects:
            case unreachable, tooManyConnections, loginRefused, tlsUnavailable, behindProxy, unexpectedKind
            // To whoever asks for the list:
            case resultTooLarge, senseless

            var isOfConnecting: Bool { self != .resultTooLarge && self != .senseless }
        }
    }
}
