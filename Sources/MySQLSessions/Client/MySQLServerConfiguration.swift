import SessionKill
import Text

/// How to reach a server, and as whom.
public struct MySQLServerConfiguration: Hashable, Sendable {
    public var kind: ServerKind
    public var address: MySQLAddress
    /// The address that is tried when ``address`` lets nobody in, or does not answer in time:
    /// MySQL's administrative interface, MariaDB's extra port.
    public var adminAddress: MySQLAddress?
    @Exact public var user: String
    public var password: DatabasePassword
    public var deadlines: Deadlines
    public var largestResponse = ResponseSize()

    /// How long the network and the server may take.
    public struct Deadlines: Hashable, Sendable {
        /// The longest time without a sign from the server while connecting and logging in, in whole seconds; 5 by
        /// default.
        public var connect: Duration = .seconds(5)
        /// The longest time without a sign from the server in a call, in whole seconds; 10 by default.
        public var readWrite: Duration = .seconds(10)
        /// The longest time of a call as a whole, however slowly and however much the server answers, and of all that
        /// it takes until a connection can be used; 30 seconds by default.
        public var call: Duration = .seconds(30)
        /// The longest time that the server may take to say that it is still there; 5 seconds by default.
        public var check: Duration = .seconds(5)
        /// The longest time to wait for one of the connections to be free; 10 seconds by default.
        public var freeConnection: Duration = .seconds(10)

        public init() {}
    }

    /// How much is read of a server's answers to one call.
    public struct ResponseSize: Hashable, Sendable, CustomStringConvertible {
        /// The most bytes; 64 MiB by default.
        public var bytes = 64 << 20
        /// The most rows; 250,000 by default.
        public var rows = 250_000

        public init() {}

        public var description: String { "\(rows) rows or \(bytes >> 20) MiB" }
    }

    public init(
        kind: ServerKind = .mysql, address: MySQLAddress, adminAddress: MySQLAddress? = nil, user: String,
        password: DatabasePassword, deadlines: Deadlines = Deadlines()
    ) {
        self.kind = kind
        self.address = address
        self.adminAddress = adminAddress
        self.user = user
        self.password = password
        self.deadlines = deadlines
    }
}

/// What answers at an address.
public enum ServerKind: String, Hashable, Sendable, CaseIterable {
    /// A MySQL or a MariaDB; which of them, the server tells.
    case mysql
    /// A process of OceanBase Database Proxy, with the sessions of its clients.
    case oceanBaseODP = "oceanbase-odp"
}

/// The address at which a server listens.
public enum MySQLAddress: Hashable, Sendable, CustomStringConvertible {
    case tcp(host: String, port: UInt16, tls: TLSMode)
    /// A Unix socket: nothing leaves the machine, so there is no TLS.
    case unixSocket(path: String)

    /// The host and the port; `nil` for a Unix socket.
    public var hostAndPort: (host: String, port: UInt16)? {
        switch self {
        case .tcp(let host, let port, _): (host, port)
        case .unixSocket: nil
        }
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port, _): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): path
        }
    }
}

// Whoever has the same address shares its connections, so paths and hosts are compared as the system does.
extension MySQLAddress {
    public static func == (left: MySQLAddress, right: MySQLAddress) -> Bool {
        switch (left, right) {
        case (.tcp(let host, let port, let tls), .tcp(let otherHost, let otherPort, let otherTLS)):
            host.isSame(as: otherHost) && port == otherPort && tls == otherTLS
        case (.unixSocket(let path), .unixSocket(let otherPath)): path.isSame(as: otherPath)
        case (.tcp, .unixSocket), (.unixSocket, .tcp): false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .tcp(let host, let port, _):
            host.hashBytes(into: &hasher)
            hasher.combine(port)
        case .unixSocket(let path): path.hashBytes(into: &hasher)
        }
    }
}

/// What is demanded of the connection's encryption.
public enum TLSMode: Hashable, Sendable {
    case disabled
    /// TLS if the server has it. An attacker on the way can prevent it.
    case preferred
    /// TLS, with whomever it may be: keeps out who only listens.
    case required
    /// TLS with a server whose certificate `ca` has signed. MariaDB Connector/C
    /// 3.x cannot check that without the name and checks the name as well.
    ///
    /// - Parameter ca: path of a PEM file; `nil` for the system's, which
    ///   Oracle's library refuses.
    case verifyCA(ca: String?)
    /// TLS as of ``verifyCA(ca:)``, with a certificate that names the host.
    case verifyIdentity(ca: String?)
}
