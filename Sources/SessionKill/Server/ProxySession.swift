import Text

/// By what a proxy that numbers sessions itself (OceanBase's ODP) tells them apart.
///
/// Two ODPs hand out the same ids from 1 up, and one begins again at 1 when it
/// is restarted; the client's address and what stands here differ.
public struct ProxySession: Hashable, Sendable {
    /// `proxy_sessid`: the proxy's address, its port and a counter of 16 bits in
    /// one number. 0 until the session has reached a database server; nothing
    /// tells it from another one then.
    public var id: UInt64
    @Exact public var cluster: String
    @Exact public var tenant: String
    /// Transactions so far: only grows while the session lives.
    public var transactionCount: UInt64
    /// The connection to a database server that is to be ended in place of the
    /// session; `nil` for the session itself.
    public var serverSession: ServerSession?

    public init(
        id: UInt64, cluster: String, tenant: String, transactionCount: UInt64, serverSession: ServerSession? = nil
    ) {
        self.id = id
        self.cluster = cluster
        self.tenant = tenant
        self.transactionCount = transactionCount
        self.serverSession = serverSession
    }

    /// Whether `later`, read from the same proxy process, is still this session.
    func isSameSession(as later: ProxySession) -> Bool {
        id != 0 && id == later.id && cluster.isSame(as: later.cluster) && tenant.isSame(as: later.tenant)
            && transactionCount <= later.transactionCount
    }
}

/// A proxy's connection to a database server on behalf of one session.
public struct ServerSession: Hashable, Sendable, Codable {
    /// `ss_id`: counted by the proxy.
    public var id: UInt64
    /// `server_sessid`: by which the database server knows it.
    public var connectionID: UInt64
    /// Of the database server, with its port.
    @Exact public var address: String

    public init(id: UInt64, connectionID: UInt64, address: String) {
        self.id = id
        self.connectionID = connectionID
        self.address = address
    }
}

extension ProxySession: Codable {
    private enum CodingKeys: CodingKey { case id, cluster, tenant, transactionCount, serverSession }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        // As a text: most of them are above 2^53, from where on many readers of JSON round.
        guard let id = UInt64(try container.decode(String.self, forKey: .id)) else {
            throw DecodingError.dataCorruptedError(forKey: .id, in: container, debugDescription: "no proxy_sessid")
        }
        self.id = id
        cluster = try container.decode(String.self, forKey: .cluster)
        tenant = try container.decode(String.self, forKey: .tenant)
        transactionCount = try container.decode(UInt64.self, forKey: .transactionCount)
        serverSession = try container.decodeIfPresent(ServerSession.self, forKey: .serverSession)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(String(id), forKey: .id)
        try container.encode(cluster, forKey: .cluster)
        try container.encode(tenant, forKey: .tenant)
        try container.encode(transactionCount, forKey: .transactionCount)
        try container.encodeIfPresent(serverSession, forKey: .serverSession)
    }
}
