import SessionKill
import Text

/// One process of a scripted server, from its start to its end.
///
/// All that a real one draws at random follows from its name and number: equal scenes look equal.
struct ServerProcess: Hashable, Sendable, Codable {
    let kind: Seed.Kind
    /// Of the server: other servers have other ones.
    let uniqueID: String
    let hostname: String
    let port: Int
    let serverID: UInt64
    let version: String
    let startedAt: UnixTime
    let startMark: String
    private let name: String
    private let number: Int
    var connectionCount: UInt64
    private var lastThreadID: UInt32
    private var lastPerformanceSchemaThreadID: UInt64

    /// - Parameters:
    ///   - name: the server's, among all of a scene.
    ///   - number: how many processes there were before, of this server and of those in whose place it came.
    ///   - failover: how often another server came in its place.
    init(_ script: Seed.Server, name: String, number: Int, failover: Int, startedAt: UnixTime, sessions: [Seed.Session])
    {
        kind = script.kind
        self.name = name
        self.number = number
        let server = "\(name) \(failover)"
        uniqueID =
            switch script.kind {
            case .mysql: uuid(of: server)
            case .mariadb: String(hexadecimal(of: server, "uid").prefix(28))
            case .oceanBaseODP: "odp of \(sessions.first?.proxy?.cluster ?? "ob1")"
            }
        hostname =
            failover == 0 || script.kind == .oceanBaseODP ? script.hostname : "\(script.hostname)-\(failover &+ 1)"
        port = script.port
        serverID =
            script.kind == .oceanBaseODP
            ? 4_000 &+ UInt64(truncatingIfNeeded: number) : script.serverID &+ UInt64(truncatingIfNeeded: failover)
        version = script.kind == .oceanBaseODP ? "OceanBase Database Proxy \(script.version)" : script.version
        self.startedAt = startedAt
        // As SUBSTRING(UUID(),20): the clock sequence and the node.
        startMark =
            script.kind == .oceanBaseODP
            ? "process \(serverID)" : String(uuid(of: "\(server) \(number)").dropFirst(19))
        let ids = sessions.map(\.id.rawValue)
        // The first that a server gives to a client is about 8.
        lastThreadID = max(ids.max() ?? 0, 7)
        connectionCount = UInt64(lastThreadID) + 1
        lastPerformanceSchemaThreadID = UInt64(lastThreadID) + Self.threadsOfServer
    }

    /// Threads of its own that MySQL numbers before its clients'.
    private static let threadsOfServer: UInt64 = 38

    /// As if each session had connected in the order of the ids.
    func performanceSchemaThreadID(ofFirst id: ThreadID) -> UInt64 { UInt64(id.rawValue) + Self.threadsOfServer }

    mutating func nextPerformanceSchemaThreadID() -> UInt64 {
        lastPerformanceSchemaThreadID &+= 1
        return lastPerformanceSchemaThreadID
    }

    /// The next id, which only after 2^32 connections is one that was given before; as all servers do, never one in use.
    mutating func nextThreadID(sparing inUse: Set<ThreadID>) -> ThreadID {
        while true {
            connectionCount &+= 1
            lastThreadID &+= 1
            if let id = ThreadID(lastThreadID), !inUse.contains(id) { return id }
        }
    }

    /// As an ODP makes it: its address, its port and a counter.
    func proxySessionID(of id: ThreadID) -> UInt64 {
        let port = UInt64(UInt16(truncatingIfNeeded: port))
        return (IPv4Address(hostname)?.number ?? 0) << 32 | port << 16 | UInt64(id.rawValue & 0xFFFF)
    }

    /// What a real one draws for each connection.
    func draw(of connection: UInt64) -> String { uuid(of: "\(name) \(number) \(connection)") }

    var fingerprint: ServerFingerprint {
        let isProxy = kind == .oceanBaseODP
        return ServerFingerprint(
            uniqueID: uniqueID, hostname: hostname, port: port, serverID: serverID, version: version,
            startedAt: isProxy ? nil : startedAt.milliseconds / 1_000, connectionCount: isProxy ? nil : connectionCount,
            startMark: startMark)
    }
}

/// A UUID that follows from a text.
private func uuid(of text: String) -> String {
    let digits = Array(hexadecimal(of: text, "uuid").utf8)
    func part(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
    return [part(0..<8), part(8..<12), part(12..<16), part(16..<20), part(20..<32)].joined(separator: "-")
}

/// 32 hexadecimal digits that follow from a text: two times FNV-1a. It keeps nothing apart that anybody attacks.
private func hexadecimal(of text: String, _ purpose: String) -> String {
    [UInt8(0), 1].map { half in
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in [half] + Array("\(purpose) \(text)".utf8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }.joined()
}
